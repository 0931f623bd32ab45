"""A picture is too old when a template, a style sheet or a script has changed since it was taken."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "images"
TAKEN_FROM = PICTURES / "taken_from.json"
DRAWING = ("*/templates/**/*.html", "*/static/**/*.css", "*/static/**/*.js")


def drawing_files() -> Iterator[Path]:
    for pattern in DRAWING:
        yield from sorted(ROOT.glob(pattern))


def digests() -> dict[str, str]:
    """Return what draws the pages now: each file's path from the root, and the digest of its content."""
    return {
        str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in drawing_files()
    }


def keep() -> None:
    TAKEN_FROM.write_text(json.dumps(digests(), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def changed_since() -> list[str]:
    """Return the files that changed, came or went since the pictures were taken."""
    then = json.loads(TAKEN_FROM.read_text(encoding="utf-8")) if TAKEN_FROM.exists() else {}
    now = digests()
    return sorted(path for path in then.keys() | now.keys() if then.get(path) != now.get(path))
