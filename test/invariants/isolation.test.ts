// A model in a process of its own: the same answers, and a death of that process that costs the calls in flight alone.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { Classifier, CrossEncoder, defaultModelPath, isEncoderError } from 'ggml-encoder';

const root = path.join(__dirname, '..', '..');
const TEXTS = ['A chess engine', 'Fonts for Bengali', '', '\ud800 \u0000', 'web server '.repeat(400)];
const MANY = Array.from({ length: 20_000 }, (_, index) => `some text of no importance ${index}`);

const open: Classifier[] = [];
async function isolated(): Promise<Classifier> {
  const model = await Classifier.load(undefined, { isolation: 'process', threads: 1 });
  open.push(model);
  return model;
}
afterEach(async () => {
  for (const model of open.splice(0)) await model.dispose();
});

/** Children of this process that run the isolated model. */
function children(parent = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const isChild = status.slice(status.lastIndexOf(')') + 2).split(' ')[1] === String(parent);
        return isChild && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('isolation');
      } catch {
        return false;
      }
    });
}

/** Processor time of a process in hundredths of a second. */
function processorTicks(pid: number): number {
  const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((done) => setTimeout(done, 20));
  expect(condition()).toBe(true);
}

it('gives the bits of the model in this process', async () => {
  const model = await isolated();
  const here = await Classifier.load(undefined, { threads: 1 });
  const options = { logits: true } as const;
  expect(await model.classify(TEXTS, options)).toEqual(await here.classify(TEXTS, options));
  expect(await model.tokenize(TEXTS)).toEqual(await here.tokenize(TEXTS));
  expect(model.info).toEqual(here.info);
  const streamed = [];
  for await (const result of model.classifyStream(TEXTS)) streamed.push(result);
  expect(streamed).toEqual(await here.classify(TEXTS));
  await expect(model.classify('[SEP]', { specialTokens: 'error' })).rejects.toMatchObject({ code: 'input_invalid' });
  await here.dispose();
});

it('rejects what was in flight when its process is killed, and answers again', async () => {
  const model = await isolated();
  const expected = await model.classify(TEXTS);
  for (let round = 0; round < 5; round++) {
    const inFlight = [model.classify(MANY), model.classify(MANY)].map((call) => call.catch((error: unknown) => error));
    await new Promise((done) => setTimeout(done, 20 * round));
    const [child] = children();
    process.kill(child!, round % 2 === 0 ? 'SIGKILL' : 'SIGSEGV');
    for (const error of await Promise.all(inFlight)) expect(isEncoderError(error, 'process_died')).toBe(true);
    expect(await model.classify(TEXTS)).toEqual(expected);
  }
  expect(children()).toHaveLength(1);
});

it('ends a stream at the death of its process', async () => {
  const model = await isolated();
  const stream = model.classifyStream(MANY);
  await stream.next();
  process.kill(children()[0]!, 'SIGKILL');
  await expect(
    (async () => {
      for await (const _ of stream);
    })(),
  ).rejects.toMatchObject({ code: 'process_died' });
});

it('honours aborts, and dispose leaves no process', async () => {
  const model = await isolated();
  const controller = new AbortController();
  const call = model.classify(MANY, { signal: controller.signal });
  setTimeout(() => {
    controller.abort();
  }, 30);
  await expect(call).rejects.toMatchObject({ code: 'aborted' });
  await expect(model.classify(MANY, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
  const [child] = children();
  const idle = processorTicks(child!);
  const last = model.classify(['A chess engine', ...MANY]);
  // A call that has not begun ends with dispose; reading this one alone takes far less than what is waited for.
  await until(() => processorTicks(child!) - idle >= 30);
  await model.dispose();
  const results = await last;
  expect(results).toHaveLength(1 + MANY.length);
  expect(results[0]!.label).toBe('games');
  await expect(model.classify('a')).rejects.toMatchObject({ code: 'model_disposed' });
  await until(() => children().length === 0);
});

it('reports what loading reports', async () => {
  const options = { isolation: 'process' } as const;
  await expect(CrossEncoder.load(path.join(root, 'package.json'), options)).rejects.toMatchObject({
    code: 'gguf_malformed',
  });
  await expect(Classifier.load(defaultModelPath, { ...options, device: 'cuda' })).rejects.toMatchObject({
    code: 'device_unavailable',
  });
  await expect(Classifier.load(defaultModelPath, { isolation: 'thread' as 'process' })).rejects.toThrow(RangeError);
  await until(() => children().length === 0);
});

it('does not keep the process alive, and does not outlive it', async () => {
  const script = `
    const { Classifier } = require(${JSON.stringify(root)});
    Classifier.load(undefined, { isolation: 'process' }).then(async (model) => {
      console.log((await model.classify('A chess engine')).label);
      if (process.argv[1] === 'stay') setInterval(() => undefined, 1000);
    });
  `;
  expect(execFileSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8', timeout: 60_000 })).toBe(
    'games\n',
  );
  const parent = spawn(process.execPath, ['-e', script, 'stay'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((done) => parent.stdout.once('data', done));
  const [child] = children(parent.pid);
  parent.kill('SIGKILL');
  await until(() => {
    try {
      process.kill(child!, 0);
      // A zombie waits only for whoever adopted it.
      return /\) Z /.test(readFileSync(`/proc/${child}/stat`, 'utf8'));
    } catch {
      return true;
    }
  });
});
