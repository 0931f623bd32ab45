"""It says where an archive's DICOMweb service is, and who asks it, as `sources.http` takes it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pylantir_site.outside.strict_json import Most


@dataclass(frozen=True)
class DicomwebAccess:
    """Times are in seconds, and requests are counted in any minute; user or token is given, or neither."""

    url: str  # before /studies
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)  # a bearer's
    ca_bundle: str = ""
    read_timeout: float = 30
    connect_timeout: float = 10
    requests_per_minute: int = 120
    attempts: int = 1  # whoever asks comes back
    pause: float = 1.0
    most_megabytes: int = 64
    most: Most = field(default_factory=Most)
