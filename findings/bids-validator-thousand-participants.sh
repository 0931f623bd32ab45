#!/usr/bin/env bash
set -euo pipefail

cat <<'TEXT'
Package   bids-validator-deno 3.0.2 (the BIDS Validator of the BIDS Standard)
Done      Three BIDS data sets are validated: 1,000 participants, 1,001 participants, and 1,001 of whom the
          last one's age is "thirty" and sex is "X". Each participant has a folder and a row of
          participants.tsv. Then the last two again with --max-rows -1.
Expected  The first two are valid, and the third is told of its last row.
Seen      By default the first 1,000 rows of a table are read, and checks that need all of them go on as if
          there were no others: a valid data set of 1,001 participants is refused with
          PARTICIPANT_ID_MISMATCH, and what is wrong in row 1,001 is not told. --max-rows -1 mends both.

TEXT

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DENO_DIR="$work/deno" DENO_NO_UPDATE_CHECK=1
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check bids-validator-deno==3.0.2 deno==2.9.8

cat >"$work/recorded" <<'RECORDED'
1000 participants: exit status 0, errors: none
1001 participants: exit status 16, errors: PARTICIPANT_ID_MISMATCH
1001 participants, the last row wrong: exit status 16, errors: PARTICIPANT_ID_MISMATCH
1001 participants, --max-rows -1: exit status 0, errors: none
1001 participants, the last row wrong, --max-rows -1: exit status 16, errors: TSV_VALUE_INCORRECT_TYPE age, TSV_VALUE_INCORRECT_TYPE sex
RECORDED

cat >"$work/validate.py" <<'PYTHON'
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

WORK = Path(sys.argv[1])
DESCRIPTION = {"Name": "Made up", "BIDSVersion": "1.11.0", "DatasetType": "raw"}


def write(name: str, participants: int, last_age: str = "30", last_sex: str = "M") -> Path:
    folder = WORK / name
    folder.mkdir()
    (folder / "dataset_description.json").write_text(json.dumps(DESCRIPTION))
    (folder / "README").write_text("Made-up participants. " * 10)
    rows = [["participant_id", "age", "sex"]]
    for number in range(1, participants + 1):
        subject = f"sub-{number:04}"
        (folder / subject).mkdir()
        (folder / subject / f"{subject}_sessions.tsv").write_text("session_id\nses-1\n")
        rows.append([subject, "30", "M"])
    rows[-1][1:] = [last_age, last_sex]
    (folder / "participants.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    return folder


def validate(what: str, folder: Path, *options: str) -> None:
    command = [WORK / "venv/bin/bids-validator-deno", folder, "--format", "json", "--ignoreWarnings", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    issues = json.loads(ended.stdout)["issues"]["issues"]
    errors = sorted(" ".join(filter(None, (issue["code"], issue.get("subCode")))) for issue in issues)
    told = ", ".join([what, *([" ".join(options)] if options else [])])
    print(f"{told}: exit status {ended.returncode}, errors: {', '.join(errors) or 'none'}")


thousand, more = write("thousand", 1000), write("more", 1001)
wrong = write("wrong", 1001, "thirty", "X")
validate("1000 participants", thousand)
validate("1001 participants", more)
validate("1001 participants, the last row wrong", wrong)
validate("1001 participants", more, "--max-rows", "-1")
validate("1001 participants, the last row wrong", wrong, "--max-rows", "-1")
PYTHON

"$work/venv/bin/python" "$work/validate.py" "$work" >"$work/seen"
cat "$work/seen"
diff "$work/recorded" "$work/seen" || { echo "The behaviour is no longer the one recorded."; exit 1; }
