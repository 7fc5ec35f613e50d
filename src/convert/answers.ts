/**
 * Classifiers that are language models: they answer a chat, and their labels are the tokens that the answer may begin with.
 * No file of such a checkpoint says these; they are known by the names of those that are published, from their cards, or
 * named by the caller.
 */
import { EncoderError } from '../errors';
import type { TokenOptions } from './answer-tokens';
import { scoreTokenId } from './answer-tokens';
import type { AnswerTokens } from './architectures/architecture';
import type { PreparedTokenizer } from './tokenizer/prepare-tokenizer';

export interface Answers {
  readonly tokens: AnswerTokens;
  /** One for each token. */
  readonly labels: readonly string[];
  /** What stands before the token, where the text does not end with it. */
  readonly prefix: string;
  /** Whether the template is told to begin an answer (`add_generation_prompt`). */
  readonly isPrompted: boolean;
}

interface PublishedAnswers {
  /** Of the repository or folder. */
  readonly name: RegExp;
  /** As the vocabulary has them: U+0120 for a space before the word. Of a word of several tokens it is the first. */
  readonly tokens: readonly string[];
  /** Default: the tokens, without such a space. */
  readonly labels?: readonly string[];
  readonly prefix: string;
  readonly isPrompted: boolean;
}

const PUBLISHED: readonly PublishedAnswers[] = [
  {
    name: /^Qwen3Guard-Gen-(0\.6B|4B|8B)$/,
    tokens: ['\u0120Safe', '\u0120Unsafe', '\u0120Cont'],
    labels: ['Safe', 'Unsafe', 'Controversial'],
    prefix: 'Safety:',
    isPrompted: false,
  },
  { name: /^shieldgemma-(2b|9b|27b)$/, tokens: ['Yes', 'No'], prefix: '', isPrompted: false },
  { name: /^granite-guardian-(3\.[01]-[28]b|3\.2-5b)$/, tokens: ['Yes', 'No'], prefix: '', isPrompted: true },
  {
    name: /^(Meta-Llama-Guard-2-8B|Llama-Guard-3-[18]B)$/,
    tokens: ['safe', 'unsafe'],
    prefix: '\n\n',
    isPrompted: false,
  },
];

/**
 * Undefined for a model whose `name` is not known, unless the caller names tokens. Throws `architecture_unsupported` where
 * the vocabulary lacks one.
 */
export function findAnswers(
  name: string,
  folder: string,
  tokenizer: PreparedTokenizer,
  { answerTokens, answerPrefix }: TokenOptions,
): Answers | undefined {
  const found: Omit<PublishedAnswers, 'name'> | undefined =
    answerTokens === undefined
      ? PUBLISHED.find((answers) => answers.name.test(name))
      : { tokens: answerTokens, prefix: answerPrefix ?? '', isPrompted: true };
  if (found === undefined) return undefined;
  const { tokens, labels = tokens.map(withoutSpace), prefix, isPrompted } = found;
  return { tokens: { answers: answerIds(tokens, tokenizer, folder) }, labels, prefix, isPrompted };
}

function answerIds(tokens: readonly string[], tokenizer: PreparedTokenizer, folder: string): readonly number[] {
  const known = new Set(tokenizer.tokens.values());
  return tokens.map((token) => {
    const spaced = ['\u0120', '\u2581'].map((space) => space + token).find((other) => known.has(other));
    if (known.has(token) || spaced === undefined) return scoreTokenId(tokenizer, token, folder);
    throw new EncoderError(
      'architecture_unsupported',
      `${folder}: the vocabulary has no token ${JSON.stringify(token.slice(0, 80))}, but ${JSON.stringify(spaced)}, ` +
        'which stands for a space and the word',
    );
  });
}

/** As people write it. */
function withoutSpace(token: string): string {
  return token.replace(/^[\u0120\u2581]+(?=.)/u, '');
}
