"""A file that cannot be read is told by these."""

from __future__ import annotations

from sources.errors import ConfigurationError


class Malformed(ValueError):
    """Something in a file is not as a table has it; the text names row and column, and says what to do."""


class TableError(ConfigurationError):
    """A file cannot be read as a table: the text names file, row and column, and says what to do."""
