"""Every association that we accept or request says who we are by these (PS3.7 Annex D.3.3.2)."""

from __future__ import annotations

from pynetdicom import AE

from pylantir_site import __version__

CLASS_UID = "2.25.247389152398124365981120984513709832145"
# Sixteen characters at most: with a longer version number the prefix must be shorter.
VERSION_NAME = f"PYLANTIR_{__version__.replace('.', '_')}"


def introduce(entity: AE) -> None:
    """Let the application entity name this implementation instead of the library's own."""
    entity.implementation_class_uid = CLASS_UID
    entity.implementation_version_name = VERSION_NAME
