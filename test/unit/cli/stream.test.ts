import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { EXIT, OutputClosed, reportError } from '../../../src/cli/errors';
import type { Io } from '../../../src/cli/io';
import { Output } from '../../../src/cli/output';
import { streamLines } from '../../../src/cli/stream';
import { EncoderError } from '../../../src/errors';

/** Keeps what is written; `delayMs` makes it a reader that cannot keep up. */
class Sink extends Writable {
  text = '';
  readonly #delayMs: number;

  constructor(delayMs = 0) {
    super({ highWaterMark: 1024 });
    this.#delayMs = delayMs;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.text += chunk.toString('utf8');
    if (this.#delayMs === 0) done();
    else void setTimeout(this.#delayMs).then(() => done());
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

function ioWith(stdin: Readable, stdout: Writable, signal = new AbortController().signal): Io {
  return { stdin, stdout, stderr: new Sink(), signal };
}

const echo = (values: readonly number[]): Promise<string[]> => Promise.resolve(values.map((value) => `${value}`));

async function runStream(io: Io, work: (values: readonly number[]) => Promise<readonly string[]>): Promise<void> {
  const output = Output.open(undefined, io.stdout);
  await streamLines({ input: '-', output, parse: (line) => Number(line), work, unit: 'texts' }, io);
}

describe('streamLines', () => {
  test('10,000 lines come out in order, whatever the time each batch takes', async () => {
    const numbers = Array.from({ length: 10_000 }, (_, index) => index);
    const sink = new Sink();
    const work = async (values: readonly number[]): Promise<string[]> => {
      await setTimeout(Math.random() * 3);
      return echo(values);
    };
    const chunks = Array.from({ length: 400 }, (_, index) => numbers.slice(index * 25, index * 25 + 25));
    const stdin = Readable.from(chunks.map((chunk) => Buffer.from(chunk.map((n) => `${n}\n`).join(''))));
    await runStream(ioWith(stdin, sink), work);
    expect(sink.lines).toEqual(numbers.map(String));
  });

  test('a slow reader slows the reading down', async () => {
    let sent = 0;
    const stdin = new Readable({
      read() {
        sent += 1;
        this.push(sent > 2000 ? null : Buffer.from(`${sent}\n`.repeat(500)));
      },
    });
    const controller = new AbortController();
    const run = runStream(ioWith(stdin, new Sink(20), controller.signal), echo).catch(() => undefined);
    await setTimeout(200);
    expect(sent).toBeLessThan(200);
    controller.abort('SIGINT');
    await run;
  });

  test('a refused line is named, and the lines before it are answered', async () => {
    const sink = new Sink();
    const work = (values: readonly number[]): Promise<string[]> => {
      if (values.includes(7)) throw new EncoderError('input_invalid', 'text 0 holds [SEP]');
      return echo(values);
    };
    const lines = Array.from({ length: 20 }, (_, index) => `${index + 1}\n`).join('');
    await expect(
      runStream(ioWith(Readable.from([Buffer.from(lines)]), sink), async (v) => work(v)),
    ).rejects.toMatchObject({
      code: 'input_invalid',
      message: 'line 7 of the standard input: text 0 holds [SEP]',
    });
    expect(sink.lines).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  test('an error that is not about the input is not tried again', async () => {
    let calls = 0;
    const work = (): Promise<string[]> => {
      calls += 1;
      return Promise.reject(new EncoderError('out_of_memory', 'no memory'));
    };
    const io = ioWith(Readable.from([Buffer.from('1\n2\n')]), new Sink());
    await expect(runStream(io, work)).rejects.toMatchObject({ code: 'out_of_memory' });
    expect(calls).toBe(1);
  });

  test('a signal ends a run that waits for input', async () => {
    const controller = new AbortController();
    const io = ioWith(new PassThrough(), new Sink(), controller.signal);
    const error = runStream(io, echo).catch((reason: unknown) => reason);
    controller.abort('SIGINT');
    expect(reportError(await error, io.stderr, io.signal)).toBe(EXIT.interrupted);
  });

  test('a conversation gets each answer before it sends the next line', async () => {
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const run = runStream(ioWith(stdin, stdout), echo);
    for (const question of ['1', '2', '3']) {
      const answer = new Promise<string>((resolve) => stdout.once('data', (chunk: Buffer) => resolve(String(chunk))));
      stdin.write(`${question}\n`);
      expect(await answer).toBe(`${question}\n`);
    }
    stdin.end();
    await run;
  });
});

describe('Output', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ggml-encoder-output-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test('a reader that went away is the end and no error', async () => {
    const gone = new Writable({
      write: (_, __, done) => {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const output = Output.open(undefined, gone);
    const error = await (async () => {
      for (;;) await output.lines(['x'.repeat(20_000)]);
    })().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OutputClosed);
    const stderr = new Sink();
    expect(reportError(error, stderr, new AbortController().signal)).toBe(EXIT.ok);
    expect(stderr.text).toBe('');
  });

  test('a file that cannot be written is io_failed with its name', async () => {
    const path = join(folder, 'no', 'such', 'folder.jsonl');
    const output = Output.open(path, process.stdout);
    await expect(
      (async () => {
        await output.lines(['x']);
        await output.close();
      })(),
    ).rejects.toMatchObject({ code: 'io_failed', message: expect.stringContaining(path) as string });
  });

  test('an input that is not there is io_failed with its name', async () => {
    const io = ioWith(Readable.from([]), new Sink());
    const path = join(folder, 'missing.jsonl');
    const output = Output.open(undefined, io.stdout);
    await expect(
      streamLines({ input: path, output, parse: String, work: async (v) => v, unit: 'texts' }, io),
    ).rejects.toMatchObject({ code: 'io_failed', message: expect.stringContaining(path) as string });
  });

  test('a file is read to its last line, with or without a newline', async () => {
    const path = join(folder, 'lines.jsonl');
    writeFileSync(path, '1\n2\n3');
    const sink = new Sink();
    const io = ioWith(Readable.from([]), sink);
    const output = Output.open(undefined, sink);
    await streamLines({ input: path, output, parse: Number, work: echo, unit: 'texts' }, io);
    expect(sink.lines).toEqual(['1', '2', '3']);
  });
});

describe('reportError', () => {
  const { signal } = new AbortController();

  test.each<[unknown, number, string]>([
    [
      new EncoderError('gguf_malformed', 'bad\n  file \u001b[31m'),
      1,
      'ggml-encoder: error [gguf_malformed]: bad file \\u001b[31m\n',
    ],
    [
      Object.assign(new RangeError('options.topK: no'), { code: 'ERR_OUT_OF_RANGE' }),
      2,
      'ggml-encoder: error [usage]: --top-k: no\n',
    ],
    [
      Object.assign(new TypeError('options.windows.maxWindows: no'), { code: 'ERR_INVALID_ARG_TYPE' }),
      2,
      'ggml-encoder: error [usage]: --max-windows: no\n',
    ],
    [
      Object.assign(new RangeError('options.hypothesisTemplate: no'), { code: 'ERR_OUT_OF_RANGE' }),
      2,
      'ggml-encoder: error [usage]: --template: no\n',
    ],
    [
      new TypeError('x is not a function'),
      1,
      'ggml-encoder: error [internal]: x is not a function; please report this\n',
    ],
  ])('%s', (error, exitCode, line) => {
    const stderr = new Sink();
    expect(reportError(error, stderr, signal)).toBe(exitCode);
    expect(stderr.text).toBe(line);
  });

  test('signals have exit codes of their own', () => {
    expect(reportError(new Error('x'), new Sink(), AbortSignal.abort('SIGTERM'))).toBe(143);
    expect(reportError(new Error('x'), new Sink(), AbortSignal.abort('SIGINT'))).toBe(130);
  });
});
