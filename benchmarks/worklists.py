"""One process asks for its worklist by HTTP, and says in JSON what each request took.

It is run as a file in the folder of a build, this one or an earlier one, whose database
`benchmarks/pages.py` has filled. It reads from its input what to ask for how often.

    python -P benchmarks/worklists.py
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time as clock
from typing import Any

PERSON = "benchmark"
DICOMWEB, NEW_QUERIES, XML = "DICOMweb", "DICOMweb, each query new", "DICOMweb, XML in parts"
REST = "GET /worklist, DICOM JSON"
SCHEDULED = "/dicomweb/modality-scheduled-procedure-steps?includefield=all"
JSON, XML_PARTS = "application/dicom+json", 'multipart/related; type="application/dicom+xml"'
# What is asked for, the media type, and whether a key that finds everybody makes each query another one.
WAYS = {
    DICOMWEB: (SCHEDULED, JSON, False),
    NEW_QUERIES: (SCHEDULED, JSON, True),
    XML: (SCHEDULED, XML_PARTS, False),
    REST: ("/worklist?limit=1000", JSON, False),
}

_numbers = itertools.count(1)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    import django

    django.setup()
    from django.test import Client

    from accounts.models import User
    from accounts.tokens import access_token

    token = access_token(User.objects.get(username=PERSON))
    client = Client(headers={"Authorization": f"Bearer {token}"}, SERVER_NAME="localhost")
    for line in sys.stdin:
        way, times = json.loads(line)
        print(json.dumps([_asked(client, way) for _ in range(times)]), flush=True)


def _asked(client: Any, way: str) -> dict[str, float]:
    """Return the milliseconds that a request took, and how many items were answered."""
    url, accepted, is_new = WAYS[way]
    if is_new:
        url += _new()
    begun = clock.perf_counter()
    response = client.get(url, headers={"Accept": accepted})
    taken = 1000 * (clock.perf_counter() - begun)
    if response.status_code != 200:
        sys.exit(f"{way}: {response.status_code}")
    return {"milliseconds": taken, "items": _items(response, accepted)}


def _new() -> str:
    """Return a key that finds everybody and was not asked before."""
    return f"&PatientBirthDate=1{next(_numbers):03}0101-"


def _items(response: Any, accepted: str) -> int:
    if accepted == JSON:
        return len(json.loads(response.content))
    return int(response.content.count(b"</NativeDicomModel>"))


if __name__ == "__main__":
    main()
