// A user of dcmjs-dimse: `node ask.js echo|find|default|unknown PORT CALLING [early]` prints what it gets as JSON.
//
// `default` is its own worklist query, `unknown` one with a key that no server knows.
// An early one asks for its release behind its request, without waiting for an answer.
const { Client, constants, log, requests } = require('dcmjs-dimse');

const KEYS = { PatientID: '', PatientName: '', StudyInstanceUID: '', ScheduledProcedureStepSequence: [{ Modality: 'MR' }] };
const findWith = (keys) => {
  const request = requests.CFindRequest.createWorklistFindRequest({});
  const dataset = request.getDataset();
  request.setDataset(new dataset.constructor(keys));
  return request;
};
const MAKE = {
  echo: () => new requests.CEchoRequest(),
  find: () => findWith(KEYS),
  default: () => requests.CFindRequest.createWorklistFindRequest({}),
  unknown: () => findWith({ ...KEYS, EthnicGroup: 'X' }),
};

const [what, port, calling, end] = process.argv.slice(2);
const told = { statuses: [], ids: [], errors: [], released: false };
log.setLevel('silent');

const request = MAKE[what]();
request.on('response', (response) => {
  told.statuses.push(response.getStatus());
  if (response.getStatus() === constants.Status.Pending) {
    told.ids.push(response.getDataset().getElement('PatientID'));
  }
});

const client = new Client();
client.addRequest(request);
client.on('associationReleased', () => { told.released = true; });
client.on('associationRejected', () => told.errors.push('rejected'));
client.on('networkError', (error) => told.errors.push(error.message));
client.on('closed', () => console.log(JSON.stringify(told)));
if (end === 'early') {
  client.on('associationAccepted', () => setImmediate(() => {
    request.raiseDoneEvent();
    request.removeAllListeners('done'); // or the last answer would ask for the release again
  }));
}
client.send('127.0.0.1', Number(port), calling, 'MWL_SERVER');
