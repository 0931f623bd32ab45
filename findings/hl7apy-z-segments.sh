#!/usr/bin/env bash
set -euo pipefail

cat <<'TEXT'
Package   hl7apy 1.3.5
Done      An order of HL7 2.3.1 (ORM^O01) that ends in a ZDS segment is parsed with parse_message and written
          again with to_er7: IHE Radiology carries the Study Instance UID in ZDS. It is parsed as
          parse_message does by default, and with find_groups=False.
Expected  Written again is what was read, or an error says that there is a segment that is not known.
Seen      By default the segment is gone, without an error or a warning: a message has no Study Instance UID
          any more. With find_groups=False it stays. A segment of the standard (NTE) stays both times.

TEXT

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check hl7apy==1.3.5

cat >"$work/recorded" <<'RECORDED'
by default, ends in ZDS: MSH PID ORC OBR
by default, ends in NTE: MSH PID ORC OBR NTE
find_groups=False, ends in ZDS: MSH PID ORC OBR ZDS
find_groups=False, ends in NTE: MSH PID ORC OBR NTE
RECORDED

cat >"$work/parse.py" <<'PYTHON'
from __future__ import annotations

import warnings

from hl7apy.parser import parse_message

warnings.simplefilter("error")
ORDER = (
    r"MSH|^~\&|RIS|HOSPITAL|WORKLIST|HOSPITAL|20260101120000||ORM^O01|1|P|2.3.1",
    "PID|||P1||DOE^JOHN",
    "ORC|NW|1|1",
    "OBR|1|A1|A1|MR^MR BRAIN",
)
LAST = {"ZDS": "ZDS|2.25.123^100^Application^DICOM", "NTE": "NTE|1||Made up"}

for way, options in (("by default", {}), ("find_groups=False", {"find_groups": False})):
    for name, segment in LAST.items():
        message = parse_message("\r".join((*ORDER, segment)) + "\r", **options)
        written = message.to_er7().split("\r")
        print(f"{way}, ends in {name}:", *(line[:3] for line in written if line))
PYTHON

"$work/venv/bin/python" "$work/parse.py" >"$work/seen"
cat "$work/seen"
diff "$work/recorded" "$work/seen" || { echo "The behaviour is no longer the one recorded."; exit 1; }
