/**
 * Rerankers whose files do not say how they score a pair, known by their names: the text that a pair becomes and, of
 * language models, the tokens whose logits count, as their cards and their own code have them.
 */
import { shown } from '../support/json';
import { scoreTokenId } from './score-tokens';
import type { NumberTokens, ScoreTokens } from './architectures/architecture';
import { type PairTemplate, type Slot, type TemplatePieces, ordinaryText } from './chat-template/split-template';
import type { PreparedTokenizer } from './tokenizer/prepare-tokenizer';

/** As the vocabulary has them, or an id; `divisor`: of the logit; `numbers`: those of the answers 1, 2, ... */
type CountedTokens =
  | { readonly positive: string | number; readonly negative?: string; readonly divisor?: number }
  | { readonly numbers: readonly string[] };

/** The text of a pair. */
interface PublishedText {
  /** With {query}, {document}, the prompt, and {break} where the code tokenizes two parts each by itself. */
  readonly text: (prompt: string) => string;
  /** Undefined: there is no place for one. */
  readonly defaultPrompt?: string;
  /** What stands for {prompt}, a prompt that is given; undefined: the prompt alone. */
  readonly givenPrompt?: string;
  /** `own`: what the tokenizer adds to any text. */
  readonly begin: 'none' | 'bos' | 'own';
}

interface PublishedScore extends PublishedText {
  /** Of the repository or folder. */
  readonly name: RegExp;
  readonly tokens: CountedTokens;
  /** Where their scores are not the sigmoid that sentence-transformers has by default. */
  readonly activationFn?: 'identity';
}

const FLAG_EMBEDDING = {
  text: (prompt: string) => `A: {query}{break}\n{break}B: {document}{break}\n{break}${prompt}`,
  defaultPrompt:
    'Given a query A and a passage B, determine whether the passage contains an answer to the query by providing ' +
    "a prediction of either 'Yes' or 'No'.",
  begin: 'bos' as const,
};

const PUBLISHED: readonly PublishedScore[] = [
  {
    name: /^Qwen3-Reranker-(0\.6B|4B|8B)$/,
    tokens: { positive: 'yes', negative: 'no' },
    text: (prompt) =>
      '<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct ' +
      'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n' +
      `<Instruct>: ${prompt}\n<Query>: {query}\n<Document>: {document}` +
      '<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n',
    defaultPrompt: 'Given a web search query, retrieve relevant passages that answer the query',
    begin: 'none',
  },
  {
    name: /^bge-reranker-v2-gemma$/,
    tokens: { positive: 'Yes' },
    ...FLAG_EMBEDDING,
  },
  {
    name: /^zerank-(1|1-small|2)(-reranker)?$/,
    tokens: { positive: 'Yes', divisor: 5 },
    text: () =>
      '<|im_start|>system\n{query}<|im_end|>\n<|im_start|>user\n{document}<|im_end|>\n<|im_start|>assistant\n',
    begin: 'none',
  },
  {
    name: /^ctxl-rerank-v2-instruct-multilingual-[126]b$/,
    tokens: { positive: 0 },
    text: (prompt) =>
      'Check whether a given document contains information helpful to answer the query.\n' +
      `<Document> {document}\n<Query> {query}${prompt} ??`,
    defaultPrompt: '',
    givenPrompt: ' {prompt}',
    begin: 'own',
  },
  {
    name: /^mxbai-rerank-(base|large)-v2$/,
    tokens: { positive: '1', negative: '0' },
    text: (prompt) =>
      '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n' +
      `<|im_start|>user\n${prompt}query: {query}{break}\ndocument: {document}{break}\n` +
      'You are a search relevance expert who evaluates how well documents match search queries. For each ' +
      'query-document pair, carefully analyze the semantic relationship between them, then provide your binary ' +
      'relevance judgment (0 for not relevant, 1 for relevant).\nRelevance:<|im_end|>\n<|im_start|>assistant\n',
    defaultPrompt: '',
    givenPrompt: 'instruction: {prompt}\n',
    begin: 'none',
    activationFn: 'identity',
  },
  {
    name: /^lb-reranker-(0\.5B-)?v1\.0$/,
    tokens: { numbers: ['1', '2', '3', '4', '5', '6', '7'] },
    text: () =>
      '<|im_start|>system\nGiven a query and a piece of text, output a score of 1-7 based on how related the query is to ' +
      'the text. 1 means least related and 7 is most related.<|im_end|>\n<|im_start|>user\n' +
      '<<<Query>>>\n{query}\n\n<<<Context>>>\n{document}<|im_end|>\n<|im_start|>assistant\n',
    begin: 'none',
    activationFn: 'identity',
  },
];

