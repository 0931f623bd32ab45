"""Archives in the Django admin.

archives  the list, each archive's page, and its test
forms     an archive's form, by its kind
"""

from __future__ import annotations

from archives.admin.archives import ArchiveAdmin

__all__ = ["ArchiveAdmin"]
