/**
 * JinaForRanking (jina-reranker-v3): a Qwen 3 that reads a query and all of its documents in one text. The states of a token
 * behind each document and of one behind the query go through two layers, and a score is the cosine of what becomes of them.
 */
import { EncoderError } from '../../errors';
import { MAX_HIDDEN_SIZE } from '../limits';
import type { Architecture, DocumentList, TensorIndex } from './architecture';
import { describeBody } from './decoder';
import { DECODER_FAMILIES } from './decoder-families';

const QWEN3 = DECODER_FAMILIES.find(({ modelType }) => modelType === 'qwen3')!;

const DOCUMENT_MARK = '<|embed_token|>';
const QUERY_MARK = '<|rerank_token|>';
/** What the model was trained with, word for word. */
const SYSTEM =
  '<|im_start|>system\n' +
  'You are a search relevance expert who can determine a ranking of the passages based on how relevant they are to the ' +
  'query. If the query is a question, how relevant a passage is depends on how well it answers the question. If not, try ' +
  'to analyze the intent of the query and assess how well each passage satisfies the intent. If an instruction is ' +
  'provided, you should follow the instruction when determining the ranking.<|im_end|>\n' +
  '<|im_start|>user\nI will provide you with ';
const TASK =
  ' passages, each indicated by a numerical identifier. Rank the passages based on their relevance to query: ';
const END = `${QUERY_MARK}\n</query><|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n`;

/** Limits of the two models' code, which no file of theirs has. */
const LIMITS = { maxDocuments: 125, maxQueryTokens: 512, maxDocumentTokens: 2048 };
const LATER_LIMITS = { maxDocuments: 125, maxQueryTokens: 1024, maxDocumentTokens: 8192 };

/** `name`: of the folder or repository. */
function jinaList(name: string): DocumentList {
  return {
    plain: { pieces: [SYSTEM, TASK, '\n', '\n<query>\n', END], slots: ['count', 'query', 'documents', 'query'] },
    prompted: {
      pieces: [SYSTEM, TASK, '\n<instruct>\n', '\n</instruct>\n', '\n<query>\n', END],
      slots: ['count', 'query', 'prompt', 'documents', 'query'],
    },
    item: ['<passage id="', '">\n', `${DOCUMENT_MARK}\n</passage>`],
    separator: '\n',
    documentMark: DOCUMENT_MARK,
    queryMark: QUERY_MARK,
    ...(name.startsWith('jina-reranker-v3.5') ? LATER_LIMITS : LIMITS),
  };
}

export const jinaRanking: Architecture = {
  sourceClass: 'JinaForRanking',
  modelType: 'qwen3',
  list: jinaList,
  activationFn: 'identity',
  describe(config, weights) {
    const body = describeBody(QWEN3, config, weights, (planner, prefix, { hiddenSize }) => {
      const [first, last] = [`${prefix}projector.0`, `${prefix}projector.2`];
      const inner = countRows(weights, `${first}.weight`);
      planner.headDense('cls', inner, hiddenSize, first, false);
      planner.headDense('cls.output', countRows(weights, `${last}.weight`), inner, last, false);
    });
    return {
      ...body,
      numLabels: 1,
      head: { pooling: 'marks', activation: 'relu' },
      llamacppCompat: 'unsupported',
    };
  },
};

/** The class fixes them: half the hidden size, and 512. */
function countRows(weights: TensorIndex, name: string): number {
  const rows = weights.find(name)?.shape[0] ?? 1;
  if (rows >= 1 && rows <= MAX_HIDDEN_SIZE) return rows;
  throw new EncoderError('tensor_shape_mismatch', `${name} has ${rows} rows; 1 to ${MAX_HIDDEN_SIZE} expected`);
}
