"""This backend reads a REDCap project as a source.

backend          what the engine asks of a project, answered by REDCap's API
connection       what Test connection tells of a project
writer           outcomes written into the project
links            the way to a record's form in REDCap
missing_columns  a column that REDCap does not send, named with who reads it
"""

from sources.backends.redcap.backend import open_backend

__all__ = ["open_backend"]
