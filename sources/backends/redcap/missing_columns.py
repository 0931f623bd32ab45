"""A column that REDCap does not send is named with who reads it, and with what to do about it."""

from __future__ import annotations

from sources.dictionary import Dictionary
from sources.mapping import columns, readers
from sources.mapping.rules import MappingPlan
from sources.redcap.batches import ColumnsMissing
from sources.rows import GROUP

NAMED = 3


def explained(error: ColumnsMissing, plan: MappingPlan, dictionary: Dictionary) -> ColumnsMissing:
    """Return the error in words for whoever minds the source. Until it is mended nothing is taken in."""
    told = [_told(name, error, plan, dictionary) for name in error.names[:NAMED]]
    if len(error.names) > NAMED:
        told.append(f"So are {len(error.names) - NAMED} more: {', '.join(error.names[NAMED:])}.")
    return ColumnsMissing(" ".join(told), error.names, refused=error.refused)


def _told(name: str, error: ColumnsMissing, plan: MappingPlan, dictionary: Dictionary) -> str:
    by = " and ".join(readers.who_reads(name, plan, dictionary))
    read = f"{name}, read by {by}," if by else name
    return f"{read} is missing from REDCap's answer: {_remedy(name, error, dictionary)}"


def _remedy(name: str, error: ColumnsMissing, dictionary: Dictionary) -> str:
    if name == GROUP and error.refused:
        return "give the token's user the right Data Access Groups, or let nothing read the column."
    if name == GROUP:
        return (
            "the token's user belongs to a group, or the project has none. "
            "Take the user out of its group, or let nothing read the column."
        )
    if name in columns.OF_EVERY_ROW:
        return "the project has no events or repeats any more. Look at how the source finds its sessions."
    form = columns.form_of(name, dictionary)
    where = f" for the instrument {form}" if form else ""
    return f"the token's user may not export it. Give it the export right Full Data Set{where}."
