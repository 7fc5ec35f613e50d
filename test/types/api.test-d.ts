/** The public types, one statement per overload. Checked by `npm run typecheck`, never run. */
import { expectTypeOf } from 'vitest';

import { Classifier, CrossEncoder, ZeroShotClassifier } from '../../src/index';
import type {
  Classification,
  PairPrediction,
  RankedDocument,
  Tokenization,
  ZeroShotClassification,
} from '../../src/index';

declare const classifier: Classifier<'yes' | 'no'>;
declare const crossEncoder: CrossEncoder<'entailment' | 'neutral'>;
declare const zeroShot: ZeroShotClassifier;
declare const texts: readonly string[];
declare const topics: string[];
declare function lines(): AsyncGenerator<string>;

// Labels are inferred from the option or said by the caller; else they are strings.
expectTypeOf(Classifier.load('x', { labels: ['no', 'yes'] })).resolves.toEqualTypeOf<Classifier<'no' | 'yes'>>();
expectTypeOf(Classifier.load<'World' | 'Sports'>('x')).resolves.toEqualTypeOf<Classifier<'World' | 'Sports'>>();
expectTypeOf(Classifier.load()).resolves.toEqualTypeOf<Classifier>();
expectTypeOf(CrossEncoder.load('x', { labels: ['a', 'b'] })).resolves.toEqualTypeOf<CrossEncoder<'a' | 'b'>>();
expectTypeOf(classifier.info.labels).toEqualTypeOf<readonly ('yes' | 'no')[]>();
// @ts-expect-error a cross-encoder has no default
void CrossEncoder.load();
// @ts-expect-error no such option
void Classifier.load('x', { thread: 1 });

// One input gives one result, a list gives a list.
expectTypeOf(classifier.classify('x')).resolves.toEqualTypeOf<Classification<'yes' | 'no'>>();
expectTypeOf(classifier.classify({ text: 'x', textPair: 'y' })).resolves.toEqualTypeOf<Classification<'yes' | 'no'>>();
expectTypeOf(classifier.classify(texts, { topK: null })).resolves.toEqualTypeOf<Classification<'yes' | 'no'>[]>();
expectTypeOf(classifier.tokenize('x')).resolves.toEqualTypeOf<Tokenization>();
expectTypeOf(classifier.tokenize(['x'])).resolves.toEqualTypeOf<Tokenization[]>();
// @ts-expect-error tanh is for pairs
void classifier.classify('x', { activation: 'tanh' });

expectTypeOf(crossEncoder.predict(['a', 'b'])).resolves.toEqualTypeOf<PairPrediction<'entailment' | 'neutral'>>();
expectTypeOf(crossEncoder.predict([['a', 'b']])).resolves.toEqualTypeOf<PairPrediction<'entailment' | 'neutral'>[]>();
expectTypeOf(crossEncoder.rank('q', texts, { label: 'neutral' })).resolves.toEqualTypeOf<RankedDocument[]>();
// @ts-expect-error not a label of this model
void crossEncoder.rank('q', texts, { label: 'contradiction' });
// @ts-expect-error a single text is no pair
void crossEncoder.predict('a');

// Streams take any iterable.
expectTypeOf(classifier.classifyStream(lines())).toEqualTypeOf<
  AsyncGenerator<Classification<'yes' | 'no'>, void, undefined>
>();
expectTypeOf(classifier.classifyStream(new Set(['x']))).toEqualTypeOf<
  AsyncGenerator<Classification<'yes' | 'no'>, void, undefined>
>();
expectTypeOf(crossEncoder.predictStream([['a', 'b']])).toEqualTypeOf<
  AsyncGenerator<PairPrediction<'entailment' | 'neutral'>, void, undefined>
>();
// @ts-expect-error texts are no pairs
crossEncoder.predictStream(texts);

// Candidate labels are part of the result's type where they are known.
expectTypeOf(zeroShot.classify('x', ['a', 'b'])).resolves.toEqualTypeOf<ZeroShotClassification<'a' | 'b'>>();
expectTypeOf(zeroShot.classify('x', topics)).resolves.toEqualTypeOf<ZeroShotClassification>();
expectTypeOf(zeroShot.classify(texts, ['a', 'b'])).resolves.toEqualTypeOf<ZeroShotClassification<'a' | 'b'>[]>();
expectTypeOf(zeroShot.classify(['x', 'y'], [['a'], ['b', 'c']])).resolves.toEqualTypeOf<
  ZeroShotClassification<'a' | 'b' | 'c'>[]
>();
// @ts-expect-error labels per text are for lists of texts
void zeroShot.classify('x', [['a']]);
// @ts-expect-error the hypothesis is never cut
void zeroShot.classify('x', ['a'], { truncation: 'longest_first' });
expectTypeOf(
  ZeroShotClassifier.load('x', { labels: ['yes', 'no'], entailment: 'yes' }),
).resolves.toEqualTypeOf<ZeroShotClassifier>();
// @ts-expect-error not one of the labels
void ZeroShotClassifier.load('x', { labels: ['yes', 'no'], entailment: 'entailment' });
