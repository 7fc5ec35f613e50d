// Adapters of other kinds than those that are merged, and those that do not fit their base.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { type ConvertOptions, convert } from '../../../src/convert/convert';
import { isEncoderError } from '../../../src/errors';
import {
  type AdapterChanges,
  adapterModel,
  addWrapped,
  halved,
  writeAdapter,
  writeBase,
} from '../../golden/adapter-checkpoints';
import { type TinyTensor, floats, temporaryFolder, writeSafetensors } from './temp-folder';

const model = adapterModel('roberta-masked');
const QUERY = 'base_model.model.roberta.encoder.layer.0.attention.self.query';

/** 'code: message', or 'converted'. */
async function outcome(source: string, options: Partial<ConvertOptions> = {}): Promise<string> {
  return convert(source, { output: join(temporaryFolder(), 'out.gguf'), ...options }).then(
    () => 'converted',
    (error: unknown) => {
      if (!isEncoderError(error)) throw error;
      return `${error.code}: ${error.message}`;
    },
  );
}

async function refusal(changes: AdapterChanges): Promise<string> {
  return outcome(writeAdapter(model, writeBase(model, changes), changes));
}

function remove(tensors: Record<string, TinyTensor>, isRemoved: (name: string) => boolean): void {
  for (const name of Object.keys(tensors)) if (isRemoved(name)) Reflect.deleteProperty(tensors, name);
}

function renamed(tensors: Record<string, TinyTensor>, from: string, to: string): void {
  tensors[to] = tensors[from]!;
  remove(tensors, (name) => name === from);
}

describe('adapter_config.json', () => {
  it.each<[Record<string, unknown>, string, string]>([
    [{ peft_type: 'LOHA' }, 'architecture_unsupported', 'peft_type is LOHA'],
    [{ peft_type: 'IA3' }, 'architecture_unsupported', 'which is no part of an IA3'],
    [{ peft_type: null }, 'architecture_unsupported', 'peft_type is absent'],
    [{ task_type: 'TOKEN_CLS' }, 'architecture_unsupported', 'task_type is TOKEN_CLS'],
    [{ task_type: 'CAUSAL_LM' }, 'architecture_unsupported', 'RobertaForMaskedLM'],
    [{ use_dora: true }, 'checkpoint_malformed', 'no lora_magnitude_vector of roberta'],
    [{ use_dora: 'yes' }, 'checkpoint_malformed', 'use_dora'],
    [{ use_qalora: true }, 'architecture_unsupported', 'use_qalora'],
    [{ alora_invocation_tokens: [1, 2] }, 'architecture_unsupported', 'alora_invocation_tokens'],
    [{ arrow_config: { top_k: 3 } }, 'architecture_unsupported', 'arrow_config'],
    [{ target_parameters: ['experts.down_proj'] }, 'architecture_unsupported', 'target_parameters'],
    [{ monteclora_config: { n: 1 } }, 'architecture_unsupported', 'monteclora_config'],
    [{ a_setting_of_tomorrow: 1 }, 'architecture_unsupported', 'a_setting_of_tomorrow'],
    [{ init_lora_weights: 'lora_ga' }, 'architecture_unsupported', '"lora_ga"'],
    [{ lora_bias: true }, 'architecture_unsupported', 'lora_bias'],
    [{ layer_replication: [[0, 2]] }, 'architecture_unsupported', 'layer_replication'],
    [{ trainable_token_indices: { embed_tokens: [1] } }, 'architecture_unsupported', 'trainable_token_indices'],
    [{ init_lora_weights: 'pissa' }, 'architecture_unsupported', '"pissa"'],
    [{ alpha_pattern: { 'layer.[01].*query': 3 } }, 'architecture_unsupported', 'layer.[01].*query'],
    [{ alpha_pattern: { query: 'much' } }, 'checkpoint_malformed', 'alpha_pattern'],
    [{ lora_alpha: 'much' }, 'checkpoint_malformed', 'lora_alpha'],
    [{ use_rslora: 1 }, 'checkpoint_malformed', 'use_rslora'],
    [{ base_model_name_or_path: 3 }, 'checkpoint_malformed', 'base_model_name_or_path'],
  ])('%j', async (config, code, word) => {
    const message = await refusal({ config });
    expect(message).toMatch(new RegExp(`^${code}: `));
    expect(message).toContain(word);
  });

  it.each([
    { task_type: null },
    { layer_replication: null, trainable_token_indices: {} },
    { init_lora_weights: 'eva' },
    { init_lora_weights: 'mica', kasa_config: null, target_modules: 'all-linear', exclude_modules: ['key'] },
    { layers_to_transform: [0], layers_pattern: 'layer', velora_config: { rank: 2 } },
  ])('may say %j', async (config) => {
    expect(await refusal({ config })).toBe('converted');
  });
});

