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

import { Classifier, convert } from '../../src/index';
import { PACKAGE_ROOT } from '../support/cli-process';
import { type Family, families, writeFamily } from './family-checkpoints';

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

/** Family of families.json, the tokenizer that its checkpoints have, and the class that they name. */
const CHECKPOINTS: readonly (readonly [family: string, tokenizer: string, tokenizerClass: string])[] = [
  ['roberta', 'roberta', 'RobertaTokenizer'],
  ['xlm-roberta', 'xlm-roberta', 'XLMRobertaTokenizer'],
  ['camembert', 'camembert', 'CamembertTokenizer'],
  ['albert', 'albert', 'AlbertTokenizer'],
  ['mpnet', 'mpnet', 'MPNetTokenizer'],
  ['deberta-v3', 'deberta-v2', 'DebertaV2Tokenizer'],
  ['modernbert-mean', 'modernbert', 'PreTrainedTokenizerFast'],
  ['llama', 'llama3', 'PreTrainedTokenizerFast'],
  ['mistral', 'llama2', 'LlamaTokenizer'],
  ['qwen2', 'qwen2', 'Qwen2Tokenizer'],
  ['gemma2', 'gemma', 'GemmaTokenizer'],
  ['gemma', 'gemma', 'GemmaTokenizer'],
  ['gemma3', 'gemma', 'GemmaTokenizer'],
  ['phi3', 'llama2', 'LlamaTokenizer'],
  ['smollm3', 'llama3', 'PreTrainedTokenizerFast'],
  ['gpt2', 'gpt2', 'GPT2Tokenizer'],
];

/** Tokens of the largest vocabulary here. */
const MOST_TOKENS = 7104;

/** The same with another number of rows in the embedding table. */
function withRows(family: Family, rows: number): Family {
  const { vocab_size: vocabSize } = family.config;
  const tensors = Object.entries(family.tensors).map(([name, shape]) => {
    return [name, shape[0] === vocabSize ? [rows, ...shape.slice(1)] : shape] as const;
  });
  return { ...family, config: { ...family.config, vocab_size: rows }, tensors: Object.fromEntries(tensors) };
}

describe('through a checkpoint and the file made of it', () => {
  test.each(CHECKPOINTS)('%s with %s', async (familyName, name, tokenizerClass) => {
    const family = withRows(
      families().find((one) => one.name === familyName)!,
      MOST_TOKENS,
    );
    const path = join(folder, `${familyName}-checkpoint`);
    const files = { tokenizer: packed.tokenizers[name], config: { tokenizer_class: tokenizerClass } };
    await writeFamily(family, path, 'safetensors', 'BF16', files);
    await convert(path, { output: `${path}.gguf` });
    await using classifier = await Classifier.load(`${path}.gguf`, { onWarning: () => {} });

    const texts = Object.values(packed.strings).flat();
    const answers = await tokenize(
      name,
      texts.map((text): Input => [text]),
    );
    let compared = 0;
    for (const [index, { ids, truncated }] of (
      await classifier.tokenize(texts, { specialTokens: 'parse' })
    ).entries()) {
      if (truncated) continue;
      const answer = answers[index]!;
      expect(Array.from(ids)).toEqual(Array.from(ids, (_, place) => answer.readInt32LE(4 + 4 * place)));
      expect(ids).toHaveLength(answer.readInt32LE(0));
      compared += 1;
    }
    expect(compared).toBeGreaterThan(0.95 * texts.length);
  });
});

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
