"""People set sources up in the admin, and watch them.

data_sources  a source: its list and its page
kept_token    a token typed on a form that was refused
source_forms  what a person enters of a source; the token goes in and never comes out
mapping       its mapping as rows, refused where it does not fit the project
project_search  fields and instruments found while a person types
buttons       what the buttons of a source's page do
pages         preview and comparison: participants' data for the screen alone
deleting      what becomes of a source's items when it is deleted
source_history  who changed a source or a row of its mapping
suggestion    a first mapping from the project's dictionary, with candidates to choose from
sampling      values of the first records beside them, for the screen alone
runs          what each pull did
issues        what is to be mended at the source
synced_steps  items that a person deleted here, and fields that follow their source again
item_panel    what an item's page says of its source
missing_panel  what sources have of a participant who is missing
overview      what the index says of all sources
badges        how sources and pulls fare, in colour
links         the way into REDCap
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
    "item_panel",
    "missing_panel",
    "overview",
    "originals",
    "background",
):
    import_module(f"sources.admin.{name}")
