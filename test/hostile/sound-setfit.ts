/** The smallest sound SetFit model: BERT without a head, a pooling, and heads that scikit-learn fitted. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Case } from './case';
import { CONFIG, ROOT, layOut, safetensors, soundTensors } from './sound';

/** Values of an embedding: as many as the heads of test/fixtures/setfit read. */
export const COLUMNS = 32;
export const SETFIT_SETTINGS = { normalize_embeddings: false, labels: ['a', 'b', 'c'] };

interface Fixture {
  readonly name: string;
  readonly head: string;
}

const { models } = JSON.parse(readFileSync(join(ROOT, 'test/fixtures/setfit/models.json'), 'utf8')) as {
  models: readonly Fixture[];
};

/** Of one of three labels, of one of two, and of several at once in both ways. */
export function soundHeads(): Buffer[] {
  return ['mpnet-topics', 'bert-binary', 'mpnet-multilabel', 'roberta-multioutput'].map((name) =>
    Buffer.from(models.find((model) => model.name === name)!.head, 'base64'),
  );
}

/** The files of a SetFit model in the place of the sound checkpoint's. */
export function setFitFiles(head: Uint8Array, settings: unknown = SETFIT_SETTINGS): Case['files'] & object {
  const tensors = Object.entries(soundTensors(COLUMNS))
    .filter(([name]) => !name.startsWith('classifier'))
    .map(([name, tensor]) => [name.replace('bert.', ''), tensor] as const);
  const { header, data } = layOut(Object.fromEntries(tensors));
  const types = { '': 'Transformer', '1_Pooling': 'Pooling' };
  const modules = Object.entries(types).map(([path, type], idx) => {
    return { idx, name: String(idx), path, type: `sentence_transformers.models.${type}` };
  });
  return {
    'config.json': JSON.stringify({ ...CONFIG, architectures: ['BertModel'], hidden_size: COLUMNS }),
    'model.safetensors': safetensors(header, data),
    'modules.json': JSON.stringify(modules),
    '1_Pooling/config.json': JSON.stringify({ word_embedding_dimension: COLUMNS, pooling_mode_mean_tokens: true }),
    'model_head.pkl': head,
    'config_setfit.json': typeof settings === 'string' ? settings : JSON.stringify(settings),
  };
}
