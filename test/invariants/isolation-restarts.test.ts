// How an isolated model starts its process again: a process of the test's own stands in for the one with the model.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { IsolatedModel } from '../../src/native/isolation/isolated-model';
import type { NativeLoadOptions, NativeRunOptions } from '../../src/native/bindings';
import { isEncoderError } from '../../src/errors';

const root = path.join(__dirname, '..', '..');
const OPTIONS = {} as NativeLoadOptions;
const RUN = {} as NativeRunOptions;

/** Notes its number in the file that it is to load and does what the plan says of that start. */
const PROGRAM = `
  const fs = require('node:fs');
  const plan = JSON.parse(fs.readFileSync(process.argv[1] + '.json'));
  process.once('disconnect', () => process.exit(0));
  process.on('message', async ({ kind, id, path }) => {
    if (kind === 'cancel') return;
    if (kind !== 'load') return process.send({ id, result: { pid: process.pid } });
    fs.appendFileSync(path, process.pid + '\\n');
    const { after = 0, dies = false, info = {} } = plan[fs.readFileSync(path, 'utf8').split('\\n').length - 2] ?? {};
    await new Promise((done) => setTimeout(done, after));
    if (dies) process.exit(3);
    process.send({ id, result: { threads: 2, vocabSize: 100, ...info } });
  });
`;

interface Start {
  readonly after?: number;
  readonly dies?: boolean;
  readonly info?: object;
}

let folder: string;
let model: IsolatedModel | undefined;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-restarts-'));
});
afterEach(async () => {
  await model?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** A model whose n-th process goes as `starts[n]` says. */
async function load(starts: readonly Start[]): Promise<IsolatedModel> {
  const program = path.join(folder, 'program.cjs');
  writeFileSync(program, PROGRAM);
  writeFileSync(`${program}.json`, JSON.stringify(starts));
  writeFileSync(path.join(folder, 'started'), '');
  model = await IsolatedModel.load(path.join(folder, 'started'), OPTIONS, program).promise;
  return model;
}

function started(): number[] {
  return readFileSync(path.join(folder, 'started'), 'utf8').split('\n').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await sleep(20);
  expect(condition()).toBe(true);
}

it('a process that dies while it loads is not started again before a call wants it, and then once', async () => {
  const isolated = await load([{}, { after: 1100, dies: true }]);
  await sleep(1100);
  process.kill(started()[0]!, 'SIGKILL');
  await until(() => started().length === 2 && !isAlive(started()[1]!));
  await sleep(500);
  expect(started()).toHaveLength(2);
  const answer = await isolated.run(['a'], null, RUN).promise;
  expect(answer).toEqual({ pid: started()[2] });
  expect(started().filter(isAlive)).toEqual([started()[2]]);
  expect(isolated.pid).toBe(started()[2]);
});

it('a model that takes fewer threads than before is the same one; one of another size is not', async () => {
  const isolated = await load([{}, { info: { threads: 1 } }, { info: { vocabSize: 99 } }]);
  process.kill(isolated.pid!, 'SIGKILL');
  await until(() => isolated.pid === undefined);
  const answer = await isolated.run(['a'], null, RUN).promise;
  expect(answer).toEqual({ pid: started()[1] });
  expect(isolated.info.threads).toBe(2);
  process.kill(isolated.pid!, 'SIGKILL');
  await until(() => isolated.pid === undefined);
  await expect(isolated.run(['a'], null, RUN).promise).rejects.toMatchObject({ code: 'io_failed' });
});

it('an abort does not wait for the process that a call has to start first', async () => {
  const isolated = await load([{}, { after: 3000 }]);
  process.kill(isolated.pid!, 'SIGKILL');
  await until(() => isolated.pid === undefined);
  const since = performance.now();
  const job = isolated.run(['a'], null, RUN);
  await until(() => started().length === 2);
  job.cancel();
  const error: unknown = await job.promise.catch((reason: unknown) => reason);
  expect(isEncoderError(error, 'aborted')).toBe(true);
  expect(performance.now() - since).toBeLessThan(2500);
});

it('a load that is cancelled ends its process', async () => {
  const loading = IsolatedModel.load(path.join(root, 'models', 'default.gguf'), OPTIONS);
  loading.cancel();
  await expect(loading.promise).rejects.toMatchObject({ code: 'process_died' });
});

it('a call that cannot be sent fails, and nobody waits for its answer', () => {
  const script = `
    const { IsolatedModel } = require(${JSON.stringify(path.join(root, 'dist/native/isolation/isolated-model.js'))});
    const { defaultModelPath } = require(${JSON.stringify(root)});
    const { resolveLimits } = require(${JSON.stringify(path.join(root, 'dist/support/limits.js'))});
    const options = { device: 'cpu', threads: 1, kernels: 'auto', limits: resolveLimits(undefined) };
    IsolatedModel.load(defaultModelPath, options)
      .promise.then((model) => model.run([() => 'no text'], null, {}).promise)
      .catch((error) => console.log(error.message));
  `;
  const output = execFileSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8', timeout: 30_000 });
  expect(output).toContain('could not be cloned');
});
