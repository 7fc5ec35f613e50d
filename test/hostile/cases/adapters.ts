/** Hand-made adapters (LoRA, also of embeddings and as DoRA, and IA3) over the sound checkpoint: every setting with odd values, tensors that do not fit one another. */
import type { Case } from '../case';
import { jsonVariants } from '../random';
import { type SoundTensor, layOut, safetensors, tensorsByPart } from '../sound';

const H = 4;
const F = 8;
const ROWS = 10;
const RANK = 2;
const QUERY = 'base_model.model.bert.encoder.layer.0.attention.self.query';
const VALUE = QUERY.replace('query', 'value');
const HEAD = 'base_model.model.classifier.weight';

const ADAPTER_CONFIG = {
  peft_type: 'LORA',
  task_type: 'SEQ_CLS',
  base_model_name_or_path: './base',
  r: RANK,
  lora_alpha: 8,
  use_rslora: false,
  fan_in_fan_out: false,
  use_dora: false,
  lora_bias: false,
  init_lora_weights: true,
  layer_replication: null,
  alpha_pattern: { query: 4, '^bert.x': 1 },
  target_modules: ['query', 'value'],
  modules_to_save: ['classifier'],
};

type Tensors = Record<string, SoundTensor>;

/** Tensors of the adapter beside a new head, by what adds one of a name and a shape. */
function withHead(fill: (add: (name: string, ...shape: number[]) => void) => void): Tensors {
  const { tensors, add, linear } = tensorsByPart(H);
  fill(add);
  linear('base_model.model.classifier', 2, H);
  return tensors;
}

function adapterTensors(): Tensors {
  return withHead((add) => {
    for (const module of [QUERY, VALUE]) {
      add(`${module}.lora_A.weight`, RANK, H);
      add(`${module}.lora_B.weight`, H, RANK);
    }
  });
}

export interface SoundAdapter {
  readonly name: string;
  readonly config: object;
  readonly tensors: Tensors;
}

/** One of each kind, made anew each time. */
export function soundAdapters(): SoundAdapter[] {
  const magnitudes = withHead((add) => {
    for (const module of [QUERY, VALUE]) add(`${module}.lora_magnitude_vector`, H);
  });
  const factors = withHead((add) => {
    add(`${QUERY}.ia3_l`, H, 1);
    add('base_model.model.bert.encoder.layer.0.output.dense.ia3_l', 1, F);
  });
  const embeddings = withHead((add) => {
    add('base_model.model.bert.embeddings.word_embeddings.lora_embedding_A', RANK, ROWS);
    add('base_model.model.bert.embeddings.word_embeddings.lora_embedding_B', H, RANK);
  });
  const { r: _, lora_alpha: __, alpha_pattern: ___, ...plain } = ADAPTER_CONFIG;
  const ia3 = { ...plain, peft_type: 'IA3', feedforward_modules: ['output.dense'], init_ia3_weights: true };
  return [
    { name: 'LoRA', config: ADAPTER_CONFIG, tensors: adapterTensors() },
    { name: 'DoRA', config: { ...ADAPTER_CONFIG, use_dora: true }, tensors: { ...adapterTensors(), ...magnitudes } },
    { name: 'IA3', config: ia3, tensors: factors },
    { name: 'LoRA of embeddings', config: ADAPTER_CONFIG, tensors: { ...adapterTensors(), ...embeddings } },
  ];
}

/** The files of an adapter in the place of the sound checkpoint's. */
export function adapterFiles(config: string | Uint8Array, weights: Uint8Array): Case['files'] & object {
  const whole = ['config.json', 'vocab.txt', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];
  return {
    ...Object.fromEntries(whole.map((name) => [name, undefined])),
    'adapter_config.json': config,
    'adapter_model.safetensors': weights,
  };
}