describe('alpha_pattern', () => {
  const names = Array.from({ length: 200_000 }, (_, index) => `m${index.toString(36)}.query`);

  it('costs no look at every name for every module', async () => {
    const modules = Array.from({ length: 4000 }, (_, index) => `roberta.more.${index}.query`);
    const one = { shape: [1, 1], data: floats(1) };
    const start = process.cpuUsage();
    const message = await refusal({
      config: { alpha_pattern: Object.fromEntries(names.map((name) => [name, 1])) },
      baseTensors: (t) => modules.forEach((name) => (t[`${name}.weight`] = one)),
      tensors: (t) =>
        modules.forEach((name) => {
          for (const letter of 'AB') t[`base_model.model.${name}.lora_${letter}.weight`] = one;
        }),
    });
    expect(message).toMatch(/^architecture_unsupported: .*roberta\.more\.\d+\.query/);
    // 800 million comparisons take longer.
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(8);
  });

  it('has no names longer than those of modules', async () => {
    const message = await refusal({ config: { alpha_pattern: { ['query.'.repeat(200)]: 1 } } });
    expect(message).toMatch(/^architecture_unsupported: .*no name of a module/);
  });
});

describe('the tensors of an adapter', () => {
  it('are read whole within a limit', async () => {
    const folder = writeAdapter(model, writeBase(model));
    const message = await outcome(folder, { limits: { rearrangedBytes: 500 } });
    expect(message).toMatch(/^limit_exceeded: .*lora_A\.weight has 512 bytes.*rearrangedBytes is 500/);
    expect(await outcome(folder, { limits: { rearrangedBytes: 512 } })).toBe('converted');
  });

  it.each<[string, (tensors: Record<string, TinyTensor>) => void, string, string]>([
    [
      'lack a B',
      (t) => remove(t, (name) => name === `${QUERY}.lora_B.weight`),
      'checkpoint_malformed',
      'one of lora_A and lora_B of roberta',
    ],
    [
      'change a module that the base lacks',
      (t) => {
        for (const letter of 'AB')
          renamed(t, `${QUERY}.lora_${letter}.weight`, `${QUERY.replace('layer.0', 'layer.7')}.lora_${letter}.weight`);
      },
      'checkpoint_malformed',
      'roberta.encoder.layer.7.attention.self.query.weight',
    ],
    [
      'are of another rank',
      (t) => (t[`${QUERY}.lora_B.weight`] = { shape: [32, 2], data: floats(...new Array<number>(64).fill(1)) }),
      'tensor_shape_mismatch',
      "[4, 32] and lora_B [32, 2] of roberta.encoder.layer.0.attention.self.query do not fit the base's [32, 32]",
    ],
    [
      'are of another width',
      (t) => (t[`${QUERY}.lora_A.weight`] = { shape: [4, 16], data: floats(...new Array<number>(64).fill(1)) }),
      'tensor_shape_mismatch',
      '[4, 16]',
    ],
    [
      'have magnitudes',
      (t) => (t[`${QUERY}.lora_magnitude_vector`] = { shape: [1], data: floats(1) }),
      'architecture_unsupported',
      'lora_magnitude_vector',
    ],
    [
      'change half of an embedding',
      (t) =>
        (t['base_model.model.roberta.embeddings.word_embeddings.lora_embedding_A'] = { shape: [1], data: floats(1) }),
      'checkpoint_malformed',
      'one of lora_A and lora_B of roberta.embeddings.word_embeddings',
    ],
    [
      'train single tokens',
      (t) =>
        (t['base_model.model.roberta.embeddings.word_embeddings.token_adapter.trainable_tokens_delta'] = {
          shape: [1, 32],
          data: floats(...new Array<number>(32).fill(1)),
        }),
      'architecture_unsupported',
      'trainable_tokens_delta',
    ],
    [
      'are not named as PEFT names them',
      (t) => renamed(t, `${QUERY}.lora_A.weight`, 'query.lora_A.weight'),
      'checkpoint_malformed',
      'query.lora_A.weight',
    ],
    [
      'are integers',
      (t) => (t[`${QUERY}.lora_A.weight`] = { ...t[`${QUERY}.lora_A.weight`]!, dtype: 'I32' }),
      'dtype_unsupported',
      'I32',
    ],
    ['hold no head', (t) => remove(t, (name) => name.includes('classifier')), 'tensor_missing', 'classifier'],
    [
      'hold what the model has no place for',
      (t) => (t['base_model.model.adapter.weight'] = { shape: [1], data: floats(1) }),
      'architecture_unsupported',
      'adapter.weight',
    ],
    [
      'hold a trained bias twice, and not alike',
      (t) => {
        addWrapped(t, ['classifier']);
        const copy = t['base_model.model.classifier.modules_to_save.default.dense.bias']!;
        t['base_model.model.classifier.modules_to_save.default.dense.bias'] = {
          ...copy,
          data: copy.data.map((x) => x ^ 1),
        };
      },
      'checkpoint_malformed',
      'classifier.dense.bias and base_model.model.classifier.modules_to_save.default.dense.bias, which PEFT saves alike',
    ],
    [
      'hold a trained bias twice, in two types',
      (t) => {
        addWrapped(t, ['classifier']);
        const copy = 'base_model.model.classifier.modules_to_save.default.dense.bias';
        t[copy] = halved(t[copy]!);
      },
      'checkpoint_malformed',
      'which PEFT saves alike and which differ',
    ],
    [
      'hold what was not trained in the place of what was',
      (t) =>
        renamed(t, 'base_model.model.classifier.dense.bias', 'base_model.model.classifier.original_module.dense.bias'),
      'checkpoint_malformed',
      'classifier.original_module.dense.bias, which was not trained',
    ],
    ['hold no change', (t) => remove(t, (name) => name.includes('lora_')), 'checkpoint_malformed', 'no lora_A'],
    [
      'are not finite',
      (t) => new DataView(t[`${QUERY}.lora_B.weight`]!.data.buffer).setFloat32(0, NaN, true),
      'weights_not_finite',
      'roberta.encoder.layer.0.attention.self.query.weight',
    ],
  ])('%s', async (_, tensors, code, word) => {
    const message = await refusal({ tensors });
    expect(message).toMatch(new RegExp(`^${code}: `));
    expect(message).toContain(word);
  });

  it('may be halves beside a base of halves', async () => {
    const all = (tensors: Record<string, TinyTensor>) => {
      for (const [name, tensor] of Object.entries(tensors)) tensors[name] = halved(tensor);
    };
    expect(await refusal({ tensors: all, baseTensors: all })).toBe('converted');
  });

  it('cannot change a base of integers', async () => {
    const name = 'roberta.encoder.layer.0.attention.self.query.weight';
    const message = await refusal({ baseTensors: (t) => (t[name] = { ...t[name]!, dtype: 'I32' }) });
    expect(message).toMatch(/^dtype_unsupported: .*attention\.self\.query\.weight.*I32/);
  });
});

