"""The site has its settings here, what all apps stand on, and what looks over all of them.

settings   Django's settings
urls       all routes
routers    where accounts are kept
cors       which pages of other hosts may ask the API
retention  what is deleted after a time
view_only  pages of the admin that nobody edits
"""

# The only place: command line, admin, API schema and DICOM associations take the number from here.
__version__ = "0.9.0"
