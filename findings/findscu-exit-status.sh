#!/usr/bin/env bash
set -euo pipefail

cat <<'TEXT'
Packages  DCMTK 3.6.7 (Debian's dcmtk), asking a worklist server made with pynetdicom 3.0.4
Done      findscu -W asks the same query three times.
          The server answers Success without a match, then Refused: Out of Resources (A700),
          then Failed: Unable to Process (C001).
Expected  A query that failed ends with an exit status other than 0, or says so on stderr.
Seen      The exit status is 0 and nothing is printed, as for an empty worklist.
          Only the final status that -v shows tells them apart, so a script has to read that.

TEXT

dcmtk=$(dpkg-query --showformat='${Version}' --show dcmtk) || { echo "dcmtk is not installed."; exit 2; }
[[ $dcmtk == 3.6.7-* ]] || { echo "This is about DCMTK 3.6.7; installed is $dcmtk."; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pynetdicom==3.0.4 pydicom==3.0.2

cat >"$work/recorded" <<'RECORDED'
0000: exit status 0, prints nothing, with -v: Received Final Find Response (Success)
A700: exit status 0, prints nothing, with -v: Received Final Find Response (Refused: OutOfResources)
C001: exit status 0, prints nothing, with -v: Received Final Find Response (Failed: UnableToProcess)
RECORDED

cat >"$work/ask.py" <<'PYTHON'
from __future__ import annotations

import subprocess
from collections.abc import Iterator

from pynetdicom import AE, evt
from pynetdicom.sop_class import ModalityWorklistInformationFind

status = 0x0000


def find(event: evt.Event) -> Iterator[tuple[int, None]]:
    yield status, None


def ask(port: int, *options: str) -> subprocess.CompletedProcess[str]:
    query = ["findscu", "-W", *options, "-k", "PatientID", "-aec", "WORKLIST", "127.0.0.1", str(port)]
    return subprocess.run(query, capture_output=True, text=True, timeout=60)


ae = AE("WORKLIST")
ae.add_supported_context(ModalityWorklistInformationFind)
server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, find)])
port = server.socket.getsockname()[1]
for status in (0x0000, 0xA700, 0xC001):
    quiet, verbose = ask(port), ask(port, "-v")
    printed = repr(quiet.stdout + quiet.stderr) if quiet.stdout + quiet.stderr else "nothing"
    lines = (verbose.stdout + verbose.stderr).splitlines()
    final = " ".join(line.removeprefix("I: ") for line in lines if "Final Find Response" in line)
    print(f"{status:04X}: exit status {quiet.returncode}, prints {printed}, with -v: {final}")
server.shutdown()
PYTHON

"$work/venv/bin/python" "$work/ask.py" >"$work/seen"
cat "$work/seen"
diff "$work/recorded" "$work/seen" || { echo "The behaviour is no longer the one recorded."; exit 1; }
