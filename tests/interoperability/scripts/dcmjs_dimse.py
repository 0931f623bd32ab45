"""dcmjs-dimse asks by its own default query, as its documentation shows it, and reports an examination."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from tests.interoperability.interview import Told, interview
from tests.interoperability.people import DAY, EVERYBODY
from tests.interoperability.server import Product, served
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="dcmjs-dimse",
    origin=Origin.NPM,
    packages=("dcmjs-dimse==0.3.3",),
    part=Part.ASKS,
    works="C-ECHO; all 300 answers to its own default query, each as FF00; names in every script; "
    "a report (MPPS) from its beginning to its end",
    fails="it takes an answer FF01 (a key was given that is not matched) for the last and releases: "
    "of 300 answers some are lost, or it ends in an error, not each time; it declares no character set",
    fault="dcmjs-dimse",
    remedy="we answer FF00 to every key of the dictionary, and read UTF-8 that nobody declared",
)
PROGRAM = """
const { Client, Dataset, constants, log, requests } = require('dcmjs-dimse');
log.setLevel('silent');
const [port, kind, given] = [Number(process.argv[1]), process.argv[2], JSON.parse(process.argv[3])];
const MPPS = constants.SopClass.ModalityPerformedProcedureStep;
const MAKE = {
  echo: () => new requests.CEchoRequest(),
  find: () => requests.CFindRequest.createWorklistFindRequest(given),
  create: () => new requests.NCreateRequest(MPPS, given.uid),
  set: () => new requests.NSetRequest(MPPS, given.uid),
};
const told = { people: [], statuses: [], errors: [] };
const request = MAKE[kind]();
if (given.dataset) request.setDataset(new Dataset(given.dataset));
request.on('response', (response) => {
  told.statuses.push(response.getStatus());
  if (kind !== 'find' || !response.hasDataset()) return;
  const dataset = response.getDataset();
  const [name] = dataset.getElement('PatientName');
  told.people.push([dataset.getElement('PatientID'), Object.values(name).join('=')]);
});
const client = new Client();
client.addRequest(request);
client.on('networkError', (error) => told.errors.push(error.message));
client.on('closed', () => console.log(JSON.stringify(told)));
client.send('127.0.0.1', port, 'MR1', 'MWL_SERVER');
"""
UNMATCHED = {"PatientComments": "none"}
TIMES = 10
STEP = "2.25.77"
BEGUN = {
    "PatientName": "Doe^Number8",
    "PatientID": "N008",
    "PatientBirthDate": "19900101",
    "PatientSex": "F",
    "Modality": "MR",
    "PerformedProcedureStepID": "P1",
    "PerformedStationAETitle": "MR1",
    "PerformedProcedureStepStartDate": DAY,
    "PerformedProcedureStepStartTime": "093000",
    "PerformedProcedureStepStatus": "IN PROGRESS",
    "ScheduledStepAttributesSequence": [{"StudyInstanceUID": "2.25.9", "ScheduledProcedureStepID": "S9"}],
}
ENDED = {
    "PerformedProcedureStepEndDate": DAY,
    "PerformedProcedureStepEndTime": "094500",
    "PerformedProcedureStepStatus": "COMPLETED",
    "PerformedSeriesSequence": [{"SeriesInstanceUID": "2.25.78", "ProtocolName": "Brain"}],
}


def see(work: Workplace) -> Iterator[str]:
    with served(work.folder) as product:
        yield f"C-ECHO: {_asked(work, product, 'echo', {}).statuses}"
        yield from interview(lambda keys: _asked(work, product, "find", keys))
        tries = [_asked(work, product, "find", UNMATCHED) for _ in range(TIMES)]
        whole = [len(each.people) == EVERYBODY and not each.errors for each in tries]
        often = "each time" if all(whole) else "not each time"
        yield f"a key that is not matched: {tries[0].statuses[0]:04X}; all answers and no error {often}"
        for kind, dataset in (("create", BEGUN), ("set", ENDED)):
            told = _asked(work, product, kind, {"uid": STEP, "dataset": dataset})
            item = json.loads(product.manage("query_db", "--patient_id", "N008", "--format", "json"))
            status = item[0]["performed_procedure_step_status"]
            yield f"report, {kind}: {told.statuses} {told.errors}, and the item is {status}"


def _asked(work: Workplace, product: Product, kind: str, given: Mapping[str, object]) -> Told:
    printed = work.lines("node", "-e", PROGRAM, str(product.port), kind, json.dumps(given))
    return Told(**json.loads(printed[-1]))
