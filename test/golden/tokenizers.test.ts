/**
 * Every tokenizer pipeline that users have (BPE, Unigram, WordPiece and what surrounds them) against the ids of Hugging
 * Face's tokenizers: hard strings, the tokenizer's own added tokens, pairs, and all code points of the planes with
 * characters. scripts/make-pipeline-fixtures.py made both files; scripts/check-tokenizers.py shows what differs.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { PACKAGE_ROOT } from '../support/cli-process';

interface Packed {
  /** By kind. */
  readonly strings: Readonly<Record<string, readonly string[]>>;
  /** By tokenizer. */
  readonly added: Readonly<Record<string, readonly string[]>>;
  readonly tokenizers: Readonly<Record<string, unknown>>;
}

/** Digests of a tokenizer's answers. */
interface Golden {
  readonly classes: Readonly<Record<string, string>>;
  readonly added: string;
  readonly pairs: string;
  /** By the first code point of a chunk, in hexadecimal. */
  readonly sweep: Readonly<Record<string, string>>;
}

type Input = readonly [text: string, pair?: string];

const PROGRAM = join(PACKAGE_ROOT, 'build-cmake', 'out', 'enc_tokenize');
const NO_TEXT = 0xffff_ffff;
const SWEEP_CHUNK = 4096;
const SWEEP_TEXT = 64;
const FIRST_SURROGATE = 0xd800;

const packed = JSON.parse(
  brotliDecompressSync(
    readFileSync(join(PACKAGE_ROOT, 'test', 'fixtures', 'tokenizers', 'pipelines.json.br')),
  ).toString('utf8'),
) as Packed;
const golden = JSON.parse(readFileSync(join(__dirname, 'tokenizers.json'), 'utf8')) as Readonly<Record<string, Golden>>;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ggml-encoder-tokenizers-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What enc_tokenize reads for one text or none. */
function framed(text: string | undefined): Buffer {
  const bytes = Buffer.from(text ?? '', 'utf8');
  const size = Buffer.alloc(4);
  size.writeUInt32LE(text === undefined ? NO_TEXT : bytes.length);
  return Buffer.concat([size, bytes]);
}

/** One buffer per input: i32 count, ids, type ids. */
async function tokenize(name: string, inputs: readonly Input[]): Promise<Buffer[]> {
  const path = join(folder, `${name}.json`);
  await writeFile(path, JSON.stringify(packed.tokenizers[name]));
  const output = await new Promise<Buffer>((resolve, reject) => {
    const child = execFile(PROGRAM, [path, 'parse'], { encoding: 'buffer', maxBuffer: 2 ** 28 }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
    child.stdin!.end(Buffer.concat(inputs.flatMap(([text, pair]) => [framed(text), framed(pair)])));
  });
  const answers: Buffer[] = [];
  for (let at = 0; at < output.length;) {
    const end = at + 4 + 8 * output.readInt32LE(at);
    answers.push(output.subarray(at, end));
    at = end;
  }
  return answers;
}

/** The inputs of each digest, in one list. */
function sectionsOf(name: string): { name: string; inputs: Input[]; expected: string }[] {
  const { classes, added, pairs, sweep } = golden[name]!;
  const every = Object.values(packed.strings).flat();
  return [
    ...Object.entries(classes).map(([kind, expected]) => ({
      name: kind,
      inputs: packed.strings[kind]!.map((text): Input => [text]),
      expected,
    })),
    { name: 'added tokens', inputs: packed.added[name]!.map((text): Input => [text]), expected: added },
    { name: 'pairs', inputs: every.map((text, index): Input => [text, every.at(-1 - index)!]), expected: pairs },
    ...Object.entries(sweep).map(([start, expected]) => ({
      name: `code points from ${start}`,
      inputs: sweepTexts(Number.parseInt(start, 16)),
      expected,
    })),
  ];
}

function sweepTexts(start: number): Input[] {
  const end = start < FIRST_SURROGATE ? Math.min(start + SWEEP_CHUNK, FIRST_SURROGATE) : start + SWEEP_CHUNK;
  const texts: Input[] = [];
  for (let begin = start; begin < end; begin += SWEEP_TEXT) {
    const characters = Array.from({ length: SWEEP_TEXT }, (_, index) => String.fromCodePoint(begin + index));
    texts.push([characters.map((c) => `${c} xA${c}b${c}\u0301 `).join('')]);
  }
  return texts;
}

describe('tokenizer pipelines', () => {
  test('there is a golden for each', () => {
    expect(Object.keys(golden)).toEqual(Object.keys(packed.tokenizers));
    expect(Object.keys(golden).length).toBeGreaterThanOrEqual(29);
  });

  test.each(Object.keys(golden))('%s', async (name) => {
    const sections = sectionsOf(name);
    const answers = await tokenize(
      name,
      sections.flatMap(({ inputs }) => inputs),
    );
    const digests: Record<string, string> = {};
    let at = 0;
    for (const section of sections) {
      const sha = createHash('sha256');
      for (const answer of answers.slice(at, at + section.inputs.length)) sha.update(answer);
      at += section.inputs.length;
      digests[section.name] = sha.digest('hex').slice(0, 12);
    }
    expect(at).toBe(answers.length);
    expect(digests).toEqual(Object.fromEntries(sections.map((section) => [section.name, section.expected])));
  });
});
