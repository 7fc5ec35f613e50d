/** The command line of the benchmark. */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

import { SYSTEMS } from './systems.mjs';
import { MODELS, WORKLOADS } from './workloads.mjs';

const TYPES = [...new Set(SYSTEMS.flatMap((system) => [...system.types, ...system.deviceTypes]))];
const USUAL_WORKLOADS = Object.keys(WORKLOADS).filter((name) => !WORKLOADS[name].onRequest);

const HELP = `Usage: npm run bench -- [options]

Measures ggml-encoder and its peers in turns on the same texts. Lists are separated by commas.

  --workload <list>  ${Object.keys(WORKLOADS).join(', ')} (default: all but instructed)
  --model <list>     ${MODELS.join(', ')} (default: all), or another folder of bench/models
  --system <list>    ${SYSTEMS.map((system) => system.name).join(', ')} (default: all)
  --type <list>      ${TYPES.join(', ')} (default: all)
  --device <name>    as \`ggml-encoder devices\` has it (default: cpu); on another ggml-encoder and PyTorch alone are measured
  --threads <list>   threads of every system (default: ${availableParallelism()}, the processors of this machine)
  --rounds <n>       times each system takes its turn (default: 5)
  --batch <n>        texts to a padded batch of the peers that pad (default: 32, sentence-transformers' own)
  --part <n>         one n-th of the texts (default: 1, all of them); fewer texts mean more padding for the peers
  --quick            the same as --rounds 2 --part 8: does it work, not how fast is it
  --busy <n>         runs so many endless loops beside it: what is left on a busy machine (default: 0)
  --json <file>      writes the rows as JSON too
  --help

BENCH_PYTHON names the Python of the peers that need one (default: python3). bench/README.md says how to set up.
`;

/**
 * @typedef {object} Options
 * @property {string[]} workloads
 * @property {string[]} models
 * @property {string[]} systems
 * @property {string[]} types
 * @property {string} device
 * @property {number[]} threads
 * @property {number} rounds
 * @property {number} busy
 * @property {number} batch
 * @property {number} part one n-th of the texts
 * @property {string | undefined} json
 */

/**
 * @param {string[]} args
 * @returns {Options | undefined} undefined when only help was wanted
 */
export function readOptions(args) {
  const text = /** @type {const} */ ({ type: 'string' });
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  const { values } = parseArgs({
    args,
    options: {
      workload: text,
      model: text,
      system: text,
      type: text,
      device: text,
      threads: text,
      rounds: text,
      batch: text,
      part: text,
      busy: text,
      quick: flag,
      json: text,
      help: flag,
    },
  });
  if (values.help) {
    console.log(HELP);
    return undefined;
  }
  return {
    workloads: choose('--workload', values.workload, USUAL_WORKLOADS, Object.keys(WORKLOADS)),
    models: choose('--model', values.model, MODELS, [...MODELS, ...madeModels()]),
    systems: choose(
      '--system',
      values.system,
      SYSTEMS.map((system) => system.name),
    ),
    types: choose('--type', values.type, TYPES),
    device: values.device ?? 'cpu',
    threads: (values.threads ?? String(availableParallelism())).split(',').map((word) => positive('--threads', word)),
    rounds: values.rounds === undefined ? (values.quick ? 2 : 5) : positive('--rounds', values.rounds),
    batch: values.batch === undefined ? 32 : positive('--batch', values.batch),
    part: values.part === undefined ? (values.quick ? 8 : 1) : positive('--part', values.part),
    busy: values.busy === undefined ? 0 : positive('--busy', values.busy),
    json: values.json,
  };
}

function madeModels() {
  try {
    return readdirSync(new URL('models/', import.meta.url));
  } catch {
    return []; // none is made yet, which run.mjs says better
  }
}

function choose(option, list, all, known = all) {
  if (list === undefined) return [...all];
  return list.split(',').map((word) => {
    if (!known.includes(word))
      throw new RangeError(`${option}: expected some of ${known.join(', ')}, received ${word}`);
    return word;
  });
}

function positive(option, word) {
  const number = Number(word);
  if (!Number.isInteger(number) || number < 1) throw new RangeError(`${option}: expected 1 or more, received ${word}`);
  return number;
}
