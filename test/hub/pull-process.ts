import { parseHubReference } from '../../src/checkpoint/hub-reference.js';
import { pullModel } from '../../src/hub/pull.js';
import { HASTE } from './haste.js';

/** A pull in a process of its own: says how many bytes are there, and at the end how many it received. */
const { receivedBytes } = await pullModel(parseHubReference(process.argv[2])!, {
  patience: HASTE,
  onProgress: (done) => process.stdout.write(`${done}\n`),
});
process.stdout.write(`received ${receivedBytes}\n`);