export function adapterCases(): Case[] {
  const cases: Case[] = [];
  const sound = weightsOf(adapterTensors());
  const add = (name: string, config: unknown, weights: Uint8Array, expect: Case['expect'] = 'any') => {
    const text = typeof config === 'string' ? config : JSON.stringify(config);
    cases.push({ name: `adapter/${name}`, files: adapterFiles(text, weights), isAdapter: true, expect });
  };
  for (const document of ['', '{', '[]', 'null', '['.repeat(100_000), '{"__proto__":{"peft_type":"LORA"}}']) {
    add(`configuration ${document.slice(0, 12)}`, document, sound, 'refused');
  }
  const changed = (name: string, change: (tensors: Tensors) => void, expect: Case['expect'] = 'refused') => {
    const tensors = adapterTensors();
    change(tensors);
    add(name, ADAPTER_CONFIG, weightsOf(tensors), expect);
  };
  const [a, b] = ['A', 'B'].map((letter) => `${QUERY}.lora_${letter}.weight`) as [string, string];
  const tensor = (...shape: number[]): SoundTensor => {
    const { tensors, add: put } = tensorsByPart(H);
    put('x', ...shape);
    return tensors['x']!;
  };
  for (const [kind, { name: kindName, config, tensors: own }] of soundAdapters().entries()) {
    add(`${kindName} sound`, config, weightsOf(own), 'accepted');
    let count = 0;
    for (const variant of jsonVariants(config)) add(`${kindName} variant ${count++}`, variant, weightsOf(own));
    for (const name of Object.keys(own)) {
      const damaged = (what: string, change: (tensors: Tensors) => void, expect: Case['expect'] = 'refused') => {
        const { tensors } = soundAdapters()[kind]!;
        change(tensors);
        add(`${kindName} ${what}`, config, weightsOf(tensors), expect);
      };
      // The base has a head too, and IA3 changes what it has factors for.
      const isLeftOut = name.includes('classifier') || name.endsWith('ia3_l');
      damaged(`without ${name}`, (t) => Reflect.deleteProperty(t, name), isLeftOut ? 'accepted' : 'refused');
      damaged(`${name} of no dimension`, (t) => (t[name] = tensor()));
      damaged(`${name} of more dimensions`, (t) => (t[name] = { ...t[name]!, shape: [...t[name]!.shape, 1, 1] }));
      damaged(`${name} of nothing`, (t) => (t[name] = tensor(0, H)));
      damaged(`${name} of integers`, (t) => (t[name] = { ...t[name]!, dtype: 'I32' }));
      for (const value of [NaN, Infinity, 3e38, 0]) {
        const expect = Number.isFinite(value) ? 'any' : 'refused';
        damaged(`${name} holds ${value}`, (t) => t[name]!.data.writeFloatLE(value, 0), expect);
        damaged(
          `${name} is all ${value}`,
          (t) => t[name]!.data.fill(Buffer.from(Float32Array.of(value).buffer)),
          expect,
        );
      }
    }
  }
  changed('rank 0', (t) => Object.assign(t, { [a]: tensor(0, H), [b]: tensor(H, 0) }));
  changed('rank 1000', (t) => Object.assign(t, { [a]: tensor(1000, H), [b]: tensor(H, 1000) }), 'accepted');
  changed('A and B exchanged', (t) => Object.assign(t, { [a]: t[b], [b]: t[a] }));
  for (const part of ['lora_embedding_A', 'lora_magnitude_vector', 'lora_B.bias', 'ia3_l', 'oft_r', 'x']) {
    changed(`a tensor ${part}`, (t) => (t[`${QUERY}.${part}`] = tensor(1)));
  }
  for (const name of ['', '.', 'base_model.model.', 'base_model.model..lora_A.weight', `${QUERY}.lora_A.weight.x`]) {
    changed(`a tensor named ${JSON.stringify(name)}`, (t) => (t[name] = tensor(1)));
  }
  changed(
    'the head under its old name',
    (t) => {
      t[HEAD.replace('.weight', '.modules_to_save.weight')] = t[HEAD]!;
      Reflect.deleteProperty(t, HEAD);
    },
    'accepted',
  );
  return cases;
}

export function weightsOf(tensors: Readonly<Tensors>): Buffer {
  const { header, data } = layOut(tensors);
  return safetensors(header, data);
}
