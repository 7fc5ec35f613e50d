/** What a smaller tensor type costs: the same texts through a converted file and the F32 conversion of its checkpoint. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { onlyRanks } from '../api/chat-template';
import { Classifier } from '../api/classifier';
import { convert } from '../api/conversion';
import { CrossEncoder } from '../api/cross-encoder';
import type { TextInput } from '../api/inputs';
import type { LoadOptions } from '../api/load-options';
import { Session } from '../api/session';
import type { ConvertProgress } from '../convert/convert';
import type { HeadOptions } from '../convert/head-options';
import { EncoderError } from '../errors';
import { ioError } from './errors';
import { LogitComparison } from './evaluation/logit-comparison';
import type { Io } from './io';
import { atLine, inputName, openInput } from './input';
import type { Numbered } from './input';
import { records } from './jsonl';
import { ListComparison, listsOf, scoresOf } from './list-verification';
import type { ListVerification } from './list-verification';
import { RateMeter } from './progress';
import { parseTextLine } from './text-line';

const NO_LOGITS = new Float32Array();

export interface Verification {
  readonly texts: number;
  /** Largest difference of two logits of the same text and label. */
  readonly maxLogitDifference: number;
  /** Share of texts for which both have the same largest logit; null for a model of one label. */
  readonly labelAgreement: number | null;
}

/** The conversion that was made. */
export interface Converted extends HeadOptions {
  readonly source: string;
  readonly revision: string | undefined;
  readonly base: string | undefined;
  /** Absolute. */
  readonly output: string;
}

/** Fails when the texts cannot be there, before a long conversion is begun. */
export async function checkVerificationTexts(path: string): Promise<void> {
  if (path === '-') return;
  const stats = await stat(path).catch((cause: unknown) => {
    throw ioError(`cannot read ${path}`, cause);
  });
  if (stats.isDirectory()) throw new EncoderError('io_failed', `${path} is a folder; name a file with a text per line`);
}

/**
 * Compares the file with an F32 conversion, which is made beside it for the time of the comparison.
 *
 * @param texts a file, or `-` for stdin.
 */
export async function verifyConversion(
  converted: Converted,
  texts: string,
  io: Io,
  onProgress: (progress: ConvertProgress) => void,
): Promise<Verification | ListVerification> {
  const { source, output, ...choices } = converted;
  const place = join(dirname(resolve(output)), '.ggml-encoder-verify-');
  const folder = await mkdtemp(place).catch((cause: unknown) => {
    throw ioError(`cannot make a folder beside ${output}`, cause);
  });
  try {
    const reference = join(folder, 'f32.gguf');
    await convert(source, {
      output: reference,
      ...choices,
      type: 'f32',
      signal: io.signal,
      onProgress,
    });
    return await compare(reference, output, texts, io);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(
  reference: string,
  output: string,
  texts: string,
  io: Io,
): Promise<Verification | ListVerification> {
  // What there is to warn about the conversion was said.
  const options = { signal: io.signal, onWarning: () => undefined };
  await using exact = await DisposableSession.load(reference, options);
  await using smaller = await DisposableSession.load(output, options);
  const models = [exact.session, smaller.session] as const;
  const name = inputName(texts);
  const stream = openInput(texts, io);
  const meter = new RateMeter(io, 'texts');
  try {
    const input = { name, lines: records(stream, name, parseVerificationLine), meter, signal: io.signal };
    const result = await (onlyRanks(exact.session.chatTemplate)
      ? compareLists(models, input)
      : compareTexts(models, input));
    if (result.texts === 0) throw new EncoderError('input_invalid', `${name} holds no texts`);
    return result;
  } finally {
    meter.hide();
    stream.destroy();
  }
}

interface Input {
  readonly name: string;
  readonly lines: AsyncIterable<readonly Numbered<TextInput>[]>;
  readonly meter: RateMeter;
  readonly signal: AbortSignal;
}

async function compareTexts(models: readonly [Session, Session], input: Input): Promise<Verification> {
  const { lines, meter, signal } = input;
  const [exact, smaller] = [Classifier.fromSession(models[0]), Classifier.fromSession(models[1])];
  const comparison = new LogitComparison();
  for await (const batch of lines) {
    const inputs = batch.map(({ value }) => value);
    const run = { logits: true, signal };
    const [expected, found] = await named(
      Promise.all([exact.classify(inputs, run), smaller.classify(inputs, run)]),
      input,
      batch[0]?.line ?? 1,
    );
    for (const [index, { logits = NO_LOGITS }] of expected.entries()) {
      comparison.add(logits, found[index]?.logits ?? NO_LOGITS);
    }
    meter.add(batch.length);
  }
  const { examples, agreement, maxDifference } = comparison;
  const labelAgreement = exact.info.numLabels === 1 ? null : agreement;
  return { texts: examples, maxLogitDifference: maxDifference, labelAgreement };
}

async function compareLists(models: readonly [Session, Session], input: Input): Promise<ListVerification> {
  const { lines, meter, signal } = input;
  const [exact, smaller] = [CrossEncoder.fromSession(models[0]), CrossEncoder.fromSession(models[1])];
  const comparison = new ListComparison();
  for await (const list of listsOf(lines)) {
    const scores = Promise.all([scoresOf(exact, list, signal), scoresOf(smaller, list, signal)]);
    comparison.add(list.texts, ...(await named(scores, input, list.line)));
    meter.add(list.texts);
  }
  return comparison.result;
}

/** Failures with the line in front, but for the caller's own end. */
async function named<Result>(result: Promise<Result>, { name, signal }: Input, line: number): Promise<Result> {
  return result.catch((error: unknown) => {
    throw signal.aborted ? error : atLine(error, name, line);
  });
}

class DisposableSession implements AsyncDisposable {
  private constructor(readonly session: Session) {}

  static async load(path: string, options: LoadOptions): Promise<DisposableSession> {
    const loaded = new DisposableSession(
      await Session.load(path, options, {}, { ranksDocuments: true, readsLabels: true, answersChats: true }),
    );
    if (!loaded.session.readsLabels) return loaded;
    await loaded.session.dispose();
    throw new EncoderError(
      'architecture_unsupported',
      '--verify has no labels for a model that reads those of each call; compare the results of zero-shot',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session.dispose();
  }
}

/** A line is plain text, or JSON as `classify --input` takes it when it begins like a JSON string or object. */
function parseVerificationLine(line: string): TextInput {
  return /^\s*["{]/.test(line) ? parseTextLine(line) : line.replace(/\r$/, '');
}