/** Undefined for a `name` that is not known. Throws `architecture_unsupported` where the vocabulary lacks a token. */
export function findPublishedScore(
  name: string,
  folder: string,
  tokenizer: PreparedTokenizer,
):
  | {
      readonly tokens: ScoreTokens | NumberTokens;
      readonly template: PairTemplate;
      readonly activationFn?: string;
    }
  | undefined {
  const found = PUBLISHED.find((score) => score.name.test(name));
  if (found === undefined) return undefined;
  const { tokens, activationFn } = found;
  return {
    tokens: tokenIds(tokens, (token) => scoreTokenId(tokenizer, token, folder)),
    template: templateOf(found, tokenizer),
    ...(activationFn === undefined ? {} : { activationFn }),
  };
}

function templateOf(
  { text, defaultPrompt, givenPrompt = '{prompt}', begin }: PublishedText,
  tokenizer: PreparedTokenizer,
): PairTemplate {
  const bosId = begin === 'bos' ? tokenizer.ids.bos : undefined;
  // By itself: what some tokenizers put before a text stands behind it.
  const bos = bosId === undefined ? '' : `${tokenizer.tokens.get(bosId)!}{break}`;
  const pieces = (prompt: string) => splitText(bos + text(prompt));
  return {
    plain: pieces(defaultPrompt ?? ''),
    prompted: defaultPrompt === undefined ? undefined : pieces(givenPrompt),
    restoresEnd: begin !== 'own',
    ...(begin === 'own' ? { addsSpecialTokens: true } : {}),
  };
}

function tokenIds(tokens: CountedTokens, idOf: (token: string | number) => number): ScoreTokens | NumberTokens {
  if ('numbers' in tokens) return { numbers: tokens.numbers.map(idOf) };
  const { positive, negative, divisor } = tokens;
  return {
    positive: idOf(positive),
    negative: negative === undefined ? undefined : idOf(negative),
    ...(divisor === undefined ? {} : { divisor }),
  };
}

/** NVIDIA's rerankers with a head, which read one text, and the class that is theirs alone. */
const HEADED = /^llama-(3\.2-nv-rerankqa|nemotron-rerank)-1b-v2$/;
const HEADED_CLASS = 'LlamaBidirectionalForSequenceClassification';
/** FlagEmbedding's classes, whose code has one text for all models of each. */
const LAYERWISE_TEXTS: Readonly<Record<string, PublishedText>> = {
  LayerWiseMiniCPMForCausalLM: FLAG_EMBEDDING,
  CostWiseGemmaForCausalLM: {
    ...FLAG_EMBEDDING,
    defaultPrompt: 'Predict whether passage B contains an answer to query A.',
  },
};

/** The text of a pair for a model with a head, or what nothing in the checkpoint says; neither for most. */
export function findPublishedText(
  name: string,
  sourceClass: string,
  tokenizer: PreparedTokenizer,
): { readonly template?: PairTemplate; readonly assumption?: string } {
  const layerwise = LAYERWISE_TEXTS[sourceClass];
  if (layerwise !== undefined) return { template: templateOf(layerwise, tokenizer) };
  if (sourceClass !== HEADED_CLASS) return {};
  if (HEADED.test(name)) return { template: ordinaryText(['question:', ' \n \n passage:', '']) };
  return {
    assumption:
      `nothing in ${shown(name, 80)} says what text a pair becomes for a ${sourceClass}, which reads one ` +
      'text; a pair is two texts for it here. Pass the text that it was trained on, by itself',
  };
}

function splitText(text: string): TemplatePieces {
  const parts = text.split(/\{(query|document|prompt|break)\}/);
  return {
    pieces: parts.filter((_, index) => index % 2 === 0),
    slots: parts.filter((_, index) => index % 2 === 1) as Slot[],
  };
}
