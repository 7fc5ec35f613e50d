/**
 * ALiBi, a bias that falls with the distance: https://arxiv.org/abs/2108.12409. Its slopes for a number of heads that is no
 * power of two are in no paper, and the code of JinaBERT has them in two versions.
 */
import type { ConfigReader } from '../config';

export interface Slopes {
  /** For each head what a token of distance takes from its scores. */
  readonly slopes: readonly number[];
  /** What had to be assumed, if anything. */
  readonly assumption?: string;
}

/** Of which code it is known how it fills up the heads: by the authors of ALiBi's way, or with half of those slopes. */
const KNOWN_CODE: Readonly<Record<string, 'whole' | 'halved'>> = {
  'jinaai/jina-bert-implementation': 'whole',
  'jinaai/jina-reranker-v1-turbo-en': 'halved',
  'jinaai/jina-reranker-v1-tiny-en': 'halved',
};
/** The rerankers' number of heads. */
const RERANKER_HEADS = 12;

export function readSlopes(config: ConfigReader, numHeads: number): Slopes {
  const power = powerOfTwo(numHeads);
  if (power === numHeads) return { slopes: alibiSlopes(numHeads) };
  const repository = codeRepository(config);
  const known = repository !== undefined && Object.hasOwn(KNOWN_CODE, repository) ? KNOWN_CODE[repository] : undefined;
  if (known === undefined && (repository !== undefined || numHeads !== RERANKER_HEADS)) {
    config.unsupported(
      `num_attention_heads is ${numHeads}, no power of two, and auto_map names ${repository ?? 'code of its own'}; ` +
        `the slopes of these heads are known for ${Object.keys(KNOWN_CODE).join(', ')}`,
    );
  }
  const all = alibiSlopes(numHeads, known === 'whole' ? 1 : 0.5);
  if (known !== undefined) return { slopes: all };
  const assumption =
    `config.json does not say whose code the model has (auto_map), and so not the slopes of ${numHeads - power} of its ` +
    `${numHeads} heads; those of jinaai/jina-reranker-v1-turbo-en were assumed`;
  return { slopes: all, assumption };
}

/** One for each head. Heads beyond a power of two take every other slope of twice as many, times `factor`. */
export function alibiSlopes(numHeads: number, factor = 1): number[] {
  const power = powerOfTwo(numHeads);
  const between = geometricSlopes(2 * power).filter((_, index) => index % 2 === 0);
  return [...geometricSlopes(power), ...between.slice(0, numHeads - power).map((slope) => slope * factor)];
}

function powerOfTwo(numHeads: number): number {
  return 2 ** Math.floor(Math.log2(numHeads));
}

/** From 2^(-8/count) down to 2^-8, each the one before times the first. */
function geometricSlopes(count: number): number[] {
  return Array.from({ length: count }, (_, index) => 2 ** ((-8 * (index + 1)) / count));
}

/** The repository whose Python code runs the model; undefined where it is the checkpoint's own, or there is none. */
function codeRepository(config: ConfigReader): string | undefined {
  const map = config.object('auto_map') ?? {};
  const reference = map['AutoModelForSequenceClassification'] ?? map['AutoModel'];
  if (typeof reference !== 'string' || !reference.includes('--')) return undefined;
  return reference.slice(0, reference.indexOf('--')).slice(0, 100);
}
