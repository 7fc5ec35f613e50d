/** Slopes of ALiBi for every number of heads: the paper's for powers of two, and what fills them up by the model's code. */
import { describe, expect, it } from 'vitest';

import { readSlopes } from '../../../src/convert/architectures/alibi';
import { ConfigReader } from '../../../src/convert/config';
import { describeModel, family } from './describe-family';

const SHARED = 'jinaai/jina-bert-implementation--modeling_bert.JinaBertForSequenceClassification';
const RERANKER = 'jinaai/jina-reranker-v1-tiny-en--modeling_bert.JinaBertForSequenceClassification';
const OWN = 'modeling_bert.JinaBertForSequenceClassification';
const TO_EIGHT = [1, 2, 3, 4, 5, 6, 7, 8].map((power) => 2 ** -power);

function slopes(numHeads: number, reference?: string) {
  const map = reference === undefined ? {} : { auto_map: { AutoModelForSequenceClassification: reference } };
  return readSlopes(new ConfigReader(map, 'config.json'), numHeads);
}

describe('slopes', () => {
  it.each([undefined, OWN, SHARED, RERANKER, 'someone/else--modeling.Model'])(
    'are the paper’s for powers of two with code of %s',
    (reference) => {
      expect(slopes(8, reference)).toEqual({ slopes: TO_EIGHT });
      expect(slopes(2, reference)).toEqual({ slopes: [2 ** -4, 2 ** -8] });
      expect(slopes(1, reference)).toEqual({ slopes: [2 ** -8] });
    },
  );

  it('of further heads are every other one of twice as many', () => {
    expect(slopes(12, SHARED)).toEqual({ slopes: [...TO_EIGHT, 2 ** -0.5, 2 ** -1.5, 2 ** -2.5, 2 ** -3.5] });
    expect(slopes(6, SHARED).slopes).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8, 2 ** -1, 2 ** -3]);
  });

  it('of further heads are half of that in the rerankers', () => {
    const halved = [...TO_EIGHT, 2 ** -0.5, 2 ** -1.5, 2 ** -2.5, 2 ** -3.5].map((slope, head) =>
      head < 8 ? slope : slope / 2,
    );
    expect(slopes(12, RERANKER)).toEqual({ slopes: halved });
    for (const reference of [undefined, OWN]) {
      const found = slopes(12, reference);
      expect(found.slopes).toEqual(halved);
      expect(found.assumption).toContain('auto_map');
    }
  });

  it.each([
    [12, 'someone/else--modeling.Model', 'someone/else'],
    [6, OWN, 'code of its own'],
    [20, undefined, 'code of its own'],
  ])('of %d heads are refused with code of %s', (numHeads, reference, named) => {
    expect(() => slopes(numHeads, reference)).toThrow(expect.objectContaining({ code: 'architecture_unsupported' }));
    expect(() => slopes(numHeads, reference)).toThrow(named);
  });

  it('that were assumed are told', () => {
    expect(describeModel(family('jina-bert'), {}).assumptions).toHaveLength(1);
    expect(describeModel(family('jina-bert-shared-code'), {})).not.toHaveProperty('assumptions');
  });
});
