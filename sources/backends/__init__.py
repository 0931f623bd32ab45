"""Each kind of source that ships has a module here; `sources.kinds` is their registry."""

from sources.kinds import kinds

__all__ = ["kinds"]  # landed migrations name it here
