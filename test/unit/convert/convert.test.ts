import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { type ConvertOptions, type ConvertProgress, convert } from '../../../src/convert/convert';
import { type GgufHead, readGgufHead } from '../../../src/gguf/reader';
import { goldenModel, writeCheckpoint } from '../../golden/checkpoint-fixture';
import { type MicroOptions, MICRO_ROWS, counted, writeMicro } from './micro-checkpoint';
import { temporaryFolder } from './temp-folder';

type Options = Partial<ConvertOptions>;

/** What sentence-transformers' settings are read beside. */
const CROSS_ENCODER = {
  'modules.json': '[{"path": "", "type": "sentence_transformers.models.Transformer"}]',
  'config_sentence_transformers.json': '{"model_type": "CrossEncoder"}',
};

async function convertMicro(micro: MicroOptions = {}, options: Options = {}) {
  const output = join(temporaryFolder(), 'out.gguf');
  const result = await convert(writeMicro(micro), { output, ...options });
  return { result, output, head: await readGgufHead(output) };
}

function metadata(head: GgufHead, key: string): unknown {
  return head.metadata.get(key)?.value;
}

/** f32 values of one tensor. */
function tensorValues(path: string, head: GgufHead, name: string): number[] {
  const tensor = head.tensors.find((candidate) => candidate.name === name)!;
  const start = head.dataOffset + tensor.offset;
  const bytes = Uint8Array.from(readFileSync(path).subarray(start, start + tensor.sizeBytes));
  return [...new Float32Array(bytes.buffer)];
}

