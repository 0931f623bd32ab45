#!/usr/bin/env bash
set -euo pipefail

cat <<'TEXT'
Package   PyCap 2.7.0
Done      Records of a project are exported three times: records=["2"], records=["2", "3"], records=[].
          A server on this computer answers by the rule of REDCap's API: the records that the request
          names, and all of them where it names none.
Expected  An empty list asks for no record: an empty answer, or an error before the request.
Seen      An empty list is left out of the request, so it asks for the whole project.
          A list that a filter left empty therefore exports everybody.

TEXT

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check PyCap==2.7.0

cat >"$work/recorded" <<'RECORDED'
records=['2']: the request names ['2'], the answer holds ['2']
records=['2', '3']: the request names ['2', '3'], the answer holds ['2', '3']
records=[]: the request names [], the answer holds ['1', '2', '3']
RECORDED

cat >"$work/export.py" <<'PYTHON'
from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

from redcap import Project

RECORDS = [{"record_id": number, "study_complete": "2"} for number in ("1", "2", "3")]
METADATA = [{"field_name": "record_id", "form_name": "study", "field_type": "text"}]
named: list[str] = []


class Redcap(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        payload = {key: values[0] for key, values in parse_qs(body).items()}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer(payload)).encode())

    def log_message(self, *args: object) -> None:
        """Keep the output to what is compared."""


def answer(payload: dict[str, str]) -> list[dict[str, str]]:
    if payload["content"] == "metadata":
        return METADATA
    named[:] = [value for key, value in payload.items() if key.startswith("records")]
    return [record for record in RECORDS if not named or record["record_id"] in named]


server = HTTPServer(("127.0.0.1", 0), Redcap)
threading.Thread(target=server.serve_forever, daemon=True).start()
project = Project(f"http://127.0.0.1:{server.server_port}/api/", "0" * 32)
for records in (["2"], ["2", "3"], []):
    exported = [record["record_id"] for record in project.export_records(records=records)]
    print(f"{records=}: the request names {named}, the answer holds {exported}")
server.shutdown()
PYTHON

NO_PROXY=127.0.0.1 "$work/venv/bin/python" "$work/export.py" >"$work/seen"
cat "$work/seen"
diff "$work/recorded" "$work/seen" || { echo "The behaviour is no longer the one recorded."; exit 1; }
