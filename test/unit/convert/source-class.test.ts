// What class a config.json is that of. transformers finds it by the model_type, whether the list of classes is absent or empty.
import { describe, expect, it } from 'vitest';

import { findArchitecture, isOfClass } from '../../../src/convert/architectures/index';
import { ConfigReader } from '../../../src/convert/config';
import { gliclassReader } from '../../../src/convert/label-head';
import { isStanfordColbert } from '../../../src/convert/sentence-transformers/interaction-settings';
import { wrappedRanker } from '../../../src/convert/wrapped-ranker';

const NESTED = {
  encoder_config: { model_type: 'bert' },
  base_model_config: { architectures: ['BertForSequenceClassification'], model_type: 'bert' },
};
const read = (json: object) => new ConfigReader({ ...NESTED, ...json }, 'config.json');

/** Of all that look for their class. */
function found(json: object): readonly string[] {
  const config = read(json);
  const named = {
    GLiClass: gliclassReader(config) !== undefined,
    OpenProvence: wrappedRanker(config) !== undefined,
    ColBERT: isStanfordColbert(config),
  };
  return Object.entries(named).flatMap(([name, isFound]) => (isFound ? [name] : []));
}

describe.each([[{}], [{ architectures: null }], [{ architectures: [] }]])('without a class, %j', (none) => {
  it('is that of the model_type', () => {
    expect(found({ ...none, model_type: 'GLiClass' })).toEqual(['GLiClass']);
    expect(found({ ...none, model_type: 'open_provence' })).toEqual(['OpenProvence']);
    expect(found({ ...none, model_type: 'bert' })).toEqual([]);
    expect(findArchitecture(read({ ...none, model_type: 'bert' })).sourceClass).toBe('BertForSequenceClassification');
  });
});

describe('with a class', () => {
  it.each([
    ['GLiClassModel', 'GLiClass'],
    ['OpenProvenceForSequenceClassification', 'OpenProvence'],
    ['HF_ColBERT', 'ColBERT'],
  ])('is that of it, in a list or alone, %s', (name, expected) => {
    for (const architectures of [name, [name], ['Other', name]]) {
      expect(found({ architectures, model_type: 'bert' })).toEqual([expected]);
    }
  });

  it('is none of the model_type', () => {
    expect(found({ architectures: ['Other'], model_type: 'GLiClass' })).toEqual([]);
    expect(found({ architectures: 'Other', model_type: 'open_provence' })).toEqual([]);
  });

  it('that is no name is refused', () => {
    const malformed = expect.objectContaining({ code: 'checkpoint_malformed' }) as unknown;
    expect(() => isOfClass(read({ architectures: [3] }), 'GLiClassModel')).toThrow(malformed);
  });
});
