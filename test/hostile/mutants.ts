/** Seeded, structure-aware mutants: sound files taken apart, a few parts changed, put together again. */
import type { Case } from './case';
import { adapterFiles, soundAdapters, weightsOf } from './cases/adapters';
import { fieldsOf, withField } from './cases/hdf5';
import { sentencePieceFiles, soundSentencePiece } from './cases/sentencepiece';
import { mutateHead } from './cases/setfit';
import { soundTorch } from './cases/torch';
import { type GgufParts, buildGguf, copyParts, entry, f32, parseGguf, relayout, text, u32, u64 } from './gguf-bytes';
import { ODD_NUMBERS, ODD_VALUES, type Random, damageBytes, damageJson } from './random';
import {
  CONFIG,
  TOKENIZER,
  TOKENIZER_CONFIG,
  SUBWORDS,
  VOCAB_TXT,
  fixtureFiles,
  formatFixture,
  layOut,
  safetensors,
  soundTensors,
} from './sound';
import { setFitFiles, soundHeads } from './sound-setfit';
import { legacyTorchFile, torchFile } from '../unit/convert/readers/torch-builder';

type Make = (random: Random) => Pick<Case, 'files' | 'gguf' | 'isAdapter'>;

/** How many of 100 mutants each kind gets. */
export interface MutantKind {
  readonly name: string;
  readonly share: number;
  readonly make: Make;
}

export function mutantKinds(soundGguf: readonly Buffer[]): MutantKind[] {
  const parsed = soundGguf.map((bytes) => parseGguf(bytes));
  const torch = soundTorch();
  const bins = [torchFile(torch.pickle, ...torch.storages), legacyTorchFile(torch.pickle, torch.storages)];
  const h5 = ['tf_model.h5', 'tf_model.chunked.h5'].map((name) => {
    const bytes = formatFixture(`bert/${name}`);
    return { bytes, fields: fieldsOf(bytes), places: [...bytes.keys()].filter((at) => bytes[at] !== 0) };
  });
  const h5Files = fixtureFiles('bert');
  const exports = ['model.onnx', 'model.newer.onnx'].map((name) => formatFixture(`bert/${name}`));
  const sentencePiece = soundSentencePiece();
  const heads = soundHeads();
  return [
    { name: 'gguf', share: 22, make: (random) => ({ gguf: mutateGguf(parsed, random) }) },
    { name: 'gguf bytes', share: 6, make: (random) => ({ gguf: damageBytes(random.pick(soundGguf), random) }) },
    {
      name: 'safetensors',
      share: 14,
      make: (random) => ({ files: { 'model.safetensors': mutateSafetensors(random) } }),
    },
    {
      name: 'pickle',
      share: 8,
      make: (random) => ({
        files: {
          'model.safetensors': undefined,
          'pytorch_model.bin': torchFile(damageBytes(torch.pickle, random), ...torch.storages),
        },
      }),
    },
    {
      name: 'torch bytes',
      share: 4,
      make: (random) => ({
        files: { 'model.safetensors': undefined, 'pytorch_model.bin': damageBytes(random.pick(bins), random) },
      }),
    },
    {
      name: 'hdf5',
      share: 12,
      make: (random) => {
        const { bytes, fields, places } = random.pick(h5);
        if (random.chance(3)) return { files: { ...h5Files, 'tf_model.h5': damageBytes(bytes, random, places) } };
        let copy = bytes;
        for (let edits = random.below(3); edits >= 0; edits--) {
          const field = random.pick(fields);
          // An address of something else in the file leads further than one outside.
          const other = random.pick(fields);
          const value = random.chance(3)
            ? random.pick(ODD_NUMBERS)
            : readField(bytes, other) + BigInt(random.below(3) - 1);
          copy = withField(copy, field, value);
        }
        return { files: { ...h5Files, 'tf_model.h5': copy } };
      },
    },
    {
      name: 'onnx',
      share: 4,
      make: (random) => ({ files: { ...h5Files, 'model.onnx': damageBytes(random.pick(exports), random) } }),
    },
    { name: 'index', share: 3, make: (random) => ({ files: mutateIndex(random) }) },
    { name: 'config.json', share: 6, make: (random) => json('config.json', CONFIG, random) },
    { name: 'tokenizer.json', share: 6, make: (random) => json('tokenizer.json', TOKENIZER, random) },
    {
      name: 'tokenizer_config.json',
      share: 2,
      make: (random) => json('tokenizer_config.json', TOKENIZER_CONFIG, random),
    },
    {
      name: 'vocab.txt',
      share: 2,
      make: (random) => ({
        files: { 'vocab.txt': damageBytes(Buffer.from(VOCAB_TXT), random), 'tokenizer.json': undefined },
      }),
    },
    {
      name: 'bpe.codes',
      share: 2,
      make: (random) => {
        const name = random.pick(['vocab.txt', 'bpe.codes'] as const);
        return { files: { ...SUBWORDS, [name]: damageBytes(Buffer.from(SUBWORDS[name]), random) } };
      },
    },
    {
      name: 'sentencepiece',
      share: 3,
      make: (random) => ({ files: sentencePieceFiles(damageBytes(sentencePiece, random)) }),
    },
    {
      name: 'adapter',
      share: 4,
      make: (random) => {
        const isConfig = random.chance(2);
        const { config, tensors } = random.pick(soundAdapters());
        const text = JSON.stringify(isConfig ? damageJson(config, random) : config);
        const weights = isConfig ? weightsOf(tensors) : mutateSafetensors(random, tensors);
        return { files: adapterFiles(text, weights), isAdapter: true };
      },
    },
    { name: 'setfit', share: 4, make: (random) => ({ files: setFitFiles(mutateHead(heads, random), {}) }) },
  ];
}

