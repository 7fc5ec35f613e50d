/** The public API with real checkpoints and the addon: load, run, abort, fail and end, all in one process. */
import { mkdtemp, readFile, readdir, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  Classifier,
  CrossEncoder,
  convert,
  defaultModelPath,
  devices,
  estimateMemory,
  isEncoderError,
} from '../src/index';
import type { ConvertProgress } from '../src/index';
import { goldenModel, goldenRows, writeCheckpoint } from './golden/checkpoint-fixture';
import type { CheckpointOptions, GoldenRow } from './golden/checkpoint-fixture';

let folder = '';
let cacheDir = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ggml-encoder-api-'));
  cacheDir = join(folder, 'cache');
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function checkpoint(name: string, as = name, options: CheckpointOptions = {}): Promise<string> {
  const path = join(folder, as);
  await writeCheckpoint(goldenModel(name), path, options);
  return path;
}

async function rowsOf(name: string): Promise<GoldenRow[]> {
  return goldenRows(goldenModel(name));
}

function expectLogits(logits: Float32Array | undefined, expected: readonly number[]): void {
  expected.forEach((value, index) => expect(Math.abs(logits![index]! - value)).toBeLessThan(2e-4));
}

describe('Classifier', () => {
  test('a folder is converted once, loaded from the cache, and gives the logits of transformers', async () => {
    const source = await checkpoint('bert-multilabel');
    const phases: ConvertProgress['phase'][] = [];
    const first = await Classifier.load(source, { cacheDir, onProgress: ({ phase }) => phases.push(phase) });
    expect(new Set(phases)).toEqual(new Set(['read', 'write', 'finish']));
    const rows = await rowsOf('bert-multilabel');
    const results = await first.classify(
      rows.map(({ text }) => text),
      { logits: true },
    );
    results.forEach(({ logits, tokens }, index) => {
      expectLogits(logits, rows[index]!.logits);
      expect(tokens).toBe(rows[index]!.numTokens);
    });
    expect(results[0]).toMatchObject({ activation: 'sigmoid' });
    expect(first.info).toMatchObject({ labels: ['calm', 'angry', 'happy', 'bored', '10'], activation: 'sigmoid' });
    await first.dispose();

    const again = await Classifier.load(source, { cacheDir, onProgress: () => expect.fail('converted twice') });
    expect((await again.classify(rows[0]!.text)).scores).toEqual(results[0]!.scores);
    expect((await readdir(cacheDir)).filter((name) => name.endsWith('.gguf'))).toHaveLength(1);
    await again.dispose();
  });

  test('a text has the same bits alone, in a list, and beside other calls', async () => {
    await using classifier = await Classifier.load(await checkpoint('bert-relu'), { cacheDir });
    const texts = (await rowsOf('bert-relu')).map(({ text }) => text);
    const list = await classifier.classify(texts, { logits: true });
    const alone = await Promise.all(texts.map(async (text) => classifier.classify(text, { logits: true })));
    expect(alone).toEqual(list);
  });

  test('maxLength lowers the limit and says what was cut', async () => {
    const source = await checkpoint('bert-relu');
    await using classifier = await Classifier.load(source, { cacheDir, maxLength: 32 });
    const text = 'one two three four five six seven eight '.repeat(10);
    expect(await classifier.classify(text)).toMatchObject({ tokens: 32, truncated: true });
    expect(await classifier.classify(text, { maxLength: 8 })).toMatchObject({ tokens: 8, truncated: true });
    expect(await classifier.classify('one two')).toMatchObject({ truncated: false });
    await expect(classifier.classify(text, { maxLength: 33 })).rejects.toThrow(RangeError);
    await expect(Classifier.load(source, { cacheDir, maxLength: 1000 })).rejects.toThrow(/the model's own limit/);
  });

  test('a maxLength without room for text is refused in the words of the option', async () => {
    await using classifier = await Classifier.load();
    await expect(classifier.classify('a', { maxLength: 2 })).rejects.toThrow(
      'maxLength 2 leaves no room for text beside 2 special tokens',
    );
  });

  test('an abort while running rejects with the reason, and the model goes on', async () => {
    await using classifier = await Classifier.load(await checkpoint('bert-relu'), { cacheDir, threads: 1 });
    const texts = Array.from({ length: 20_000 }, (_, index) => `text number ${index} of a long list`);
    const controller = new AbortController();
    const call = classifier.classify(texts, { signal: controller.signal });
    setImmediate(() => {
      controller.abort('changed my mind');
    });
    await expect(call).rejects.toMatchObject({ code: 'aborted', cause: 'changed my mind' });
    expect((await classifier.classify('still here')).label).toMatch(/yes|no/);
  });

  test('dispose while a call runs leaves the process alive and the call settled', async () => {
    const classifier = await Classifier.load(await checkpoint('bert-relu'), { cacheDir });
    const texts = Array.from({ length: 2000 }, (_, index) => `text number ${index}`);
    const call = classifier.classify(texts).then(
      (results) => results.length,
      (error: unknown) => (isEncoderError(error) ? error.code : error),
    );
    await classifier.dispose();
    expect([2000, 'model_disposed']).toContain(await call);
    await expect(classifier.classify('x')).rejects.toMatchObject({ code: 'model_disposed' });
  });

  test('the classifier in the package is the default', async () => {
    await using classifier = await Classifier.load();
    expect(classifier.info.numLabels).toBe(20);
    expect((await classifier.classify('Real-time strategy game of ancient warfare')).label).toBe('games');
  });

  test('labels of the caller take the place of those in the file', async () => {
    const source = await checkpoint('bert-relu', 'unnamed', { config: { id2label: undefined, label2id: undefined } });
    await using unnamed = await Classifier.load(source, { cacheDir });
    expect(unnamed.info.warnings).toContainEqual(expect.objectContaining({ code: 'label_names_missing' }));
    await using named = await Classifier.load(source, { cacheDir, labels: ['down', 'up'] });
    expect((await named.classify('x')).label).toMatch(/up|down/);
    expect(named.info.warnings).toEqual([]);
    await expect(Classifier.load(source, { cacheDir, labels: ['one'] })).rejects.toThrow(RangeError);
  });
});

describe('CrossEncoder', () => {
  test('predict and rank give the scores of the pairs', async () => {
    await using crossEncoder = await CrossEncoder.load(await checkpoint('bert-reranker'), { cacheDir });
    const rows = (await rowsOf('bert-reranker')).slice(0, 10);
    const results = await crossEncoder.predict(
      rows.map(({ text, pair }) => [text, pair!] as const),
      { logits: true },
    );
    results.forEach(({ logits }, index) => expectLogits(logits, rows[index]!.logits));

    const documents = rows.map(({ pair }) => pair!);
    const ranked = await crossEncoder.rank(rows[0]!.text, documents);
    const alone = await crossEncoder.predict([rows[0]!.text, documents[ranked[0]!.index]!]);
    expect(ranked[0]!.score).toBe(alone.score);
    expect(ranked.map(({ score }) => score)).toEqual(ranked.map(({ score }) => score).sort((a, b) => b - a));
  });
});

describe('what can go wrong with a model', () => {
  const cases: [string, string, (path: string) => Promise<unknown>][] = [
    ['no weights', 'checkpoint_not_found', async (path) => unlink(join(path, 'model.safetensors'))],
    [
      'a truncated weight file',
      'checkpoint_malformed',
      async (path) => truncate(join(path, 'model.safetensors'), 5000),
    ],
    [
      'no tokenizer',
      'tokenizer_missing',
      async (path) => {
        for (const file of ['tokenizer.json', 'tokenizer_config.json', 'vocab.txt']) await unlink(join(path, file));
      },
    ],
    [
      'an unknown architecture',
      'architecture_unsupported',
      async (path) => editConfig(path, { architectures: ['UnknownForSequenceClassification'], model_type: 'unknown' }),
    ],
    [
      'a configuration that contradicts the weights',
      'tensor_shape_mismatch',
      async (path) => editConfig(path, { hidden_size: 144 }),
    ],
    [
      'a configuration with more layers than weights',
      'tensor_missing',
      async (path) => editConfig(path, { num_hidden_layers: 5 }),
    ],
    ['no config.json', 'checkpoint_not_found', async (path) => unlink(join(path, 'config.json'))],
    ['overlapping tensors', 'checkpoint_malformed', async (path) => overlapTensors(join(path, 'model.safetensors'))],
  ];

  test.each(cases)('%s is %s, leaves no file and the process alive', async (name, code, damage) => {
    const source = await checkpoint('bert-relu', name.replaceAll(' ', '-'));
    await damage(source);
    const output = join(folder, `${code}.gguf`);
    await expect(convert(source, { output })).rejects.toMatchObject({ name: 'EncoderError', code });
    const own = join(folder, 'own-cache');
    await expect(Classifier.load(source, { cacheDir: own })).rejects.toMatchObject({ name: 'EncoderError', code });
    expect((await readdir(folder)).filter((file) => file.includes(code))).toEqual([]);
    expect((await readdir(own).catch(() => [])).filter((file) => file.includes('gguf'))).toEqual([]);
  });

  test('a GGUF file says at which end texts are cut, and nothing else', async () => {
    const source = join(folder, 'left');
    await writeCheckpoint(goldenModel('bert-relu'), source);
    await writeFile(join(source, 'tokenizer_config.json'), JSON.stringify({ truncation_side: 'left' }));
    const output = join(folder, 'left.gguf');
    await convert(source, { output });
    await using model = await Classifier.load(output);
    expect(model.info.truncationSide).toBe('left');
    const first = async (options: object): Promise<number> =>
      (await model.tokenize('the of', { maxLength: 3, ...options })).ids[1]!;
    expect(await first({})).toBe(await first({ truncationSide: 'left' }));
    expect(await first({})).not.toBe(await first({ truncationSide: 'right' }));

    const bytes = await readFile(output);
    bytes.write('lift', bytes.indexOf('left', bytes.indexOf('truncation_side')));
    await writeFile(output, bytes);
    await expect(Classifier.load(output)).rejects.toMatchObject({
      code: 'gguf_malformed',
      message: expect.stringContaining('truncation_side') as string,
    });
  });

  test('a GGUF file cut anywhere, or of another kind, is refused', async () => {
    const output = join(folder, 'whole.gguf');
    await convert(await checkpoint('bert-relu'), { output });
    const bytes = await readFile(output);
    const cut = join(folder, 'cut.gguf');
    for (const share of [0, 0.001, 0.01, 0.1, 0.5, 0.99]) {
      await writeFile(cut, bytes.subarray(0, Math.floor(bytes.length * share)));
      await expect(Classifier.load(cut)).rejects.toMatchObject({ code: 'gguf_malformed' });
    }
    await writeFile(cut, 'no model at all, only some text');
    await expect(Classifier.load(cut)).rejects.toMatchObject({ code: 'gguf_malformed' });
    await (await Classifier.load(output)).dispose();
  });

  test.each<[string, () => Promise<unknown>, object]>([
    ['a path to nothing', async () => Classifier.load('no-such.gguf'), { code: 'model_not_found' }],
    ['no path', async () => CrossEncoder.load(undefined as unknown as string), { name: 'TypeError' }],
    [
      'an unknown device',
      async () => Classifier.load(join(folder, 'whole.gguf'), { device: 'cuda:7' }),
      { code: 'device_unavailable' },
    ],
    ['0 threads', async () => Classifier.load(join(folder, 'whole.gguf'), { threads: 0 }), { name: 'RangeError' }],
    [
      'a type for a .gguf file',
      async () => Classifier.load(join(folder, 'whole.gguf'), { type: 'f16' }),
      { name: 'TypeError' },
    ],
    ['an unknown option', async () => Classifier.load('x', { thread: 1 } as object), { name: 'TypeError' }],
    [
      'an aborted signal',
      async () => Classifier.load('x', { signal: AbortSignal.abort(7) }),
      { code: 'aborted', cause: 7 },
    ],
  ])('%s', async (_, load, expected) => {
    await expect(load()).rejects.toMatchObject(expected);
  });

  test('a thousand texts later everything still works', async () => {
    await using classifier = await Classifier.load(join(folder, 'whole.gguf'));
    const texts = Array.from({ length: 1000 }, (_, index) => `text ${index}`);
    expect(await classifier.classify(texts)).toHaveLength(1000);
  });
});

test('devices lists the CPU first', () => {
  expect(devices()[0]).toMatchObject({ id: 'cpu', available: true });
});

describe('estimateMemory', () => {
  test('tells what load takes, and load refuses what does not fit', async () => {
    const options = { threads: 2 } as const;
    const estimate = await estimateMemory(defaultModelPath, options);
    expect(estimate.totalBytes).toBe(estimate.weightBytes + 2 * estimate.bytesPerThread);
    expect(estimate.totalBytes).toBeLessThan(estimate.availableBytes);
    await using model = await Classifier.load(undefined, { ...options, limits: { memoryBytes: estimate.totalBytes } });
    expect(model.info.weightBytes).toBe(estimate.weightBytes);

    const limits = { memoryBytes: estimate.totalBytes - 1 };
    expect((await estimateMemory(defaultModelPath, { limits })).availableBytes).toBe(limits.memoryBytes);
    await expect(Classifier.load(undefined, { ...options, limits })).rejects.toMatchObject({
      code: 'out_of_memory',
      message: expect.stringContaining('memoryBytes') as string,
    });
    const shorter = await estimateMemory(defaultModelPath, { ...options, maxLength: 1 });
    expect(shorter.weightBytes).toBe(estimate.weightBytes);
  });

  test('rejects as load does', async () => {
    await expect(estimateMemory('no-such.gguf')).rejects.toMatchObject({ code: 'model_not_found' });
    await expect(estimateMemory(join(__filename))).rejects.toMatchObject({ code: 'gguf_malformed' });
    await expect(estimateMemory(defaultModelPath, { threads: 0 })).rejects.toThrow(RangeError);
  });
});

async function editConfig(path: string, changes: object): Promise<void> {
  const file = join(path, 'config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...config, ...changes }));
}

/** Lets the second tensor begin inside the first, the header's length unchanged. */
async function overlapTensors(file: string): Promise<void> {
  const bytes = await readFile(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
    string,
    { data_offsets?: [number, number] }
  >;
  const [first, second] = Object.values(header).filter((entry) => entry.data_offsets !== undefined);
  const size = second!.data_offsets![1] - second!.data_offsets![0];
  second!.data_offsets = [first!.data_offsets![0], first!.data_offsets![0] + size];
  bytes.write(JSON.stringify(header).padEnd(length), 8);
  await writeFile(file, bytes);
}
