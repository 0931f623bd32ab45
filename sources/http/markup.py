"""Labels and titles are freed of their HTML: REDCap's designers write both."""

from __future__ import annotations

import html
import re

_BREAK = re.compile(
    r"</?(?:address|article|br|dd|div|dl|dt|h[1-6]|hr|li|ol|p|pre|table|td|th|tr|ul)\b[^<>]*>", re.IGNORECASE
)
# A comment without an end hides all that follows, as in browsers: else each beginning looks for one anew.
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|</?[a-z!][^<>]*>", re.IGNORECASE | re.DOTALL)


def plain(text: str) -> str:
    """Return `<p>Male<br>at birth</p>` as `Male at birth`; `<18 or >65` is no tag and stays."""
    return " ".join(html.unescape(_TAG.sub("", _BREAK.sub(" ", text))).split())
