"""A name that an archive answers may lack letters which the archive cannot write in its own character set.

Orthanc drops what does not fit Latin 1, unless its DefaultEncoding says otherwise; others write `?` for it.
Such a name differs from the scheduled one, and is no evidence that the images are another person's.
"""

from __future__ import annotations

REPERTOIRES = ("latin-1", "ascii")
LOSSES = ("ignore", "replace")  # of Python's codecs: dropped, or `?` in its place


def may_have_lost(name: str, answered: str) -> bool:
    """Tell whether the answer is the name without letters that a small character set does not hold.

    Both are PNs. A name that was answered whole has lost nothing.
    """
    return name != answered and any(
        name.encode(codec, loss).decode(codec) == answered for codec in REPERTOIRES for loss in LOSSES
    )
