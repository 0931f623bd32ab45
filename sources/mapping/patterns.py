"""A site's regular expressions are searched within a bound of time, whatever they are and whatever they meet.

The language is that of Python's `re`, which judges each expression; `regex` searches, for it can be given a
time. What the two read differently is written so that `regex` reads it as `re` does.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import regex

from sources.mapping.problems import UnusableValue

SECONDS = 0.1  # of processor time for one search; one that is meant takes a thousandth of that
LONGEST = 1000  # characters of an expression
MOST_PARTS = 10_000  # once what is counted stands there as often as it is counted
MOST_OVERRUNS = 10  # within OVERRUNS_REMEMBERED; then nothing more is tried until the first is forgotten
OVERRUNS_REMEMBERED = 60.0  # seconds
TOO_SLOW = "The row's pattern takes too long on this value. Make the pattern simpler."
NO_MATCH = "This does not fit the pattern."

# What is tried when an expression is saved: texts as long as a field's, that nearly fit and do not.
TRIED_SECONDS = 0.5  # for all of them
TRIED_LENGTHS = (30, 100)
TRIED_UNITS = ("a", "A", "0", " ", "-", "a ", "a-", "0-", "ab")
MOST_UNITS = 24
ENDS = ("!", "\n", "é")

_PARTS = re.compile(r"\\.|\{[0-9]*,?[0-9]*\}|[\[\]{]|.", re.DOTALL)
_COUNT = re.compile(r"\{([0-9]*)(?:,([0-9]*))?\}")
_LITERALS = re.compile(r"[A-Za-z0-9 _.:/-]{1,8}")


class InvalidPattern(ValueError):
    """The expression is none, or longer than any that is meant; the text says why."""


class Pattern:
    """It is an expression that `re` takes. `groups` and `groupindex` are as `re` has them."""

    def __init__(self, expression: str) -> None:
        """Raise InvalidPattern for what is no expression."""
        if len(expression) > LONGEST:
            raise InvalidPattern(f"it has more than {LONGEST} characters")
        try:
            judged = re.compile(expression)
            _refuse_many_parts(expression)
            self._searched = regex.compile(_as_regex_reads(expression), regex.VERSION0)
        except (re.error, regex.error, OverflowError, RecursionError, ValueError) as error:
            raise InvalidPattern(str(error) or "it is nested too deeply") from error
        self.expression = expression
        self.groups: int = judged.groups
        self.groupindex = dict(judged.groupindex)
        self._overruns: deque[float] = deque()
        self._lock = threading.Lock()

    def group(self, value: str, group: int | str) -> str:
        """Return what the group matches, without spaces around. Raises UnusableValue."""
        match = self._within_bounds(self._searched.search, value)
        if match is None or match[group] is None:
            raise UnusableValue(NO_MATCH)
        return str(match[group]).strip()

    def fits(self, value: str) -> bool:
        """Tell whether the whole value fits. Raises UnusableValue where that takes too long."""
        return self._within_bounds(self._searched.fullmatch, value) is not None

    def _within_bounds(self, match: Callable[..., regex.Match[str] | None], value: str) -> Any:
        if self._is_set_aside():
            raise UnusableValue(TOO_SLOW)
        try:
            return match(value, timeout=SECONDS)
        except TimeoutError:
            self._note_overrun()
            raise UnusableValue(TOO_SLOW) from None
        except MemoryError:
            raise UnusableValue(TOO_SLOW) from None

    def is_slow(self, *, on_whole: bool = False) -> bool:
        """Tell whether a text of a field's length was found on which the search does not end in time.

        `on_whole` tries the whole text against the expression, as `fits` does.
        """
        match = self._searched.fullmatch if on_whole else self._searched.search
        ends_at = time.monotonic() + TRIED_SECONDS
        for text in _hostile_texts(self.expression):
            if time.monotonic() > ends_at:
                return False
            try:
                match(text, timeout=SECONDS)
            except (TimeoutError, MemoryError):
                return True
        return False

    def _note_overrun(self) -> None:
        with self._lock:
            self._overruns.append(time.monotonic())

    def _is_set_aside(self) -> bool:
        """Tell whether it ran over so often of late that thousands of records would take hours."""
        with self._lock:
            while self._overruns and self._overruns[0] <= time.monotonic() - OVERRUNS_REMEMBERED:
                self._overruns.popleft()
            return len(self._overruns) >= MOST_OVERRUNS


def _parts(expression: str) -> Iterator[tuple[str, bool]]:
    """Yield the expression in parts: escapes, counts and characters, and whether each stands in a set."""
    read = -1  # how many characters of a set were read, -1 outside of one
    is_negated = False
    for part in _PARTS.findall(expression):
        yield part, read >= 0
        if read < 0:
            read = 0 if part == "[" else -1
            is_negated = False
        elif part == "]" and read > int(is_negated):
            read = -1
        else:
            is_negated = is_negated or (read == 0 and part == "^")
            read += 1


def _as_regex_reads(expression: str) -> str:
    """Escape what is a character to `re` and more to `regex`: `[` in a set, `{` that begins no count."""
    return "".join(
        rf"\{part}" if (part == "[" and in_set) or (part in ("{", "{}") and not in_set) else part
        for part, in_set in _parts(expression)
    )


def _refuse_many_parts(expression: str) -> None:
    """Raise InvalidPattern where counts within counts multiply: `regex` lays out each of them in memory."""
    sizes = [0]  # of the groups that are open, the whole at first
    last = 0  # the size of what a count would multiply
    for part, in_set in _parts(expression):
        count = None if in_set else _COUNT.fullmatch(part)
        if part == "(" and not in_set:
            sizes.append(0)
            continue
        if part == ")" and not in_set and len(sizes) > 1:
            last = sizes.pop()
            sizes[-1] += last
        elif count and part != "{}":
            times = max(int(each or 1) for each in count.groups("1"))
            sizes[-1] += last * (times - 1)
            last *= times
        else:
            last = 1
            sizes[-1] += 1
        if sizes[-1] > MOST_PARTS:
            raise InvalidPattern("its counts multiply to more than any that are meant")


def _hostile_texts(expression: str) -> Iterator[str]:
    """Yield repeated characters and pieces of the expression, each with an end that fits nothing."""
    pieces = [piece for piece in _LITERALS.findall(expression) if not piece.isdigit()]
    units = list(dict.fromkeys([*TRIED_UNITS, *pieces, *filter(str.isalnum, expression)]))[:MOST_UNITS]
    # A search ends early in a text without what the expression needs: it stands behind what does not fit.
    needed = "".join(dict.fromkeys(expression))
    for length in TRIED_LENGTHS:
        for unit in units:
            repeated = (unit * length)[:length]
            for end in (*ENDS, f"!{needed}"):
                yield repeated + end