describe('convert', () => {
  it('writes every tensor in order, with Q, K and V stacked', async () => {
    const { head, output, result } = await convertMicro();
    expect(head.tensors.map(({ name, ne }) => `${name} ${ne.join('x')}`)).toEqual([
      'token_embd.weight 4x10',
      'position_embd.weight 4x16',
      'token_types.weight 4x2',
      'token_embd_norm.weight 4',
      'token_embd_norm.bias 4',
      'blk.0.attn_qkv.weight 4x12',
      'blk.0.attn_qkv.bias 12',
      'blk.0.attn_output.weight 4x4',
      'blk.0.attn_output.bias 4',
      'blk.0.attn_output_norm.weight 4',
      'blk.0.attn_output_norm.bias 4',
      'blk.0.ffn_up.weight 4x8',
      'blk.0.ffn_up.bias 8',
      'blk.0.ffn_down.weight 8x4',
      'blk.0.ffn_down.bias 4',
      'blk.0.layer_output_norm.weight 4',
      'blk.0.layer_output_norm.bias 4',
      'cls.weight 4x4',
      'cls.bias 4',
      'cls.output.weight 4x2',
      'cls.output.bias 2',
    ]);
    const one = [...new Float32Array(counted(4, 4).data.buffer)];
    expect(tensorValues(output, head, 'blk.0.attn_qkv.weight')).toEqual([...one, ...one, ...one]);
    expect(result).toMatchObject({ path: output, type: 'f32', numTensors: 21, sizeBytes: statSync(output).size });
    expect(result.sha256).toBe(createHash('sha256').update(readFileSync(output)).digest('hex'));
  });

  it('describes the model in keys', async () => {
    const { head } = await convertMicro({
      config: { id2label: { 1: 'yes', 0: 'no' }, problem_type: 'single_label_classification' },
    });
    const found = Object.fromEntries([...head.metadata].map(([key, { value }]) => [key, value]));
    expect(found).toMatchObject({
      'general.architecture': 'bert',
      'bert.block_count': 1,
      'bert.context_length': 16,
      'bert.embedding_length': 4,
      'bert.feed_forward_length': 8,
      'bert.attention.head_count': 2,
      'bert.attention.causal': false,
      'bert.pooling_type': 4,
      'bert.vocab_size': MICRO_ROWS,
      'bert.hidden_activation': 'gelu',
      'bert.classifier.output_labels': ['no', 'yes'],
      'ggml_encoder.source_class': 'BertForSequenceClassification',
      'ggml_encoder.head.activation': 'tanh',
      'ggml_encoder.head.num_labels': 2,
      'ggml_encoder.problem_type': 'single_label_classification',
      'ggml_encoder.activation_fn': '',
      'ggml_encoder.max_length': 16,
      'ggml_encoder.llamacpp.compat': 'single-sequence',
      'tokenizer.ggml.tokens': ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '▁a', '▁b', 'c', '[PAD8]', '[PAD9]'],
      'tokenizer.ggml.token_type': Int32Array.of(3, 3, 3, 3, 3, 1, 1, 1, 5, 5),
      'tokenizer.ggml.bos_token_id': 2,
      'tokenizer.ggml.seperator_token_id': 3,
      'tokenizer.ggml.normalizer.lowercase': true,
    });
    const tokenizer = JSON.parse(found['tokenizer.huggingface.json'] as string) as { model: { vocab: unknown } };
    expect(tokenizer.model.vocab).toMatchObject({ '##c': 7 });
  });

  it.each([
    [{ architectures: [] }, undefined],
    [{ pruned_heads: { 0: [] } }, undefined],
    [{ problem_type: 'multi_class' }, /problem_type is "multi_class", which is passed over/],
  ])('reads %j as transformers does', async (config, warning) => {
    const { head, result } = await convertMicro({ config });
    expect(metadata(head, 'ggml_encoder.source_class')).toBe('BertForSequenceClassification');
    expect(metadata(head, 'ggml_encoder.problem_type')).toBe('');
    expect(result.warnings).toEqual(warning === undefined ? [] : [expect.stringMatching(warning)]);
  });

  it('describes DistilBERT by its head and the absence of segments', async () => {
    const { head } = await convertMicro({ family: 'distilbert' });
    expect(head.tensors.map(({ name }) => name)).not.toContain('token_types.weight');
    expect(metadata(head, 'ggml_encoder.head.activation')).toBe('relu');
    expect(metadata(head, 'tokenizer.ggml.token_type_count')).toBe(1);
    expect(metadata(head, 'ggml_encoder.llamacpp.compat')).toBe('approximate-head');
  });

  it('gives the same bytes every time', async () => {
    const folder = writeMicro();
    const bytes = [];
    for (const name of ['a.gguf', 'b.gguf']) {
      const output = join(temporaryFolder(), name);
      await convert(folder, { output });
      bytes.push(readFileSync(output));
    }
    expect(bytes[0]).toEqual(bytes[1]);
  });

  it('gives the same bytes from shards as from one file', async () => {
    const model = goldenModel('bert-gelu-new');
    const root = temporaryFolder();
    const hashes = new Set<string>();
    for (const shards of [1, 3]) {
      const folder = join(root, String(shards), 'model');
      await writeCheckpoint(model, folder, { shards });
      hashes.add((await convert(folder, { output: join(root, `${shards}.gguf`) })).sha256);
    }
    expect(hashes.size).toBe(1);
  });

  it.each([
    ['F32', 'f32'],
    ['F16', 'f16'],
    ['BF16', 'bf16'],
  ] as const)('keeps the type of a %s checkpoint by default', async (dtype, type) => {
    const folder = join(temporaryFolder(), 'model');
    await writeCheckpoint(goldenModel('distilbert-96'), folder, { dtype });
    const output = join(temporaryFolder(), 'out.gguf');
    expect((await convert(folder, { output })).type).toBe(type);
    const { tensors } = await readGgufHead(output);
    const types = (pattern: RegExp) =>
      new Set(tensors.filter(({ name }) => pattern.test(name)).map((tensor) => tensor.type.name));
    expect(types(/^(token_embd|blk\.\d+\.(attn_qkv|attn_output|ffn_up|ffn_down))\.weight$/)).toEqual(new Set([type]));
    expect(types(/bias|norm|position|cls/)).toEqual(new Set(['f32']));
  });

  it('falls back to f16 where rows are no multiple of 32, and says so', async () => {
    const { head, result } = await convertMicro({}, { type: 'q8_0' });
    expect(head.tensors.find(({ name }) => name === 'token_embd.weight')?.type.name).toBe('f16');
    expect(metadata(head, 'general.file_type')).toBe(1);
    expect(metadata(head, 'ggml_encoder.requested_type')).toBe('q8_0');
    expect(result.warnings.join()).toContain('5 tensors are f16');
  });

  it.each(['f32', 'f16', 'bf16'] as const)(
    'says nothing of a request for %s, which every matrix can have',
    async (type) => {
      const { head } = await convertMicro({}, { type });
      expect(head.metadata.has('ggml_encoder.requested_type')).toBe(false);
    },
  );

  it.each([
    ['', ''],
    ['model.bert.', 'model.'],
    ['module.bert.', 'module.'],
    ['bert.bert.', 'bert.'],
    ['model.', ''],
  ])('finds the encoder under the prefix %j', async (encoder, root) => {
    const rename = (name: string) => (name.startsWith('bert.') ? name.replace('bert.', encoder) : root + name);
    expect((await convertMicro({ rename })).head.tensors).toHaveLength(21);
  });

  it('takes gamma and beta for norms, and ignores buffers and pretraining heads', async () => {
    const { head } = await convertMicro({
      rename: (name) =>
        name.replace(/LayerNorm.weight$/, 'LayerNorm.gamma').replace(/LayerNorm.bias$/, 'LayerNorm.beta'),
      tensors: (tensors) => {
        tensors['bert.embeddings.position_ids'] = { dtype: 'I64', shape: [1, 1], data: new Uint8Array(8) };
        tensors['cls.predictions.bias'] = counted(3);
        tensors['cls.seq_relationship.weight'] = counted(2, 4);
      },
    });
    expect(head.tensors).toHaveLength(21);
  });

  it.each(['loss_fct.weight', 'criterion.pos_weight', 'class_weights'])(
    'ignores the weights %s of a loss',
    async (name) => {
      const { head } = await convertMicro({ tensors: (tensors) => (tensors[name] = counted(3)) });
      expect(head.tensors).toHaveLength(21);
    },
  );

  it.each([
    ['gelu_python', 'gelu'],
    ['gelu_fast', 'gelu_new'],
    ['gelu_accurate', 'gelu_new'],
    ['gelu_python_tanh', 'gelu_pytorch_tanh'],
    ['tanh', 'tanh'],
  ])('knows %s as %s', async (name, meant) => {
    const { head } = await convertMicro({ config: { hidden_act: name } });
    expect(metadata(head, 'bert.hidden_activation')).toBe(meant);
  });

  it('converts without architectures when model_type is known', async () => {
    const { head } = await convertMicro({ config: { architectures: undefined } });
    expect(metadata(head, 'ggml_encoder.source_class')).toBe('BertForSequenceClassification');
  });

  it("takes sentence-transformers' limit, else the tokenizer's, and no more than there are positions", async () => {
    const length = async (files: Record<string, string>) =>
      metadata((await convertMicro({ files })).head, 'ggml_encoder.max_length');
    const most = (value: unknown) => ({
      ...CROSS_ENCODER,
      'sentence_bert_config.json': JSON.stringify({ max_seq_length: value }),
    });
    expect(await length({ 'tokenizer_config.json': '{"model_max_length": 12}' })).toBe(12);
    expect(await length(most(9))).toBe(9);
    expect(await length(most(null))).toBe(16);
    expect(await length(most(99))).toBe(16);
    expect(await length({ ...most(14), 'tokenizer_config.json': '{"model_max_length": 12}' })).toBe(14);
    expect(await length({ 'sentence_bert_config.json': '{"max_seq_length": 9}' })).toBe(16);
    expect(await length({ 'tokenizer_config.json': '{"model_max_length": 1e30}' })).toBe(16);
  });

  it.each([
    [
      {
        ...CROSS_ENCODER,
        'config_sentence_transformers.json':
          '{"model_type": "CrossEncoder", "activation_fn": "torch.nn.modules.activation.Sigmoid"}',
      },
      {},
      'sigmoid',
    ],
    [
      { 'config_sentence_transformers.json': '{"activation_fn": "torch.nn.modules.activation.Sigmoid"}' },
      { sbert_ce_default_activation_function: 'torch.nn.modules.linear.Identity' },
      'identity',
    ],
    [{}, { sentence_transformers: { activation_fn: 'torch.nn.modules.linear.Identity' } }, 'identity'],
    [{}, { sbert_ce_default_activation_function: 'torch.nn.modules.linear.Identity' }, 'identity'],
    [{}, { sbert_ce_default_activation_function: 'evil.Identity' }, ''],
    [{}, {}, ''],
  ])('reads the activation of sentence-transformers: %j %j', async (files, config, expected) => {
    const { head } = await convertMicro({ files, config });
    expect(metadata(head, 'ggml_encoder.activation_fn')).toBe(expected);
  });

  it('reports progress up to the last byte', async () => {
    const seen: ConvertProgress[] = [];
    const { result } = await convertMicro({}, { onProgress: (progress) => seen.push(progress) });
    // Reports of writing come as time passes: on a busy machine there are more of them.
    expect([...new Set(seen.map(({ phase }) => phase))]).toEqual(['read', 'write', 'finish']);
    expect(seen.at(-1)).toMatchObject({ bytesWritten: result.sizeBytes, bytesTotal: result.sizeBytes });
  });

  it('follows links into the blobs folder of the Hub cache and takes the name from it', async () => {
    const repository = join(temporaryFolder(), 'models--org--tiny-model');
    const snapshot = join(repository, 'snapshots', 'abc');
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(join(repository, 'blobs'));
    const source = writeMicro();
    for (const name of readdirSync(source)) {
      writeFileSync(join(repository, 'blobs', `hash-${name}`), readFileSync(join(source, name)));
      symlinkSync(join('..', '..', 'blobs', `hash-${name}`), join(snapshot, name));
    }
    const output = join(repository, 'out.gguf');
    await convert(snapshot, { output });
    expect(metadata(await readGgufHead(output), 'general.name')).toBe('tiny-model');
  });
});
