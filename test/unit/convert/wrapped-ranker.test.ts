/** Rerankers that also prune, Provence's and OpenProvence's: what they score with is the file of the reranker alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { convert } from '../../../src/convert/convert';
import { ENCODER_KEYS } from '../../../src/gguf/keys';
import { readGgufHead } from '../../../src/gguf/reader';
import type { JsonObject } from '../../../src/support/json';
import { writeFamily } from '../../golden/family-checkpoints';
import { family } from './describe-family';
import { type MicroOptions, type Tensors, counted, writeMicro } from './micro-checkpoint';
import { temporaryFolder } from './temp-folder';

const ONE_LABEL: MicroOptions = {
  tensors: (tensors) => {
    tensors['classifier.weight'] = counted(1, 4);
    tensors['classifier.bias'] = counted(1);
  },
};
const BASE = JSON.parse(readFileSync(join(writeMicro(), 'config.json'), 'utf8')) as JsonObject;
const NOTHING = Object.fromEntries(Object.keys(BASE).map((key) => [key, undefined]));
const OPEN_PROVENCE = {
  ...NOTHING,
  architectures: ['OpenProvenceForSequenceClassification'],
  model_type: 'open_provence',
  mode: 'reranking_pruning',
  // The class sets these anew: it has one label, and a sigmoid.
  base_model_config: {
    ...BASE,
    id2label: { 0: 'no', 1: 'yes' },
    problem_type: 'regression',
    sentence_transformers: { activation_fn: 'torch.nn.modules.linear.Identity' },
  },
  num_labels: 1,
  max_length: 12,
};

function pruningHead(tensors: Tensors): void {
  ONE_LABEL.tensors!(tensors);
  tensors['pruning_head.classifier.weight'] = counted(2, 4);
  tensors['pruning_head.classifier.bias'] = counted(2);
}

async function converted(folder: string) {
  const output = join(temporaryFolder(), 'model.gguf');
  const { warnings } = await convert(folder, { output });
  const { metadata, dataOffset } = await readGgufHead(output);
  const bytes = readFileSync(output);
  const value = (key: string) => metadata.get(key)?.value;
  return {
    warnings,
    sourceClass: value(ENCODER_KEYS.sourceClass),
    activationFn: value(ENCODER_KEYS.activationFn),
    maxLength: value(ENCODER_KEYS.maxLength),
    data: bytes.subarray(dataOffset),
  };
}

describe('OpenProvenceForSequenceClassification', () => {
  const nested = (name: string) => (name.startsWith('pruning_head.') ? name : `ranking_model.${name}`);

  it.each<[string, MicroOptions['rename']]>([
    ['under ranking_model', nested],
    ['bare', undefined],
  ])('has the weights of its reranker, %s', async (_, rename) => {
    const plain = await converted(writeMicro(ONE_LABEL));
    const folder = writeMicro({ config: OPEN_PROVENCE, tensors: pruningHead, ...(rename && { rename }) });
    const found = await converted(folder);
    expect(found.data.equals(plain.data)).toBe(true);
    expect(found).toMatchObject({
      sourceClass: 'OpenProvenceForSequenceClassification',
      activationFn: '',
      maxLength: 12,
    });
    expect(found.warnings.join()).toMatch(rename ? /^$/ : /pruning_head/);
  });

  it('is cut at 512 tokens unless it says otherwise, and where its positions end', async () => {
    const config = { ...OPEN_PROVENCE, max_length: undefined };
    expect(await converted(writeMicro({ config, tensors: pruningHead }))).toMatchObject({ maxLength: 16 });
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['pruning alone', { mode: 'pruning_only' }, /mode is "pruning_only"/],
    ['two labels', { num_labels: 2 }, /num_labels is 2; a reranker has one/],
    ['no base', { base_model_config: undefined }, /base_model_config is absent/],
    ['a base that is not known', { base_model_config: { model_type: 'vit' } }, /base_model_config: .*model_type vit/],
    [
      'a base that writes text',
      { base_model_config: { model_type: 'granite' } },
      /GraniteForCausalLM is no classifier/,
    ],
  ])('with %s is refused', async (_, change, message) => {
    const folder = writeMicro({ config: { ...OPEN_PROVENCE, ...change }, tensors: pruningHead, rename: nested });
    await expect(converted(folder)).rejects.toThrow(message);
  });
});

describe('Provence', () => {
  it('is DeBERTa v3 whose score is the logit', async () => {
    const base = family('deberta-v3');
    const files = [];
    for (const change of [{}, { architectures: ['Provence'], model_type: 'Provence' }]) {
      const folder = join(temporaryFolder(), 'provence');
      const tensors = 'model_type' in change ? { ...base.tensors, 'token_classifier.weight': [2, 48] } : base.tensors;
      await writeFamily({ ...base, config: { ...base.config, ...change }, tensors }, folder, 'safetensors', 'F32');
      files.push(await converted(folder));
    }
    expect(files[1]!.data.equals(files[0]!.data)).toBe(true);
    expect(files[1]).toMatchObject({ sourceClass: 'Provence', activationFn: 'identity' });
    expect(files[1]!.warnings.join()).toMatch(/token_classifier/);
  });
});
