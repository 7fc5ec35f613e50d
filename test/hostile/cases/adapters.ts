/** Hand-made LoRA adapters over the sound checkpoint: every setting with odd values, tensors that do not fit one another. */
import type { Case } from '../case';
import { jsonVariants } from '../random';
import { type SoundTensor, layOut, safetensors, tensorsByPart } from '../sound';

const H = 4;
const RANK = 2;
const QUERY = 'base_model.model.bert.encoder.layer.0.attention.self.query';
const HEAD = 'base_model.model.classifier.weight';

export const ADAPTER_CONFIG = {
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

export function adapterTensors(): Record<string, SoundTensor> {
  const { tensors, add, linear } = tensorsByPart(H);
  for (const module of [QUERY, QUERY.replace('query', 'value')]) {
    add(`${module}.lora_A.weight`, RANK, H);
    add(`${module}.lora_B.weight`, H, RANK);
  }
  linear('base_model.model.classifier', 2, H);
  return tensors;
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
  add('sound', ADAPTER_CONFIG, sound, 'accepted');
  for (const document of ['', '{', '[]', 'null', '['.repeat(100_000), '{"__proto__":{"peft_type":"LORA"}}']) {
    add(`configuration ${document.slice(0, 12)}`, document, sound, 'refused');
  }
  let count = 0;
  for (const config of jsonVariants(ADAPTER_CONFIG)) add(`variant ${count++}`, config, sound);
  const changed = (
    name: string,
    change: (tensors: Record<string, SoundTensor>) => void,
    expect: Case['expect'] = 'refused',
  ) => {
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
  for (const name of Object.keys(adapterTensors())) {
    // The base has a head too.
    const isHead = name.includes('classifier');
    changed(`without ${name}`, (t) => Reflect.deleteProperty(t, name), isHead ? 'accepted' : 'refused');
    changed(`${name} of no dimension`, (t) => (t[name] = tensor()));
    changed(`${name} of three dimensions`, (t) => (t[name] = { ...t[name]!, shape: [...t[name]!.shape, 1] }));
    changed(`${name} of nothing`, (t) => (t[name] = tensor(0, H)));
    changed(`${name} of integers`, (t) => (t[name] = { ...t[name]!, dtype: 'I32' }));
    for (const value of [NaN, Infinity, 3e38]) {
      changed(
        `${name} holds ${value}`,
        (t) => t[name]!.data.writeFloatLE(value, 0),
        Number.isFinite(value) ? 'any' : 'refused',
      );
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

export function weightsOf(tensors: Readonly<Record<string, SoundTensor>>): Buffer {
  const { header, data } = layOut(tensors);
  return safetensors(header, data);
}
