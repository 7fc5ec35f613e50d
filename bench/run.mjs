#!/usr/bin/env node
// Measures this package and its peers in turns, on the same texts with the same threads. bench/README.md explains.
import { existsSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { checkLogits } from './gate.mjs';
import { readOptions } from './options.mjs';
import { printTables } from './report.mjs';
import { SYSTEMS } from './systems.mjs';
import { Contender, attempt, loadInTurns, takeTurns } from './turns.mjs';
import { startBusyLoops } from './worker-process.mjs';
import { METRICS, WORKLOADS, readTexts } from './workloads.mjs';

const models = fileURLToPath(new URL('models/', import.meta.url));
const OURS = SYSTEMS[0];
/** Loads are long and hardly vary. */
const LOAD_ROUNDS = 3;

try {
  const options = readOptions(process.argv.slice(2));
  if (options !== undefined) await main(options);
} catch (error) {
  // The caller's mistakes need no stack.
  const told = error instanceof RangeError || String(error.code).startsWith('ERR_PARSE_ARGS');
  console.error(`bench: ${told ? error.message : error.stack}`);
  process.exitCode = 1;
}
// Workers that are still there, stopped ones included, end with this process.
process.exit();

/** @param {import('./options.mjs').Options} options */
async function main(options) {
  const chosen = presentSystems(options);
  const texts = readTexts(options.part);
  describeMachine(options);
  startBusyLoops(options.busy);
  const rows = [];
  // Written after every workload: a run of hours that ends early leaves what it has.
  const record = (added) => {
    rows.push(...added);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 1)}\n`);
  };
  for (const model of options.models) {
    const folder = path.join(models, model);
    if (!existsSync(path.join(folder, 'model.safetensors'))) {
      throw new Error(`bench/models/${model} is missing: make it with bench/make-models.py ${model}`);
    }
    for (const threads of options.threads) {
      await measureModel({ model, folder, threads, chosen, texts, options, record });
    }
  }
}

/** The types that a system is measured in. */
function typesOf(system, { types, device }) {
  const able = device === 'cpu' ? system.types : system.deviceTypes;
  return able.filter((type) => types.includes(type));
}

function describeMachine({ part, batch, busy, device }) {
  const [load] = loadavg();
  console.log(`${new Date().toISOString()}, ${cpus().length} x ${cpus()[0].model}, Node ${process.version}`);
  if (device !== 'cpu') console.log(`DEVICE ${device}: of the peers PyTorch alone runs there`);
  if (batch !== 32) console.log(`BATCH: peers that pad take ${batch} texts at a time`);
  if (part > 1) console.log(`PART: one ${part}th of the texts of mixed, rank and long`);
  if (busy > 0) console.log(`BUSY: ${busy} endless loops beside it`);
  if (load > 0.5)
    console.log(`NOT ALONE: the load was ${load.toFixed(1)} before the start; medians and p99 suffer, the best less`);
}

function presentSystems(options) {
  return SYSTEMS.filter((system) => {
    if (!options.systems.includes(system.name) || typesOf(system, options).length === 0) return false;
    const missing = system.missing();
    if (missing !== '') console.log(`MISSING ${system.name}: ${missing}`);
    return missing === '';
  });
}

async function measureModel({ model, folder, threads, chosen, texts, options, record }) {
  const wanted = (kind) => options.workloads.filter((workload) => WORKLOADS[workload].kind === kind);
  const show = (workload, added) => {
    printTables(workload, added);
    record(added);
  };
  console.log(`\n${model}, threads ${threads}`);
  // The files that we and node-llama-cpp load are made here, so they are never older than the converter.
  const conversions = await convertAll({ model, folder, threads, chosen, options });
  if (wanted('convert').length > 0) show('convert', conversions);

  const makers = chosen.flatMap((system) =>
    typesOf(system, options).map((type) => () => {
      const { batch, device } = options;
      return new Contender(system, { type, model, folder, threads, batch, device });
    }),
  );
  if (wanted('timed').length > 0) {
    const contenders = await startAll(makers);
    const gate = await checkLogits(contenders, texts);
    record(gate.rows);
    if (gate.wrong) process.exitCode = 1;
    for (const workload of wanted('timed')) show(workload, await takeTurns(workload, contenders, texts, options));
    await Promise.all(contenders.map((contender) => contender.end()));
  }
  if (wanted('load').length > 0) show('load', await loadInTurns(makers, texts, Math.min(LOAD_ROUNDS, options.rounds)));
}

async function startAll(makers) {
  const contenders = [];
  for (const make of makers) {
    const contender = make();
    if ((await attempt(contender, () => contender.load())) === undefined) continue;
    const { name, version, system } = contender;
    console.log(`  ${name.padEnd(24)} ${version}${system.note === '' ? '' : `; ${system.note}`}`);
    contenders.push(contender);
  }
  return contenders;
}

/** Every type that any chosen system reads from GGUF; the first conversion of a file warms the disk's cache. */
async function convertAll({ model, folder, threads, chosen, options }) {
  const fromGguf = chosen.filter((system) => system.name === OURS.name || system.name === 'node-llama-cpp');
  const types = fromGguf.length > 0 ? typesOf(OURS, options) : [];
  const rounds = options.workloads.includes('convert') ? options.rounds + 1 : 1;
  const rows = [];
  for (const type of types) {
    const contender = new Contender(OURS, { type, model, folder, threads, device: options.device });
    const output = path.join(folder, `${type}.gguf`);
    const rates = [];
    for (let round = 0; round < rounds; round += 1) {
      const { ms, megabytes } = await contender.turn({ op: 'convert', folder, type, output });
      if (round > 0) rates.push((megabytes * 1000) / ms);
    }
    await contender.end();
    const { metric, unit } = METRICS.conversion;
    if (rates.length > 0) rows.push(contender.row('convert', metric, unit, rates));
  }
  return rows;
}
