"""odil asks from the Python of Debian, which its package is made for."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.interoperability.interview import Keys, Told, interview
from tests.interoperability.server import served
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="odil",
    origin=Origin.DEBIAN,
    packages=("python3-odil==0.12.2",),
    part=Part.ASKS,
    works="C-ECHO; all 300 answers; names in every script; a name in UTF-8, declared or not",
    fails="it sends the bytes that it is given and declares nothing by itself",
    fault="whoever writes the query",
    remedy="we read UTF-8 that nobody declared; set `SpecificCharacterSet` all the same",
)
PYTHON = "/usr/bin/python3"
PROGRAM = """
import json
import sys
import odil

port, keys = int(sys.argv[1]), json.loads(sys.argv[2])
worklist = "1.2.840.10008.5.1.4.31"
context = odil.AssociationParameters.PresentationContext
scu, explicit = context.Role.SCU, [odil.origin.ExplicitVRLittleEndian]
association = odil.Association()
association.set_peer_host("127.0.0.1")
association.set_peer_port(port)
parameters = association.update_parameters()
parameters.set_calling_ae_title("MR1").set_called_ae_title("MWL_SERVER")
parameters.set_presentation_contexts(
    [context(odil.origin.Verification, explicit, scu), context(worklist, explicit, scu)]
)
association.associate()
odil.EchoSCU(association).echo()
find = odil.FindSCU(association)
find.set_affected_sop_class(worklist)
query, step = odil.DataSet(), odil.DataSet()
step.add("Modality", ["MR"])
for keyword, value in {"PatientName": "", "PatientID": "", **keys}.items():
    query.add(keyword, [value.encode()] if value else [])
query.add("ScheduledProcedureStepSequence", [step])
found = []
for answer in find.find(query):
    declared = answer.has("SpecificCharacterSet")
    sets = answer.as_string("SpecificCharacterSet") if declared else odil.Value.Strings()
    name = odil.as_utf8(answer.as_string("PatientName")[0], sets, True)
    found.append((answer.as_string("PatientID")[0].decode(), name))
association.release()
print(json.dumps(found))
"""


def see(work: Workplace) -> Iterator[str]:
    with served(work.folder) as product:
        yield from interview(lambda keys: ask(work, product.port, keys))


def ask(work: Workplace, port: int, keys: Keys) -> Told:
    return Told(json.loads(work.lines(PYTHON, "-c", PROGRAM, str(port), json.dumps(keys))[-1]))
