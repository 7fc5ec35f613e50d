/** The public types, one statement per overload. Checked by `npm run typecheck`, never run. */
import { expectTypeOf } from 'vitest';

import type { RerankingModel as SdkRerankingModel } from 'ai';

import { rerankingModel } from '../../src/ai-sdk';
import { Classifier, CrossEncoder, ZeroShotClassifier, convert, devices, isEncoderError } from '../../src/index';
import type {
  Classification,
  ConvertResult,
  Device,
  ErrorCode,
  ModelWarning,
  PairPrediction,
  Prompts,
  RankedDocument,
  RankedWindow,
  RunProgress,
  TextWindow,
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
// What is one or a list gives one or a list.
declare const either: string | string[];
expectTypeOf(classifier.classify(either)).resolves.toEqualTypeOf<
  Classification<'yes' | 'no'> | Classification<'yes' | 'no'>[]
>();
expectTypeOf(classifier.tokenize(either)).resolves.toEqualTypeOf<Tokenization | Tokenization[]>();
declare const eitherPair: [string, string] | [string, string][];
expectTypeOf(crossEncoder.predict(eitherPair)).resolves.toEqualTypeOf<
  PairPrediction<'entailment' | 'neutral'> | PairPrediction<'entailment' | 'neutral'>[]
>();
expectTypeOf(crossEncoder.tokenize(eitherPair)).resolves.toEqualTypeOf<Tokenization | Tokenization[]>();
expectTypeOf(zeroShot.classify(either, ['a', 'b'])).resolves.toEqualTypeOf<
  ZeroShotClassification<'a' | 'b'> | ZeroShotClassification<'a' | 'b'>[]
>();
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

// Windows, budgets, prompts and control.
const windows = { overlap: 16, aggregate: 'max', maxWindows: 4 } as const;
expectTypeOf(classifier.classify('x', { windows, threshold: 0.5, maxTextTokens: 9 })).resolves.toEqualTypeOf<
  Classification<'yes' | 'no'>
>();
expectTypeOf<Classification<'yes' | 'no'>['windows']>().toEqualTypeOf<
  readonly TextWindow<'yes' | 'no'>[] | undefined
>();
expectTypeOf<RankedDocument['windows']>().toEqualTypeOf<readonly RankedWindow[] | undefined>();
void crossEncoder.predict(['a', 'b'], { windows: { of: 'text' }, prompt: 'query: ', maxTextPairTokens: 9 });
void crossEncoder.rank('q', texts, { windows, promptName: 'query', maxQueryTokens: 9, maxDocumentTokens: 9 });
void zeroShot.classify('x', ['a'], { windows });
// @ts-expect-error of a ranking the document is the long one
void crossEncoder.rank('q', texts, { windows: { of: 'text' } });
// @ts-expect-error no such way to aggregate
void classifier.classify('x', { windows: { aggregate: 'median' } });
// @ts-expect-error a classifier has no prompts
void classifier.classify('x', { prompt: 'query: ' });
// @ts-expect-error the other text of a ranking is the query
void crossEncoder.rank('q', texts, { maxTextTokens: 9 });
expectTypeOf(crossEncoder.prompts).toEqualTypeOf<Prompts>();
void CrossEncoder.load('x', { prompts: { query: 'query: ' }, defaultPromptName: 'query' });
// @ts-expect-error prompts are the cross-encoder's
void Classifier.load('x', { prompts: {} });
void classifier.classify(texts, {
  signal: new AbortController().signal,
  onProgress: (progress) => {
    expectTypeOf(progress).toEqualTypeOf<RunProgress>();
  },
});
void Classifier.load('x', {
  maxQueue: 9,
  isolation: 'process',
  limits: { shards: 9 },
  onWarning: (warning) => {
    expectTypeOf(warning).toEqualTypeOf<ModelWarning>();
  },
});

// Streams of zero-shot have one list of candidates for all texts.
expectTypeOf(zeroShot.classifyStream(lines(), ['a', 'b'])).toEqualTypeOf<
  AsyncGenerator<ZeroShotClassification<'a' | 'b'>, void, undefined>
>();
// @ts-expect-error a list per text is for lists of texts
zeroShot.classifyStream(lines(), [['a']]);

// The rest.
expectTypeOf(crossEncoder.tokenize(['a', 'b'], { promptName: 'query' })).resolves.toEqualTypeOf<Tokenization>();
expectTypeOf(crossEncoder.tokenize([['a', 'b']])).resolves.toEqualTypeOf<Tokenization[]>();
expectTypeOf(devices()).toEqualTypeOf<Device[]>();
expectTypeOf(convert('x', { output: 'y', type: 'f16' })).resolves.toEqualTypeOf<ConvertResult>();
// @ts-expect-error no such tensor type
void convert('x', { output: 'y', type: 'f8' });
declare const failure: unknown;
if (isEncoderError(failure)) expectTypeOf(failure.code).toEqualTypeOf<ErrorCode>();
if (isEncoderError(failure, 'aborted')) expectTypeOf(failure.code).toEqualTypeOf<'aborted'>();
expectTypeOf(classifier.dispose()).resolves.toBeVoid();

// The SDK takes our model for one of its own, and objects stay typed.
expectTypeOf(rerankingModel(crossEncoder, { label: 'neutral' })).toExtend<SdkRerankingModel>();
// @ts-expect-error not a label of this model
rerankingModel(crossEncoder, { label: 'contradiction' });
// @ts-expect-error topN of rerank says how many
rerankingModel(crossEncoder, { topK: 3 });