describe('the parts of an adapter', () => {
  it.each<[string, string, readonly number[]]>([
    ['roberta-dora', 'lora_magnitude_vector', [31]],
    ['bert-ia3', 'ia3_l', [31, 1]],
  ])('of %s fit the base', async (name, part, shape) => {
    const other = adapterModel(name);
    const tensors = (all: Record<string, TinyTensor>) => {
      const first = Object.keys(all).find((key) => key.endsWith(part))!;
      all[first] = { shape, data: floats(...new Array<number>(31).fill(1)) };
    };
    const message = await outcome(writeAdapter(other, writeBase(other), { tensors }));
    expect(message).toMatch(/^tensor_shape_mismatch: .*\[31.* does not fit the base's/);
    expect(message).toContain(part);
  });
});

describe('the base of an adapter', () => {
  it('must be named', async () => {
    expect(await outcome(writeAdapter(model, undefined))).toMatch(/^checkpoint_malformed: .*name it with base/);
  });

  it('must be there', async () => {
    const folder = writeAdapter(model, './no/such/base');
    expect(await outcome(folder)).toMatch(/^checkpoint_not_found: .*"\.\/no\/such\/base".* with base/);
  });

  it('must be no adapter itself', async () => {
    const folder = writeAdapter(model, writeAdapter(model, writeBase(model)));
    expect(await outcome(folder)).toMatch(/^checkpoint_not_found: .*is an adapter itself/);
  });

  it('must have a configuration', async () => {
    const base = writeBase(model);
    rmSync(join(base, 'config.json'));
    expect(await outcome(writeAdapter(model, base))).toMatch(/^checkpoint_not_found: .*config\.json/);
  });

  it('is an error beside a whole model', async () => {
    await expect(convert(writeBase(model), { output: 'out.gguf', base: 'x' })).rejects.toThrow(RangeError);
  });
});

describe('a folder', () => {
  it('with an adapter and no weights of it says so', async () => {
    const folder = writeAdapter(model, writeBase(model));
    rmSync(join(folder, 'adapter_model.safetensors'));
    expect(await outcome(folder)).toMatch(
      /^checkpoint_not_found: .*no adapter_model\.safetensors nor adapter_model\.bin/,
    );
  });

  it('with weights of a whole model beside the adapter is that model', async () => {
    const folder = writeAdapter(model, './no/such/base', {}, writeBase(model));
    const head = { 'classifier.weight': { shape: [2, 32], data: floats(...new Array<number>(64).fill(1)) } };
    writeSafetensors(join(folder, 'model.safetensors'), head);
    expect(await outcome(folder)).toMatch(/^architecture_unsupported: .*RobertaForMaskedLM/);
    writeFileSync(join(folder, 'config.json'), '{}');
    expect(await outcome(folder)).toMatch(/^architecture_unsupported: .*model_type absent/);
  });
});
