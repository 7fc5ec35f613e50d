/**
 * Writes the checkpoint folders of models.json without Python: random weights that scripts/make-golden.py makes
 * identically, stored as a Hugging Face checkpoint in any element type, in one file or in shards.
 */
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { encodeElements } from '../../src/convert/dtypes/dtypes';

const GOLDEN_FOLDER = resolve(__dirname);
const TOKENIZER_FOLDER = resolve(__dirname, '../fixtures/tokenizers/wordpiece-uncased');

export type StoredType = 'F32' | 'F16' | 'BF16';

/** One entry of models.json. */
export interface GoldenModel {
  readonly name: string;
  readonly seed: number;
  readonly numLabels: number;
  readonly inputs: 'texts' | 'pairs';
  /** Inputs that the golden logits cover: every (200 / limit)-th of texts.json or pairs.json. */
  readonly limit: number;
  readonly scales: Readonly<Record<'embedding' | 'linear' | 'bias' | 'norm' | 'classifier', number>>;
  /** `old`: no `bert.` prefix, gamma and beta for the norms, and a position_ids buffer. */
  readonly names: 'modern' | 'old';
  readonly config: Readonly<Record<string, unknown>>;
}

/** What transformers computed for one input. */
export interface GoldenRow {
  readonly text: string;
  readonly pair: string | null;
  /** Tokens after truncation, special tokens included. */
  readonly numTokens: number;
  readonly logits: readonly number[];
}

export interface CheckpointOptions {
  readonly dtype?: StoredType;
  /** Number of weight files; more than one comes with an index. Default 1. */
  readonly shards?: number;
  /** Which tokenizer files to copy. Default: all. */
  readonly tokenizerFiles?: readonly ('tokenizer.json' | 'tokenizer_config.json' | 'vocab.txt')[];
  /** Entries of config.json to replace, or to leave out when undefined. */
  readonly config?: Readonly<Record<string, unknown>>;
}

interface FixtureTensor {
  /** In transformers' state dict; decides the values. */
  readonly name: string;
  /** In the file. */
  readonly storedName: string;
  readonly shape: readonly number[];
}

/** Synchronous, so that a suite can be laid out by it. */
export function goldenModels(): GoldenModel[] {
  return JSON.parse(readFileSync(join(GOLDEN_FOLDER, 'models.json'), 'utf8')) as GoldenModel[];
}

export function goldenModel(name: string): GoldenModel {
  const model = goldenModels().find((candidate) => candidate.name === name);
  if (model === undefined) throw new Error(`models.json has no ${name}`);
  return model;
}

/** All inputs of texts.json or pairs.json. Synchronous, so that a suite can be laid out by it. */
export function goldenInputs(kind: 'texts' | 'pairs'): (string | [string, string])[] {
  const file = JSON.parse(readFileSync(join(GOLDEN_FOLDER, `${kind}.json`), 'utf8')) as { rows: [] };
  return file.rows;
}

/** The inputs of `model` with the logits that transformers gave. */
export async function goldenRows(model: GoldenModel): Promise<GoldenRow[]> {
  const read = async (file: string) =>
    JSON.parse(await readFile(join(GOLDEN_FOLDER, file), 'utf8')) as { rows: unknown[] };
  const inputs = (await read(`${model.inputs}.json`)).rows as (string | [string, string])[];
  const expected = (await read(`${model.name}.logits.json`)).rows as number[][];
  const step = Math.floor(inputs.length / model.limit);
  return expected.map(([numTokens, ...logits], index) => {
    const input = inputs[index * step]!;
    const [text, pair] = typeof input === 'string' ? [input, null] : input;
    return { text, pair, numTokens: numTokens!, logits };
  });
}

/** Writes the checkpoint into `folder`, which is made when missing. Existing files are replaced. */
export async function writeCheckpoint(
  model: GoldenModel,
  folder: string,
  options: CheckpointOptions = {},
): Promise<void> {
  const {
    dtype = 'F32',
    shards = 1,
    tokenizerFiles = ['tokenizer.json', 'tokenizer_config.json', 'vocab.txt'],
  } = options;
  await mkdir(folder, { recursive: true });
  const config = { ...model.config, ...options.config };
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  for (const file of tokenizerFiles) await copyFile(join(TOKENIZER_FOLDER, file), join(folder, file));
  const tensors = fixtureTensors(model);
  if (shards === 1) return writeWeights(model, tensors, join(folder, 'model.safetensors'), dtype);
  const weightMap: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const part = tensors.filter((_, index) => index % shards === shard);
    const file = `model-${pad(shard + 1)}-of-${pad(shards)}.safetensors`;
    for (const { storedName } of part) weightMap[storedName] = file;
    await writeWeights(model, part, join(folder, file), dtype);
  }
  const index = { metadata: { total_size: 0 }, weight_map: weightMap };
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
}

/** The values of one tensor of a golden model, by its name in transformers' state dict. */
export function tensorValues(
  model: Pick<GoldenModel, 'seed' | 'scales'>,
  name: string,
  shape: readonly number[],
): Float32Array {
  const { embedding, linear, bias, norm, classifier } = model.scales;
  const count = shape.reduce((product, size) => product * size, 1);
  const isNorm = /(?<!_prelayer)norm|(^|[._])ln[._]/.test(name.toLowerCase());
  const perFanIn = (scale: number) => scale / Math.sqrt(shape[1] ?? 1);
  if (name.endsWith('.inv_freq')) return randomValues(model.seed, name, count, 1, 0).map((unit) => unit * unit);
  if (/[._]bias$/.test(name)) return randomValues(model.seed, name, count, isNorm ? norm : bias, 0);
  if (isNorm) return randomValues(model.seed, name, count, norm, 1);
  if (name.includes('embeddings')) return randomValues(model.seed, name, count, embedding, 0);
  return randomValues(model.seed, name, count, perFanIn(name === 'classifier.weight' ? classifier : linear), 0);
}