function readField(bytes: Buffer, { at, width }: { at: number; width: number }): bigint {
  const whole = Buffer.alloc(8);
  bytes.copy(whole, 0, at, at + width);
  return whole.readBigUInt64LE();
}

function json(file: string, sound: object, random: Random): Pick<Case, 'files'> {
  const changed = Buffer.from(JSON.stringify(damageJson(sound, random)));
  return { files: { [file]: random.chance(5) ? damageBytes(changed, random) : changed } };
}

function mutateSafetensors(random: Random, tensors = soundTensors()): Buffer {
  const { header, data } = layOut(tensors);
  const table: Record<string, unknown> = { ...header };
  for (let edits = random.below(3); edits >= 0; edits--) {
    const name = random.pick(Object.keys(header));
    const tensor = { ...header[name]! };
    switch (random.below(7)) {
      case 0:
        table[name] = {
          ...tensor,
          shape: tensor.shape.map((size) => (random.chance(2) ? size : Number(random.pick(ODD_NUMBERS)))),
        };
        break;
      case 1:
        table[name] = {
          ...tensor,
          data_offsets: tensor.data_offsets.map((at) =>
            random.chance(2) ? at + random.below(9) - 4 : Number(random.pick(ODD_NUMBERS)),
          ),
        };
        break;
      case 2:
        table[name] = { ...tensor, dtype: random.pick(['F16', 'BF16', 'F64', 'I64', 'F8_E4M3', 'BOOL', 'x', '']) };
        break;
      case 3:
        Reflect.deleteProperty(table, name);
        break;
      case 4:
        table[`${name}${random.pick(['', '\0', 'x', '.weight'])}`] = table[random.pick(Object.keys(header))];
        break;
      case 5:
        table[name] = random.pick(ODD_VALUES);
        break;
      default:
        table['__metadata__'] = random.pick(ODD_VALUES);
    }
  }
  let bytes = Buffer.from(data);
  if (random.chance(4))
    bytes.writeFloatLE(random.pick([NaN, Infinity, -Infinity, 3e38, 1e-45]), 4 * random.below(bytes.length / 4));
  if (random.chance(6)) bytes = bytes.subarray(0, random.below(bytes.length));
  const file = safetensors(table, bytes);
  if (random.chance(6)) file.writeBigUInt64LE(random.pick(ODD_NUMBERS), 0);
  return random.chance(4) ? damageBytes(file, random) : file;
}

function mutateIndex(random: Random): Case['files'] & object {
  const { header, data } = layOut(soundTensors());
  const names = Object.keys(header);
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
  const parts = soundTensors();
  const of = (shard: number) =>
    layOut(Object.fromEntries(names.filter((_, i) => i % 2 === shard).map((name) => [name, parts[name]!])));
  const map = Object.fromEntries(names.map((name, index) => [name, shards[index % 2]]));
  const index = { metadata: { total_size: data.length }, weight_map: map };
  const changed = Buffer.from(JSON.stringify(random.chance(3) ? index : damageJson(index, random)));
  return {
    'model.safetensors': undefined,
    'model.safetensors.index.json': random.chance(3) ? damageBytes(changed, random) : changed,
    [shards[0]]: safetensors(of(0).header, of(0).data),
    [shards[1]]: random.chance(8)
      ? damageBytes(safetensors(of(1).header, of(1).data), random)
      : safetensors(of(1).header, of(1).data),
  };
}

