/** Encoders' configurations in other spellings, and what their classes make of them; no file is written. */
import { describe, expect, it } from 'vitest';

import { describeModel, family } from './describe-family';

const modernbert = (changes: object = {}) => describeModel(family('modernbert-mean'), changes);

describe('ModernBERT', () => {
  const scaled = { rope_parameters: null, rope_scaling: { rope_type: 'linear', factor: 4 } };

  it('takes scaling beside rope_parameters for both kinds of layer', () => {
    const [plain, slow] = [modernbert({ rope_parameters: null }), modernbert(scaled)].map(
      ({ hyperparameters }) => hyperparameters.rope!,
    );
    expect(slow!.inverseFrequencies).toEqual(plain!.inverseFrequencies.map((frequency) => frequency / 4));
    expect(slow!.localInverseFrequencies).toEqual(plain!.localInverseFrequencies!.map((frequency) => frequency / 4));
  });

  it('is none of llama.cpp where its positions are scaled', () => {
    expect(modernbert().llamacppCompat).toBe('exact');
    expect(modernbert(scaled).llamacppCompat).toBe('unsupported');
  });

  it('may say its window twice', () => {
    expect(modernbert({ sliding_window: 8 }).hyperparameters).toEqual(modernbert().hyperparameters);
  });
});
