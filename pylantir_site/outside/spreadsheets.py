"""A text is kept from being run as a formula by a spreadsheet, and is made again what it was.

An apostrophe stands before what a spreadsheet would run (OWASP, CSV injection), and before apostrophes that
stand before that already: so `unguarded` gives back every text.
"""

from __future__ import annotations

import re

# A spreadsheet would run what begins so: =HYPERLINK(…), and what is left of it after a tab or a line's end.
RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_RUN = re.compile(f"[{re.escape(''.join(RUN))}]")
_WITHIN = f"[{re.escape(''.join(RUN[:4]))}{''.join(RUN[7:])}]"
# Where a spreadsheet's separator is another than ours, a cell of its own begins after these within a text.
_SEPARATED = r"(?<=[;\t\r\n])"
_AT_START = rf"\A(?='*[{re.escape(''.join(RUN))}])"
_GUARD = re.compile(rf"{_AT_START}|{_SEPARATED}(?='*{_WITHIN})")
_GUARDED = re.compile(rf"\A'(?='*[{re.escape(''.join(RUN))}])|{_SEPARATED}'(?='*{_WITHIN})")


def may_run(text: str) -> bool:
    """Return whether there is anything in the text that `guarded` could stand before."""
    return _RUN.search(text) is not None


def guarded(text: str) -> str:
    return _GUARD.sub("'", text)


def unguarded(text: str) -> str:
    """Return the text that `guarded` made this of."""
    return _GUARDED.sub("", text) if "'" in text else text
