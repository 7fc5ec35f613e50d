/**
 * Classifiers that are language models: they answer a chat or a text, and their labels are the tokens that the answer may
 * begin with. No file of such a checkpoint says these; they are known by the names of those that are published, from their
 * cards and their own code, or named by the caller.
 */
import { EncoderError } from '../errors';
import { shown } from '../support/json';
import type { HeadOptions } from './head-options';
import { scoreTokenId } from './score-tokens';
import type { AnswerTokens, Architecture } from './architectures/architecture';
import { type PairTemplate, ordinaryText } from './chat-template/split-template';
import type { PreparedTokenizer } from './tokenizer/prepare-tokenizer';

/** SentencePiece's. */
const SPACE = '\u2581';

type Kind = NonNullable<Architecture['scoresVocabulary']>;

/** The text that a pair becomes, and most tokens of it, whatever the tokenizer's limit. */
interface PairText {
  readonly template: PairTemplate;
  readonly maxTokens: number;
}

export interface Answers {
  readonly tokens: AnswerTokens;
  /** One for each token. */
  readonly labels: readonly string[];
  /** What stands before the token, where the text does not end with it. */
  readonly prefix: string;
  /** Whether the template is told to begin an answer (`add_generation_prompt`). */
  readonly isPrompted: boolean;
  /** Undefined: texts are read as they stand, pairs as the tokenizer joins them. */
  readonly pair?: PairText | undefined;
}

interface PublishedAnswers {
  /** Of the repository or folder. */
  readonly name: RegExp;
  /** As the vocabulary has them: U+0120 for a space before the word. Of a word of several tokens it is the first. */
  readonly tokens: readonly string[];
  /** Default: the tokens, without such a space. */
  readonly labels?: readonly string[];
  readonly prefix?: string;
  readonly isPrompted?: boolean;
  /** For models that are given no chat, which are of the classes `sequence-to-sequence`. */
  readonly pair?: PairText;
}

const PUBLISHED: readonly PublishedAnswers[] = [
  {
    name: /^Qwen3Guard-Gen-(0\.6B|4B|8B)$/,
    tokens: ['\u0120Safe', '\u0120Unsafe', '\u0120Cont'],
    labels: ['Safe', 'Unsafe', 'Controversial'],
    prefix: 'Safety:',
  },
  { name: /^shieldgemma-(2b|9b|27b)$/, tokens: ['Yes', 'No'] },
  { name: /^granite-guardian-(3\.[01]-[28]b|3\.2-5b)$/, tokens: ['Yes', 'No'], isPrompted: true },
  {
    name: /^(Meta-Llama-Guard-2-8B|Llama-Guard-3-[18]B)$/,
    tokens: ['safe', 'unsafe'],
    prefix: '\n\n',
  },
  {
    // It was trained to answer 0 or 1, of which the former is two tokens.
    name: /^MiniCheck-Flan-T5-Large$/,
    tokens: [SPACE, `${SPACE}1`],
    labels: ['unsupported', 'supported'],
    pair: { template: ordinaryText(['predict: ', '</s>', '']), maxTokens: 2048 },
  },
];

/**
 * Undefined for a model whose `name` is not known, unless the caller names tokens. Throws `architecture_unsupported` where
 * the vocabulary lacks one.
 */
export function findAnswers(
  name: string,
  folder: string,
  kind: Kind,
  tokenizer: PreparedTokenizer,
  { answerTokens, answerPrefix }: HeadOptions,
): Answers | undefined {
  const isOfKind = ({ pair }: PublishedAnswers) => (pair !== undefined) === (kind === 'sequence-to-sequence');
  const found: Omit<PublishedAnswers, 'name'> | undefined =
    answerTokens === undefined
      ? PUBLISHED.find((answers) => answers.name.test(name) && isOfKind(answers))
      : { tokens: answerTokens, prefix: answerPrefix ?? '', isPrompted: true };
  if (found === undefined) return undefined;
  const { tokens, labels = tokens.map(withoutSpace), prefix = '', isPrompted = false, pair } = found;
  return { tokens: { answers: answerIds(tokens, kind, tokenizer, folder) }, labels, prefix, isPrompted, pair };
}

function answerIds(
  tokens: readonly string[],
  kind: Kind,
  tokenizer: PreparedTokenizer,
  folder: string,
): readonly number[] {
  const known = new Set(tokenizer.tokens.values());
  const control = new Set([...tokenizer.added.keys()].map((id) => tokenizer.tokens.get(id)));
  // What a decoder writes first is the first token of a text, and SentencePiece puts a space before that.
  const isSpaced = kind === 'sequence-to-sequence' && known.has(SPACE);
  return tokens.map((token) => {
    const spaced = ['\u0120', SPACE].map((space) => space + token).find((other) => known.has(other));
    const quoted = shown(token, 80);
    if (known.has(token) && isSpaced && !token.startsWith(SPACE) && !control.has(token)) {
      throw new EncoderError(
        'architecture_unsupported',
        `${folder}: no answer begins with the token ${quoted}, since the tokenizer puts a space before a text; name ` +
          (spaced === undefined ? `the first token of "${SPACE}" and the word` : JSON.stringify(spaced)),
      );
    }
    if (known.has(token) || spaced === undefined) return scoreTokenId(tokenizer, token, folder);
    throw new EncoderError(
      'architecture_unsupported',
      `${folder}: the vocabulary has no token ${quoted}, but ${JSON.stringify(spaced)}, which stands for a space and the word`,
    );
  });
}

/** As people write it. */
function withoutSpace(token: string): string {
  return token.replace(/^[\u0120\u2581]+(?=.)/u, '');
}
