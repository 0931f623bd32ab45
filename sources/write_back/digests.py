"""A value that was sent is known again by a digest, so that no participant's value is kept for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sources.models import OutcomeWrite
from sources.secrets import digests

PURPOSE = "values written back"


class SentValues:
    """These are the fields of one session with the values that are ours, or that a person lets us replace."""

    def __init__(self, write: OutcomeWrite, kept: Mapping[str, Iterable[str]]) -> None:
        self._write = write
        self._kept = {field: list(of_field) for field, of_field in kept.items()}

    def has(self, field: str, value: str) -> bool:
        return bool(set(self._digests(field, value)) & set(self._kept.get(field, ())))

    def with_value(self, field: str, value: str) -> None:
        """Note a value beside those before it: until it is seen there, either may be."""
        if not self.has(field, value):
            self._kept.setdefault(field, []).append(self._digests(field, value)[0])

    def only(self, field: str, value: str) -> None:
        """Note that the field holds this value, and so none of those before it."""
        self._kept[field] = [self._digests(field, value)[0]]

    def as_json(self, *, but: Collection[str] = ()) -> dict[str, list[str]]:
        return {field: of_field for field, of_field in self._kept.items() if field not in but}

    def _digests(self, field: str, value: str) -> tuple[str, ...]:
        return digests(PURPOSE, str(self._write.step_id), field, value)
