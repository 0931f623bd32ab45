#!/usr/bin/env bash
set -euo pipefail

cat <<'TEXT'
Package   fhir.resources 8.3.0
Done      An Observation of a body weight is read from JSON and written as JSON, unchanged, with weights of
          70.10, 1.00 and 70.123456789012345678 kg, and 70.5 kg beside them.
Expected  The same digits: of a decimal FHIR says that its precision, trailing zeros included, is significant
          and to be kept, and the model's field is a Decimal.
Seen      Numbers pass through a float on reading and on writing: 70.10 is 70.1, 1.00 is 1.0, and of 18
          decimals 14 are left. A Decimal that is set in Python loses its zeros, too.

TEXT

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  fhir.resources==8.3.0 fhir-core==1.1.12 pydantic==2.14.4 pydantic-core==2.50.5

cat >"$work/recorded" <<'RECORDED'
70.5: field Decimal('70.5'), written 70.5
70.10: field Decimal('70.1'), written 70.1
1.00: field Decimal('1.0'), written 1.0
70.123456789012345678: field Decimal('70.12345678901235'), written 70.12345678901235
Decimal('70.10') set in Python: written 70.1
RECORDED

cat >"$work/weigh.py" <<'PYTHON'
from __future__ import annotations

import json
from decimal import Decimal

from fhir.resources.observation import Observation

TEXT = (
    '{"resourceType": "Observation", "status": "final", "code": {"text": "Body weight"},'
    ' "valueQuantity": {"value": %s, "unit": "kg"}}'
)


def written(observation: Observation) -> str:
    """Return the number as it stands in the text."""
    return json.loads(observation.model_dump_json(), parse_float=str)["valueQuantity"]["value"]


for weight in ("70.5", "70.10", "1.00", "70.123456789012345678"):
    observation = Observation.model_validate_json(TEXT % weight)
    print(f"{weight}: field {observation.valueQuantity.value!r}, written {written(observation)}")

exact = Decimal("70.10")
observation.valueQuantity.value = exact
print(f"{exact!r} set in Python: written {written(observation)}")
PYTHON

"$work/venv/bin/python" "$work/weigh.py" >"$work/seen"
cat "$work/seen"
diff "$work/recorded" "$work/seen" || { echo "The behaviour is no longer the one recorded."; exit 1; }
