"""One process has all items of a database as a file, and says in JSON what that took.

It is run as a file in the folder of a build, this one or an earlier one. It has them by the CSV of
GET /worklist, which all builds have, a page of the greatest size after the other; or by the command `export`.

    python -P benchmarks/exporting.py pages FILE.csv
    python -P benchmarks/exporting.py command FILE.parquet [OPTION…]
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

PERSON = "benchmark"  # whom `benchmarks/pages.py` makes
PAGE = 1000  # items, as many as may be asked for at once
STATUSES = ("SCHEDULED", "IN_PROGRESS", "COMPLETED", "DISCONTINUED", "CANCELLED")


def main() -> None:
    way, path, *options = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pylantir_site.settings")
    import django

    django.setup()
    before = _largest()
    at, processor = time.perf_counter(), time.process_time()
    number = by_pages(Path(path)) if way == "pages" else by_command(path, options)
    taken = {
        "seconds": time.perf_counter() - at,
        "processor": time.process_time() - processor,
        "more": _largest() - before,
        "mebibytes": _largest(),
        "items": number,
        "bytes": Path(path).stat().st_size,
    }
    print(json.dumps(taken))


def by_pages(path: Path) -> int:
    """Write one page after the other as it is answered, and return how many items they have."""
    from rest_framework.test import APIClient

    from accounts.models import User

    client: Any = APIClient(HTTP_ACCEPT="text/csv", SERVER_NAME="localhost")
    client.force_authenticate(User.objects.get(username=PERSON))
    number, total = 0, 1
    with path.open("wb") as file:
        while number < total:
            asked = {"limit": PAGE, "offset": number, "status": STATUSES}
            response = client.get("/worklist", asked)
            if response.status_code != 200:
                sys.exit(f"GET /worklist is answered {response.status_code}.")
            file.write(response.content)
            number, total = number + PAGE, int(response["X-Total-Count"])
    return total


def by_command(path: str, options: Sequence[str]) -> int:
    from django.core.management import call_command

    said = StringIO()
    call_command("export", "items", path, *options, stdout=said)
    return int(said.getvalue().split()[-2])


def _largest() -> float:
    """Return the largest size of this process so far in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
