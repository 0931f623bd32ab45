"""This backend reads a CSV file or a workbook as a source.

backend     what the engine asks of a table, answered by its rows
connection  what Test connection tells of a table
exports     our own exports, which come back
rows        the rows of each record, and those that stay out
"""

from sources.backends.table.backend import open_backend

__all__ = ["open_backend"]
