// The tokenizers of PhoBERT and BERTweet, vocab.txt with bpe.codes, against transformers' own classes.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier, type ClassifierInput, convert } from 'ggml-encoder';
import { readGgufHead } from '../src/gguf/reader';
import { counted, writeMicro } from './unit/convert/micro-checkpoint';
import { temporaryFolder } from './unit/convert/temp-folder';

const FOLDER = path.join(__dirname, 'fixtures/tokenizers/subword-nmt');
const read = (name: string) => readFileSync(path.join(FOLDER, name), 'utf8');
const VOCABULARY = read('vocab.txt');
const CODES = read('bpe.codes');
const { maxLength, inputs, ids } = JSON.parse(read('cases.json')) as {
  maxLength: number;
  inputs: ClassifierInput[];
  ids: Readonly<Record<string, Readonly<Record<'parse' | 'text', number[][]>>>>;
};
const ROWS = 600;

interface Changes {
  readonly settings?: object;
  readonly files?: Readonly<Record<string, string | undefined>>;
}

/** A folder with a small model around the tokenizer. */
function writeModel(tokenizerClass: string, { settings = {}, files = {} }: Changes = {}): string {
  const config = { tokenizer_class: tokenizerClass, model_max_length: maxLength, ...settings };
  return writeMicro({
    config: { vocab_size: ROWS, max_position_embeddings: maxLength },
    tensors: (tensors) => {
      tensors['bert.embeddings.word_embeddings.weight'] = counted(ROWS, 4);
      tensors['bert.embeddings.position_embeddings.weight'] = counted(maxLength, 4);
    },
    files: { 'vocab.txt': VOCABULARY, 'bpe.codes': CODES, 'tokenizer_config.json': JSON.stringify(config), ...files },
  });
}

async function idsOf(folder: string, specialTokens: 'parse' | 'text', texts = inputs): Promise<number[][]> {
  await using model = await Classifier.load(folder, { cacheDir: path.join(temporaryFolder(), 'cache') });
  const results = await model.tokenize(texts, { specialTokens });
  return results.map((result) => Array.from(result.ids));
}

function refusal(tokenizerClass: string, changes: Changes): Promise<unknown> {
  return convert(writeModel(tokenizerClass, changes), { output: path.join(temporaryFolder(), 'never.gguf') });
}

describe.each(Object.keys(ids))('%s', (name) => {
  it.each(['parse', 'text'] as const)('gives the ids of transformers, control tokens read as %s', async (mode) => {
    const found = await idsOf(writeModel(name), mode);
    inputs.forEach((input, index) => expect(found[index], JSON.stringify(input)).toEqual(ids[name]![mode][index]));
  });

  it('passes a tokenizer.json over', async () => {
    const folder = writeModel(name, { files: { 'tokenizer.json': readFileSync(OTHER, 'utf8') } });
    expect(await idsOf(folder, 'parse')).toEqual(ids[name]!['parse']);
  });

  it.each([
    [{ 'bpe.codes': undefined }, 'tokenizer_missing', /lacks vocab.txt or bpe.codes, which \w+ is made of/],
    [{ 'vocab.txt': undefined }, 'tokenizer_missing', /lacks vocab.txt or bpe.codes/],
    [{ 'vocab.txt': '' }, 'checkpoint_malformed', /vocab.txt holds no tokens/],
    [{ 'bpe.codes': '#version: 0.2\n' }, 'checkpoint_malformed', /bpe.codes holds no merges/],
    [{ 'vocab.txt': 'the 9\nend\n' }, 'checkpoint_malformed', /vocab.txt: line 2 is no token with its count/],
    [{ 'vocab.txt': 'the 9\nend 8\nthe 7\n' }, 'checkpoint_malformed', /vocab.txt: line 3 holds "the" again/],
    [{ 'vocab.txt': '<unk> 9\n' }, 'checkpoint_malformed', /vocab.txt: line 1 holds "<unk>" again/],
  ] as const)('is refused with %j', async (files, code, message) => {
    await expect(refusal(name, { files })).rejects.toMatchObject({ code });
    await expect(refusal(name, { files })).rejects.toThrow(message);
  });
});

const OTHER = path.join(__dirname, 'fixtures/tokenizers/wordpiece-uncased/tokenizer.json');

it('is none of llama.cpp’s', async () => {
  const output = path.join(temporaryFolder(), 'model.gguf');
  await convert(writeModel('PhobertTokenizer'), { output });
  const { metadata } = await readGgufHead(output);
  expect(metadata.get('ggml_encoder.llamacpp.compat')).toMatchObject({ value: 'unsupported' });
});

it('reads lines that end in any way, and merges of two symbols alone', async () => {
  const folder = writeModel('PhobertTokenizer');
  const plain = await idsOf(folder, 'parse');
  for (const [file, text] of [
    ['vocab.txt', VOCABULARY.replaceAll('\n', '\r\n')],
    ['bpe.codes', `${CODES.slice(0, CODES.lastIndexOf('\n'))}\r\na b c 3\nthe\n\nthe 4\n`],
  ] as const) {
    writeFileSync(path.join(folder, file), text);
    expect(await idsOf(folder, 'parse')).toEqual(plain);
  }
});

describe('the normalization of tweets, which BertweetTokenizer does on request', () => {
  const readTweets = (name: string) =>
    JSON.parse(readFileSync(path.join(FOLDER, '../tweets', name), 'utf8')) as unknown;
  const tweets = readTweets('cases.json') as {
    settings: object;
    inputs: ClassifierInput[];
    ids: Readonly<Record<'parse' | 'text', number[][]>>;
    idsWithAdded: number[][];
  };
  const settings = { normalization: true };
  const check = (found: number[][], wanted: number[][]) =>
    tweets.inputs.forEach((input, index) => expect(found[index], JSON.stringify(input)).toEqual(wanted[index]));

  it.each(['parse', 'text'] as const)('gives the ids of transformers, control tokens read as %s', async (mode) => {
    check(await idsOf(writeModel('BertweetTokenizer', { settings }), mode, tweets.inputs), tweets.ids[mode]);
  });

  it('looks for added tokens before it', async () => {
    const folder = writeModel('BertweetTokenizer', { settings: tweets.settings });
    check(await idsOf(folder, 'parse', tweets.inputs), tweets.idsWithAdded);
    expect(tweets.idsWithAdded).not.toEqual(tweets.ids.parse);
  });

  it('takes along the names of all emoji that the Python package has', async () => {
    const output = path.join(temporaryFolder(), 'model.gguf');
    await convert(writeModel('BertweetTokenizer', { settings }), { output });
    const { metadata } = await readGgufHead(output);
    const json = metadata.get('tokenizer.huggingface.json')!.value as string;
    expect((JSON.parse(json) as { normalizer: unknown }).normalizer).toEqual(readTweets('normalizer.json'));
  });

  it('is nothing to PhobertTokenizer', async () => {
    expect(await idsOf(writeModel('PhobertTokenizer', { settings }), 'parse')).toEqual(
      ids['PhobertTokenizer']!['parse'],
    );
  });
});
