"""People set sources up in the admin, and watch them.

data_sources  a source: its list and its page
kept_token    a token or password typed on a form that was refused
source_forms  what a person enters of a source, with the fields of its kind
kinds         what is one kind's own: its form, buttons and words
mapping       its mapping as rows, refused where it does not fit the project
project_search  fields and instruments found while a person types
looked        when a person last tested, previewed and compared a source
stepper       its set-up in six steps, each done, next or waiting
progress      how far its pull is, fetched while it runs
runs_chart    its pulls of 14 days as bars and a table
row_samples   a value of the first records beside each row of the mapping
buttons       what the buttons of a source's page do
identifying   the yes to identifying fields
pages         preview and comparison: participants' data for the screen alone
choose_filing  rows by which an archive files what arrives, added to the mapping
filing        where an archive would file it, for the screen alone
filing_words  what these two pages say
deleting      what becomes of a source's items when it is deleted
source_history  who changed a source or a row of its mapping
suggestion    a first mapping from the project's dictionary, with candidates to choose from
sampling      values of the first records beside them, for the screen alone
runs          what each pull did
issues        what is to be mended at the source
written_rows  what is written back, as rows beside the mapping
writing       what would be written, looked at, and what is due, asked for anew
outcome_writes  which outcomes are written back, and what a person decides
synced_steps  items that a person deleted here, and fields that follow their source again
item_panel    what an item's page says of its source
item_marks    what was edited here, in the list of items, and pulls in an item's timeline
still_says    what the source of an item that was moved goes on saying
missing_panel  what sources have of a participant who is missing
overview      what the index says of all sources
badges        how sources and pulls fare, in colour
links         the way to what a person mends at the source
readable      names as people read them
view_only     pages that nobody edits
originals     what came from the original
original_upload  a page that takes the original's files, and shows first what they would do
background    the queue's own pages, which are not shown
"""

from __future__ import annotations

from importlib import import_module

for name in (
    "data_sources",
    "runs",
    "issues",
    "synced_steps",
    "outcome_writes",
    "item_panel",
    "item_marks",
    "still_says",
    "missing_panel",
    "overview",
    "originals",
    "background",
):
    import_module(f"sources.admin.{name}")
