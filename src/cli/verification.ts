/** What a smaller tensor type costs: the same texts through a converted file and the F32 conversion of its checkpoint. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { Classifier } from '../api/classifier';
import type { TextInput } from '../api/inputs';
import { convert } from '../api/conversion';
import type { ConvertProgress } from '../convert/convert';
import { EncoderError } from '../errors';
import { ioError } from './errors';
import { LogitComparison } from './evaluation/logit-comparison';
import type { Io } from './io';
import { atLine, inputName, openInput } from './input';
import { records } from './jsonl';
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
export interface Converted {
  readonly source: string;
  readonly revision: string | undefined;
  readonly base: string | undefined;
  readonly scoreTokens: readonly [string, string] | undefined;
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
): Promise<Verification> {
  const { source, revision, base, scoreTokens, output } = converted;
  const place = join(dirname(resolve(output)), '.ggml-encoder-verify-');
  const folder = await mkdtemp(place).catch((cause: unknown) => {
    throw ioError(`cannot make a folder beside ${output}`, cause);
  });
  try {
    const reference = join(folder, 'f32.gguf');
    await convert(source, {
      output: reference,
      revision,
      base,
      scoreTokens,
      type: 'f32',
      signal: io.signal,
      onProgress,
    });
    return await compare(reference, output, texts, io);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(reference: string, output: string, texts: string, io: Io): Promise<Verification> {
  // What there is to warn about the conversion was said.
  const options = { signal: io.signal, onWarning: () => undefined };
  await using exact = await Classifier.load(reference, options);
  await using smaller = await Classifier.load(output, options);
  const name = inputName(texts);
  const stream = openInput(texts, io);
  const meter = new RateMeter(io, 'texts');
  const comparison = new LogitComparison();
  try {
    for await (const batch of records(stream, name, parseVerificationLine)) {
      const inputs = batch.map(({ value }) => value);
      const run = { logits: true, signal: io.signal };
      const pairs = await Promise.all([exact.classify(inputs, run), smaller.classify(inputs, run)]).catch(
        (error: unknown) => {
          throw io.signal.aborted ? error : atLine(error, name, batch[0]?.line ?? 1);
        },
      );
      const [expected = [], found = []] = pairs;
      for (const [index, { logits = NO_LOGITS }] of expected.entries()) {
        comparison.add(logits, found[index]?.logits ?? NO_LOGITS);
      }
      meter.add(batch.length);
    }
  } finally {
    meter.hide();
    stream.destroy();
  }
  const { examples: count, agreement, maxDifference } = comparison;
  if (count === 0) throw new EncoderError('input_invalid', `${name} holds no texts`);
  const labelAgreement = exact.info.numLabels === 1 ? null : agreement;
  return { texts: count, maxLogitDifference: maxDifference, labelAgreement };
}

/** A line is plain text, or JSON as `classify --input` takes it when it begins like a JSON string or object. */
function parseVerificationLine(line: string): TextInput {
  return /^\s*["{]/.test(line) ? parseTextLine(line) : line.replace(/\r$/, '');
}