/** centre + scale * u, u uniform in [-1, 1): mulberry32 of a counter, seeded by FNV-1a of 'seed:name'. */
function randomValues(seed: number, name: string, count: number, scale: number, centre: number): Float32Array {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(`${seed}:${name}`)) state = Math.imul(state ^ byte, 0x01000193);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    t ^= t >>> 14;
    values[i] = centre + ((t >>> 8) * 2 ** -23 - 1) * scale;
  }
  return values;
}

function fixtureTensors(model: GoldenModel): FixtureTensor[] {
  const { config, numLabels } = model;
  const size = (key: string) => config[key] as number;
  const isBert = config['model_type'] === 'bert';
  const [h, f, numLayers] = isBert
    ? [size('hidden_size'), size('intermediate_size'), size('num_hidden_layers')]
    : [size('dim'), size('hidden_dim'), size('n_layers')];
  const root = isBert ? 'bert' : 'distilbert';
  const tensors: [string, number[]][] = [
    [`${root}.embeddings.word_embeddings.weight`, [size('vocab_size'), h]],
    [`${root}.embeddings.position_embeddings.weight`, [size('max_position_embeddings'), h]],
  ];
  if (isBert) tensors.push([`${root}.embeddings.token_type_embeddings.weight`, [size('type_vocab_size'), h]]);
  const norm = (name: string) => tensors.push([`${name}.weight`, [h]], [`${name}.bias`, [h]]);
  const linear = (name: string, out: number, input: number) => {
    tensors.push([`${name}.weight`, [out, input]], [`${name}.bias`, [out]]);
  };
  norm(`${root}.embeddings.LayerNorm`);
  for (let i = 0; i < numLayers; i++) {
    const layer = isBert ? `${root}.encoder.layer.${i}` : `${root}.transformer.layer.${i}`;
    const parts = isBert ? BERT_LAYER : DISTILBERT_LAYER;
    for (const name of parts.attention) linear(`${layer}.${name}`, h, h);
    norm(`${layer}.${parts.attentionNorm}`);
    linear(`${layer}.${parts.up}`, f, h);
    linear(`${layer}.${parts.down}`, h, f);
    norm(`${layer}.${parts.outputNorm}`);
  }
  linear(isBert ? 'bert.pooler.dense' : 'pre_classifier', h, h);
  linear('classifier', numLabels, h);
  return tensors.map(([name, shape]) => ({ name, shape, storedName: model.names === 'old' ? oldName(name) : name }));
}

const BERT_LAYER = {
  attention: ['query', 'key', 'value'].map((part) => `attention.self.${part}`).concat('attention.output.dense'),
  attentionNorm: 'attention.output.LayerNorm',
  up: 'intermediate.dense',
  down: 'output.dense',
  outputNorm: 'output.LayerNorm',
};
const DISTILBERT_LAYER = {
  attention: ['q_lin', 'k_lin', 'v_lin', 'out_lin'].map((part) => `attention.${part}`),
  attentionNorm: 'sa_layer_norm',
  up: 'ffn.lin1',
  down: 'ffn.lin2',
  outputNorm: 'output_layer_norm',
};

function oldName(name: string): string {
  return name
    .replace(/^bert\./, '')
    .replace(/LayerNorm\.weight$/, 'LayerNorm.gamma')
    .replace(/LayerNorm\.bias$/, 'LayerNorm.beta');
}

const STORED_BYTES: Readonly<Record<StoredType, number>> = { F32: 4, F16: 2, BF16: 2 };
const ENCODING = { F32: 'f32', F16: 'f16', BF16: 'bf16' } as const;

async function writeWeights(
  model: GoldenModel,
  tensors: readonly FixtureTensor[],
  path: string,
  dtype: StoredType,
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const { storedName, shape } of tensors) {
    const sizeBytes = shape.reduce((product, size) => product * size, STORED_BYTES[dtype]);
    header[storedName] = { dtype, shape, data_offsets: [offset, (offset += sizeBytes)] };
  }
  const positions = model.names === 'old' ? positionBuffer(model) : undefined;
  if (positions !== undefined) {
    const end = offset + positions.byteLength;
    header['embeddings.position_ids'] = { dtype: 'I64', shape: [1, positions.length], data_offsets: [offset, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = await open(path, 'w');
  try {
    await file.write(Buffer.concat([length, json]));
    for (const { name, shape } of tensors) {
      await file.write(encodeElements(ENCODING[dtype], tensorValues(model, name, shape)));
    }
    if (positions !== undefined) await file.write(new Uint8Array(positions.buffer));
  } finally {
    await file.close();
  }
}

function positionBuffer(model: GoldenModel): BigInt64Array {
  return BigInt64Array.from({ length: model.config['max_position_embeddings'] as number }, (_, index) => BigInt(index));
}

function pad(number: number): string {
  return String(number).padStart(5, '0');
}