function oddEntry(random: Random): { type: number; value: Buffer } {
  const number = random.pick(ODD_NUMBERS);
  switch (random.below(9)) {
    case 0:
      return { type: 4, value: u32(Number(number & 0xffff_ffffn)) };
    case 1:
      return { type: 5, value: u32(Number(number & 0xffff_ffffn)) };
    case 2:
      return { type: 10, value: u64(number) };
    case 3:
      return { type: 6, value: f32(random.pick([0, 1, -1, NaN, Infinity, 1e-12, 1e30])) };
    case 4:
      return { type: 7, value: Buffer.of(random.below(3)) };
    case 5:
      return {
        type: 8,
        value: text(random.pick(['', 'gelu', 'relu', 'bert', 'cls', 'mean', 'rope', 'pre', '\0', '{}'])),
      };
    case 6:
      return { type: 8, value: u64(number) };
    case 7: {
      const type = random.pick([0, 4, 5, 6, 7, 8, 9, 10, 12]);
      return { type: 9, value: Buffer.concat([u32(type), u64(number)]) };
    }
    default: {
      const count = random.below(4);
      const items = Array.from({ length: count }, () => f32(random.below(100) / 8));
      return { type: 9, value: Buffer.concat([u32(6), u64(count), ...items]) };
    }
  }
}

/** Keys that the loader knows and that no sound file has; `bert.` stands for the architecture of each. */
const OTHER_KEYS = [
  'general.alignment',
  'bert.attention.head_count_kv',
  'bert.attention.key_length',
  'bert.attention.sliding_window',
  'bert.attention.scale',
  'bert.attn_logit_softcapping',
  'bert.final_logit_softcapping',
  'bert.embedding_scale',
  'bert.attention.layer_norm_rms_epsilon',
  'ggml_encoder.norm_kind',
  'ggml_encoder.ffn_kind',
  'ggml_encoder.attention.local_layers',
  'ggml_encoder.attention.first_is_global',
  'ggml_encoder.rope.inv_freq',
  'ggml_encoder.rope.inv_freq_local',
  'ggml_encoder.rope.inv_freq_long',
  'ggml_encoder.rope.attention_factor',
  'ggml_encoder.rope.before_norms',
  'bert.rope.scaling.original_context_length',
  'ggml_encoder.attention.bias_slopes',
  'ggml_encoder.narrow_size',
  'ggml_encoder.ffn_count',
  'ggml_encoder.embedding_width',
  'ggml_encoder.dropped_token_id',
  'ggml_encoder.uncounted_token_id',
  'ggml_encoder.convolution.width',
  'ggml_encoder.convolution.activation',
  'ggml_encoder.layer_weights',
  'ggml_encoder.head.pad_token_id',
  'ggml_encoder.head.eos_token_id',
  'ggml_encoder.head.layer_norm_epsilon',
  'bert.decoder_block_count',
  'bert.decoder_start_token_id',
  'ggml_encoder.decoder.head_count',
  'ggml_encoder.decoder.feed_forward_length',
  'ggml_encoder.position_buckets',
  'ggml_encoder.max_relative_positions',
  'ggml_encoder.pos_att_type',
  'tokenizer.chat_template',
  'ggml_encoder.chat.variables',
  'ggml_encoder.chat.values',
  'ggml_encoder.chat.answer',
  'ggml_encoder.chat.generation_prompt',
  'ggml_encoder.truncation_side',
  'ggml_encoder.chat_template.pieces',
  'ggml_encoder.chat_template.slots',
  'ggml_encoder.chat_template.adds_special_tokens',
];

/** Values that a switch of the graph can have: a mutant with them gets further than one with nonsense. */
const SWITCHES: Readonly<Record<string, readonly string[]>> = {
  'ggml_encoder.norm_kind': ['layer', 'rms', 'none'],
  'ggml_encoder.norm_placement': ['post', 'pre', 'branch', 'sandwich', 'parallel'],
  'ggml_encoder.position_kind': [
    ...['absolute', 'rope', 'relative-bias', 'relative-bias-only', 'linear-bias', 'disentangled', 'none'],
  ],
  'ggml_encoder.ffn_kind': ['mlp', 'glu'],
  'ggml_encoder.head.score': ['rows', 'difference', 'expectation'],
  'ggml_encoder.head.pooling': [...['cls', 'mean', 'mean_sqrt_len', 'weighted_mean', 'max', 'last', 'eos', 'late']],
  'ggml_encoder.head.activation': ['tanh', 'relu', 'gelu', 'gelu_new', 'silu', 'identity', 'none'],
  'bert.hidden_activation': ['gelu', 'gelu_new', 'relu', 'silu', 'tanh'],
};

function architectureOf({ entries }: GgufParts): string {
  return entries
    .find(({ key }) => key.toString() === 'general.architecture')!
    .value.subarray(8)
    .toString();
}

