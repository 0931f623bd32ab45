"""The site has its settings here, what all apps stand on, and what looks over all of them.

settings   Django's settings
urls       all routes
routers    where accounts are kept
cors       which pages of other hosts may ask the API
view_only  pages of the admin that nobody edits
"""
