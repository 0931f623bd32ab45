"""pynetdicom2 asks by its service for the worklist, which its own program does not offer."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.interoperability.interview import Keys, Told, interview
from tests.interoperability.server import Product, served
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="pynetdicom2",
    origin=Origin.PYPI,
    packages=("pynetdicom2==0.9.8", "pydicom==3.0.2"),
    part=Part.ASKS,
    works="C-ECHO; all 300 answers, each as FF00; names in every script",
    fails="a name in another script without a character set leaves as `*??*`, "
    "and `?` is a wild card: everybody",
    fault="pydicom, which encodes for it",
    remedy='set `SpecificCharacterSet = "ISO_IR 192"` in the query',
)
PROGRAM = """
import json
import sys
from pydicom import Dataset
from pynetdicom2 import applicationentity, asceprovider, commands, sopclass, uids

keys = json.loads(sys.argv[2])
peer = asceprovider.RemoteAEConfig(aet="MWL_SERVER", address="127.0.0.1", port=int(sys.argv[1]))
if keys is None:
    print(json.dumps(int(commands.verify("MR1", peer))))
    sys.exit()
client = applicationentity.ClientAE("MR1")
client.add_scu(sopclass.modality_work_list_scu)
query, step = Dataset(), Dataset()
query.PatientName = query.PatientID = ""
for keyword, value in keys.items():
    setattr(query, keyword, value)
step.Modality = "MR"
query.ScheduledProcedureStepSequence = [step]
with client.request_association(peer) as association:
    find = association.get_scu(uids.MODALITY_WORK_LIST_INFORMATION_FIND_SOP_CLASS)
    answers = list(find(query, 1))
found = [(answer.PatientID, str(answer.PatientName)) for answer, _ in answers if answer]
print(json.dumps([found, [int(status) for _, status in answers]]))
"""


def see(work: Workplace) -> Iterator[str]:
    with served(work.folder) as product:
        yield f"C-ECHO: {_said(work, product, None):04X}"
        yield from interview(lambda keys: ask(work, product, keys))


def ask(work: Workplace, product: Product, keys: Keys) -> Told:
    done = work.run("python", "-c", PROGRAM, str(product.port), json.dumps(keys))
    last = done.stdout.strip().splitlines()[-1]
    return Told([], errors=[last]) if done.returncode else Told(*json.loads(last))


def _said(work: Workplace, product: Product, keys: Keys | None) -> int:
    status: int = json.loads(work.lines("python", "-c", PROGRAM, str(product.port), json.dumps(keys))[-1])
    return status
