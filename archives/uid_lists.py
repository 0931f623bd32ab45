"""Studies are asked for by lists of UIDs (PS3.4 C.2.2.2.2), and one by one where an archive knows no lists.

An archive that takes a list for one UID answers nothing, as if no study had arrived. So a list is believed
only once one has found two studies; until then what it did not find is asked for alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from archives.contract import UIDS_AT_ONCE, FoundStudy
from sources.errors import ConfigurationError

Ask = Callable[[Sequence[str]], list[FoundStudy]]


class UidLists:
    """It remembers of one archive whether it matches lists."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._are_matched = False
        self._are_useless = False

    def studies(self, uids: Iterable[str]) -> list[FoundStudy]:
        """Return the studies with the UIDs, each once, in order. Raises what the question does."""
        wanted = list(dict.fromkeys(filter(None, uids)))
        found: dict[str, FoundStudy] = {}
        for some in _batches(wanted):
            found.update(self._of(some))
        return [found[uid] for uid in wanted if uid in found]

    def _of(self, some: Sequence[str]) -> dict[str, FoundStudy]:
        asks_a_list = len(some) > 1 and not self._are_useless
        found = self._by_list(some) if asks_a_list else {}
        if self._are_matched:
            return found if asks_a_list else self._alone(some)
        missing = [uid for uid in some if uid not in found]
        alone = self._alone(missing)
        # A list that found one study and not another that is there was not taken as a list.
        self._are_useless = self._are_useless or (asks_a_list and bool(alone))
        return {**found, **alone}

    def _by_list(self, some: Sequence[str]) -> dict[str, FoundStudy]:
        try:
            found = self._asked(some)
        except ConfigurationError:
            if self._are_matched:
                raise
            return {}  # where the archive refuses more than the list, the next question says so
        self._are_matched = self._are_matched or len(found) > 1
        return found

    def _alone(self, uids: Sequence[str]) -> dict[str, FoundStudy]:
        found: dict[str, FoundStudy] = {}
        for uid in uids:
            found.update(self._asked([uid]))
        return found

    def _asked(self, uids: Sequence[str]) -> dict[str, FoundStudy]:
        """Return what was asked for, and nothing else that an archive may answer."""
        return {
            study.study_instance_uid: study for study in self._ask(uids) if study.study_instance_uid in uids
        }


def _batches(uids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(uids), UIDS_AT_ONCE):
        yield uids[start : start + UIDS_AT_ONCE]
