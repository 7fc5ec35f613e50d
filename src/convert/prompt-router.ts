/**
 * Lfm2BidirForSequenceRouting (LFM2.5-Encoder-350M-Prompt-Router): an encoder of LFM2.5 reads a list of labels and the text
 * behind it, and gives every label the cosine of its mean state and the text's, each projected, times a scale. As the
 * class's own method `route`, but for the softmax.
 */

import { bareClass, findBody, isOfClass } from './architectures/index';
import { TensorPlanner } from './architectures/tensor-planner';
import { ConfigReader } from './config';
import type { LabelModel, LabelReader } from './label-reader';
import { MAX_INTERMEDIATE_SIZE } from './limits';
import { readMaxLength } from './max-length';
import { JoinedSource } from './readers/joined';
import { NestedSource } from './readers/nested';
import type { TensorSource } from './readers/tensor-source';
import type { PreparedTokenizer } from './tokenizer/prepare-tokenizer';
import { checkTokenBytes } from './tokenizer/token-bytes';

export const PROMPT_ROUTER = 'Lfm2BidirForSequenceRouting';
const ENCODER_CLASS = 'Lfm2BidirectionalModel';
/** Of the same code, for another task. */
const TOKEN_CLASS = 'Lfm2BidirForRuleMatching';
const ENCODER = 'lfm2.';
/** What stands beside the encoder. */
const HEAD = ['tok_proj.', 'rule_proj.', 'logit_scale', 'score_bias'];
/** "Categories:\n- one\n- two\n\nText:\n" and the text. */
const LAYOUT = { mark: '- ', separator: '\nText:\n', around: { opening: 'Categories:\n', labelEnd: '\n' } } as const;
const LARGEST_SCALE = 30;
/** Of the mean square; torch divides by a length of 1e-12 at least. */
const LENGTH_EPS = 1e-24;

/** For a prompt router; undefined for every other class. */
export function routerReader(config: ConfigReader): LabelReader | undefined {
  if (isOfClass(config, TOKEN_CLASS)) {
    config.unsupported(
      `a ${TOKEN_CLASS} scores every token of a text by rules and not the text by labels; ${PROMPT_ROUTER} is supported`,
    );
  }
  if (!isOfClass(config, PROMPT_ROUTER)) return undefined;
  const encoder = new ConfigReader({ ...config.json, architectures: [ENCODER_CLASS] }, config.path);
  return {
    sourceClass: PROMPT_ROUTER,
    encoder,
    describe: (weights, tokenizer, folder) => describeRouter(config, encoder, weights, tokenizer, folder),
  };
}

function describeRouter(
  config: ConfigReader,
  encoder: ConfigReader,
  weights: TensorSource,
  tokenizer: PreparedTokenizer,
  folder: string,
): LabelModel {
  const own = new NestedSource(weights, ENCODER);
  const family = findBody(encoder);
  if (bareClass(family.sourceClass) !== ENCODER_CLASS) {
    config.unsupported(`the model_type is ${encoder.string('model_type')}; a ${PROMPT_ROUTER} is one of lfm2`);
  }
  const body = family.describeBody(encoder, own);
  const { hiddenSize, numPositions, isCausal = false } = body.hyperparameters;
  if (isCausal) encoder.unsupported('its tokens see only those before them, so that no label would see the text');
  checkTokenBytes(tokenizer, folder);
  const planner = new TensorPlanner(weights);
  planHead(planner, hiddenSize, config.integer('rule_proj_dim', 256, 1, MAX_INTERMEDIATE_SIZE));
  planner.refuseUnused(/^lfm2\./);
  return {
    model: {
      ...body,
      tensors: [...body.tensors, ...planner.tensors],
      numLabels: 1,
      head: { pooling: 'text', activation: 'none', normEps: LENGTH_EPS, normKind: 'rms' },
      labelHead: { score: 'product', isFirst: true, tokens: 'held', hasSegments: false, ...LAYOUT },
      llamacppCompat: 'unsupported',
    },
    weights: new JoinedSource([...HEAD.map((name) => [name, new NestedSource(weights, name)] as const), ['', own]]),
    maxLength: readMaxLength(undefined, numPositions, tokenizer.maxLength, folder),
  };
}

function planHead(planner: TensorPlanner, hiddenSize: number, size: number): void {
  for (const [target, source] of [
    ['text', 'tok_proj'],
    ['label', 'rule_proj'],
  ] as const) {
    planner.headDense(`labels.${target}.0`, size, hiddenSize, source);
    planner.lengthNorm(`labels.${target}_norm.weight`, size);
  }
  planner.computed('cls.output.weight', [1, size], [['logit_scale', []]], ([scale]) => [
    new Float32Array(size).fill(Math.min(Math.exp(scale![0]!), LARGEST_SCALE)),
  ]);
  planner.computed('cls.output.bias', [1], [['score_bias', []]], ([bias]) => [bias!]);
}
