/** The tokenizers of models that know entities, of which only the words are read. */
import { EncoderError } from '../../errors';
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import { PLAIN_QUOTES, ROBERTA_TOKENS, type TokenizerClass, templateOf, unigram } from './tokenizer-class';
import { BYTE_PAIRS, byteLevel, metaspace, sequenceOf } from './tokenizer-components';

const NAMED = { entity_unk: '[UNK]', entity_pad: '[PAD]', entity_mask: '[MASK]', entity_mask2: '[MASK2]' };

/** Tokens of entities that the words' tokenizer knows, too. */
function entityTokens(config: ConfigReader): string[] {
  return Object.entries(NAMED).map(([key, fallback]) => config.string(`${key}_token`, fallback));
}

function markTokens(config: ConfigReader): string[] {
  return [config.string('entity_token_1', '<ent>'), config.string('entity_token_2', '<ent2>')];
}

function refuseTask(config: ConfigReader): void {
  const task = config.get('task');
  if (task === undefined) return;
  throw new EncoderError(
    'tokenizer_unsupported',
    `${config.path}: task is ${shown(task)}, with which texts need entities; only null is supported`,
  );
}

/** Its template is that of tokenizer.json, and without one it adds no tokens. */
export const LUKE: TokenizerClass = {
  name: 'LukeTokenizer',
  model: 'BPE',
  defaults: ROBERTA_TOKENS,
  named: entityTokens,
  last: (config) => markTokens(config).map((content) => [content, false]),
  onlyFile: 'of vocab.json and merges.txt transformers 5 makes one that adds no <s> and </s>; RobertaTokenizer does',
  build: ({ config }) => {
    refuseTask(config);
    const pre_tokenizer = byteLevel({ prefixSpace: config.boolean('add_prefix_space', false) });
    return { normalizer: null, pre_tokenizer, model: BYTE_PAIRS };
  },
};

/** What is unknown becomes the first token, whichever that is. */
export const MLUKE: TokenizerClass = {
  name: 'MLukeTokenizer',
  model: 'Unigram',
  defaults: ROBERTA_TOKENS,
  maskTakesSpace: true,
  named: entityTokens,
  last: (config) => markTokens(config).map((content) => [content, true]),
  overrulesFlags: true,
  onlyFile:
    'of a SentencePiece model transformers 5 makes one with other ids than those that models were trained with; XLMRobertaTokenizer has them',
  build: ({ config }) => {
    refuseTask(config);
    return {
      normalizer: sequenceOf('normalizers', [...PLAIN_QUOTES]),
      pre_tokenizer: metaspace('always', true),
      model: unigram(0),
    };
  },
  template: templateOf('cls:0 A:0 sep:0', 'cls:0 A:0 sep:0 sep:0 B:1 sep:1'),
};