/** Lays an entry or a tensor of another sound file into this one, in the place of its own when it has it. */
function graft(parts: GgufParts, architecture: string, other: GgufParts, random: Random): void {
  if (random.chance(2)) {
    const tensor = random.pick(other.tensors);
    parts.tensors = [...parts.tensors.filter(({ name }) => !name.equals(tensor.name)), { ...tensor }];
    return;
  }
  const item = random.pick(other.entries);
  const key = Buffer.from(item.key.toString().replace(`${architectureOf(other)}.`, `${architecture}.`));
  parts.entries = [...parts.entries.filter((own) => !own.key.equals(key)), { ...item, key }];
}

/** Of the edits of `mutateGguf` those that mostly leave a file that can be read: the rest is the loader's to judge. */
const READABLE_EDITS = [4, 8, 9, 9, 10, 12, 12, 13];
const EDITS = Array.from({ length: 14 }, (_, edit) => edit);

function mutateGguf(sound: readonly GgufParts[], random: Random): Buffer {
  const parts = copyParts(random.pick(sound));
  const architecture = architectureOf(parts);
  const ownKey = (key: string) => key.replace(/^bert\./, `${architecture}.`);
  const isReadable = random.chance(2);
  let isLaidOut = true;
  const pickTensor = () => random.pick(parts.tensors);
  for (let edits = random.below(4); edits >= 0 && parts.tensors.length > 0 && parts.entries.length > 0; edits--) {
    switch (random.pick(isReadable ? READABLE_EDITS : EDITS)) {
      case 0: {
        const tensor = pickTensor();
        tensor.dims[random.below(tensor.dims.length)] = random.pick(ODD_NUMBERS);
        break;
      }
      case 1: {
        const tensor = pickTensor();
        const axis = random.below(tensor.dims.length);
        tensor.dims[axis] = BigInt.asUintN(64, tensor.dims[axis]! + BigInt(random.below(5) - 2));
        break;
      }
      case 2:
        pickTensor().offset = random.chance(2) ? random.pick(ODD_NUMBERS) : pickTensor().offset;
        isLaidOut = false;
        break;
      case 3:
        pickTensor().type = random.pick([0, 1, 2, 3, 6, 7, 8, 12, 14, 30, 31, 255, 0xffff_ffff]);
        break;
      case 4:
        parts.tensors.splice(random.below(parts.tensors.length), 1);
        break;
      case 5: {
        const tensor = pickTensor();
        parts.tensors.push({
          ...tensor,
          name: random.chance(2) ? tensor.name : Buffer.from(`${tensor.name.toString()}x`),
        });
        break;
      }
      case 6:
        pickTensor().name = random.chance(2) ? pickTensor().name : damageBytes(pickTensor().name, random);
        break;
      case 7:
        Object.assign(random.pick(parts.entries), oddEntry(random));
        break;
      case 8: {
        const key = ownKey(random.pick(OTHER_KEYS));
        parts.entries.push(entry(key, ...(Object.values(oddEntry(random)) as [number, Buffer])));
        break;
      }
      case 9: {
        const name = random.pick(Object.keys(SWITCHES));
        const key = ownKey(name);
        const value = text(random.pick(SWITCHES[name]!));
        const found = parts.entries.find((item) => item.key.toString() === key);
        if (found === undefined) parts.entries.push(entry(key, 8, value));
        else Object.assign(found, { type: 8, value });
        break;
      }
      case 10:
        parts.entries.splice(random.below(parts.entries.length), 1);
        break;
      case 11: {
        const tokenizer = parts.entries.find((item) => item.key.toString() === 'tokenizer.huggingface.json');
        if (tokenizer === undefined) break;
        const changed = JSON.stringify(damageJson(TOKENIZER, random));
        tokenizer.value = text(random.chance(4) ? damageBytes(Buffer.from(changed), random) : changed);
        break;
      }
      case 12:
        graft(parts, architecture, random.pick(sound), random);
        break;
      default: {
        const tensor = pickTensor();
        tensor.data = Buffer.from(tensor.data);
        tensor.data.writeUInt32LE(
          random.pick([0x7fc0_0000, 0x7f80_0000, 0xff80_0000, 0x7f7f_ffff, 1]),
          4 * random.below(Math.floor(tensor.data.length / 4)),
        );
      }
    }
  }
  if (isReadable) return buildGguf(relayout(parts));
  if (isLaidOut && random.chance(2)) relayout(parts);
  if (random.chance(20)) parts.numEntries = random.pick(ODD_NUMBERS);
  if (random.chance(20)) parts.numTensors = random.pick(ODD_NUMBERS);
  const bytes = buildGguf(parts);
  if (random.chance(15)) return bytes.subarray(0, random.below(bytes.length));
  return random.chance(15) ? Buffer.concat([bytes, Buffer.alloc(random.below(200))]) : bytes;
}
