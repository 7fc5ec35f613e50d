/** Labelled examples through one model, or two side by side, to metrics. */
import { activate } from '../../api/activations';
import { answerUntilRefused } from '../../api/answer';
import type { Classifier } from '../../api/classifier';
import type { ClassifyOptions } from '../../api/options';
import { EncoderError } from '../../errors';
import { UsageError } from '../errors';
import type { Io } from '../io';
import { inputName, openInput } from '../jsonl';
import { orderedMap } from '../ordered-map';
import { RateMeter } from '../progress';
import { examples } from './labelled-input';
import type { Example } from './labelled-input';
import { LogitComparison, largest } from './logit-comparison';
import { computeMetrics } from './metrics';
import type { Metrics } from './metrics';
import { Predictions } from './predictions';

/** What two models make of the same examples. */
export interface Comparison {
  /** Path of the other model. */
  readonly model: string;
  /** The other model's accuracy. */
  readonly accuracy: number;
  /** Share of examples for which both choose the same label. */
  readonly agreement: number;
  /** Largest difference of two logits of the same label and example. */
  readonly maxLogitDifference: number;
}

export interface Evaluation {
  readonly metrics: Metrics;
  /** Examples that were cut to fit the model. */
  readonly truncated: number;
  readonly comparison: Comparison | undefined;
}

/** One batch computes while the next is read. */
const BATCHES_IN_FLIGHT = 2;

/** Fails for models whose scores are no choice of one label. */
export function checkEvaluable({ info }: Classifier, other?: Classifier): void {
  const { path, problemType, numLabels } = info;
  if (numLabels < 2 || problemType === 'regression' || problemType === 'multi_label_classification') {
    const kind = numLabels < 2 ? 'one label' : `the problem type ${problemType}`;
    const message = `evaluate needs a model that chooses one of several labels; ${path} has ${kind}`;
    throw new EncoderError('architecture_unsupported', message);
  }
  if (other !== undefined && other.info.labels.join('\n') !== info.labels.join('\n')) {
    const [own, theirs] = [info, other.info].map(({ labels }) => labels.join(', '));
    throw new UsageError(`models with different labels cannot be compared: ${own} and ${theirs}`);
  }
}

/** @param path a file, or `-` for stdin. */
export async function evaluate(
  path: string,
  classifier: Classifier,
  other: Classifier | undefined,
  options: Pick<ClassifyOptions, 'specialTokens'>,
  io: Io,
): Promise<Evaluation> {
  const name = inputName(path);
  const stream = openInput(path, io);
  const meter = new RateMeter(io, 'examples');
  const predictions = new Predictions(classifier.info.numLabels);
  const compared = new LogitComparison();
  let othersRight = 0;
  let truncated = 0;

  const work = async (batch: readonly Example[]): Promise<Answered[]> => {
    const inputs = batch.map(({ input }) => input);
    const run = { ...options, logits: true, signal: io.signal };
    const [own, theirs] = await Promise.all([classifier.classify(inputs, run), other?.classify(inputs, run)]);
    return own.map((result, index) => ({
      label: batch[index]?.label ?? -1,
      logits: result.logits ?? NO_LOGITS,
      otherLogits: theirs?.[index]?.logits,
      truncated: result.truncated,
    }));
  };
  try {
    const batches = examples(stream, path, classifier.info.labels);
    const answers = orderedMap(
      batches,
      async (batch) => {
        const values = batch.map(({ value }) => value);
        return answerUntilRefused(values, work, (place) => `line ${batch[place]?.line} of ${name}`);
      },
      BATCHES_IN_FLIGHT,
    );
    for await (const { results, error } of answers) {
      if (error !== undefined) throw error;
      for (const answered of results) {
        predictions.add(answered.label, largest(answered.logits), activate(answered.logits, 'softmax'));
        if (answered.otherLogits !== undefined) {
          compared.add(answered.logits, answered.otherLogits);
          if (largest(answered.otherLogits) === answered.label) othersRight += 1;
        }
        if (answered.truncated) truncated += 1;
      }
      meter.add(results.length);
    }
  } finally {
    meter.hide();
    stream.destroy();
  }
  if (predictions.length === 0) throw new EncoderError('input_invalid', `${name} holds no examples`);
  const comparison = other && {
    model: other.info.path,
    accuracy: othersRight / compared.examples,
    agreement: compared.agreement,
    maxLogitDifference: compared.maxDifference,
  };
  return { metrics: computeMetrics(predictions), truncated, comparison };
}

interface Answered {
  readonly label: number;
  readonly logits: Float32Array;
  readonly otherLogits: Float32Array | undefined;
  readonly truncated: boolean;
}

const NO_LOGITS = new Float32Array();
