"""The site has its settings here, what all apps stand on, and what looks over all of them.

settings   Django's settings
urls       all routes
routers    where accounts are kept
headers    what a browser may do with an answer
cors       which pages of other hosts may ask the API
languages  in which language the admin speaks
keyed_log  the admin's log, by keys and without names
lists      titles of lists and pages of the admin, by what they hold
retention  what is deleted after a time
kept_search  what people search for, kept out of addresses
quick_lists  what keeps lists of many rows quick
lists_as_csv  any list of the admin as a file for spreadsheets
elapsed    how long ago something was, in words
returning  back to the page that a person came from
view_only  pages of the admin that nobody edits
"""

# The only place: command line, admin, API schema and DICOM associations take the number from here.
__version__ = "0.9.0"
