"""Patient IDs are told apart as stored, and found to be alike by their letters and digits."""

from __future__ import annotations

import unicodedata


def alphanumeric(patient_id: str) -> str:
    """Return the ID's letters and digits in one case, at most 64 characters.

    Tools that name files after subjects keep no more of it: BIDS labels are letters and digits, and
    heudiconv makes one subject of `ABC-01_x` and `abc01X`.
    """
    letters = filter(str.isalnum, unicodedata.normalize("NFKC", patient_id))
    return "".join(letters).casefold()[:64]
