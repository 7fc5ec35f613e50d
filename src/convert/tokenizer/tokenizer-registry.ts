/** Which class of tokenizers a checkpoint has, by the names that transformers knows. */
import { EncoderError } from '../../errors';
import { LUKE, MLUKE } from './entity-tokenizers';
import type { TokenizerClass } from './tokenizer-class';
import {
  ALBERT,
  BERT,
  BERTWEET,
  BIG_BIRD,
  CAMEMBERT,
  CODEGEN,
  DEBERTA,
  DEBERTA_V2,
  DISTILBERT,
  ESM,
  GEMMA,
  GENERIC,
  GPT2,
  GPT_NEOX,
  LLAMA,
  MBART,
  MBART50,
  MPNET,
  OPENAI_GPT,
  PHOBERT,
  QWEN2,
  QWEN35,
  REMBERT,
  ROBERTA,
  T5,
  XLM_ROBERTA,
  XLNET,
} from './tokenizer-classes';

/** By the name in tokenizer_config.json, `Fast` cut off. */
const CLASSES: ReadonlyMap<string, TokenizerClass> = new Map([
  ...['TokenizersBackend', 'PreTrainedTokenizer', 'BloomTokenizer'].map((name) => [name, GENERIC] as const),
  ...['Bert', 'Electra', 'LayoutLM', 'Lxmert', 'MobileBert', 'SqueezeBert', 'ConvBert'].map(
    (name) => [`${name}Tokenizer`, BERT] as const,
  ),
  ['DistilBertTokenizer', DISTILBERT],
  ...['Roberta', 'Bart', 'Longformer', 'Mvp'].map((name) => [`${name}Tokenizer`, ROBERTA] as const),
  ...[
    ...[MPNET, GPT2, GPT_NEOX, DEBERTA, QWEN2, LLAMA, GEMMA, XLM_ROBERTA, CAMEMBERT, ALBERT, REMBERT, DEBERTA_V2],
    ...[CODEGEN, OPENAI_GPT, T5, MBART, MBART50, ESM, BIG_BIRD, LUKE, MLUKE, XLNET, PHOBERT, BERTWEET, QWEN35],
  ].map((tokenizerClass) => [tokenizerClass.name, tokenizerClass] as const),
]);

/** The class that transformers registers for a `model_type`. */
const REGISTERED: ReadonlyMap<string, TokenizerClass> = new Map([
  ...['bert', 'distilbert', 'electra', 'ernie', 'layoutlm', 'nomic_bert', 'convbert', 'mobilebert', 'squeezebert'].map(
    (type) => [type, BERT] as const,
  ),
  ...['roberta', 'roberta-prelayernorm', 'data2vec-text', 'longformer', 'bart', 'ibert', 'mvp'].map(
    (type) => [type, ROBERTA] as const,
  ),
  ...['gemma', 'gemma2', 'gemma3', 'gemma3_text'].map((type) => [type, GEMMA] as const),
  ...['qwen2', 'qwen2_moe', 'qwen3', 'qwen3_moe'].map((type) => [type, QWEN2] as const),
  ...['qwen3_5', 'qwen3_5_text'].map((type) => [type, QWEN35] as const),
  ...['gpt2', 'gpt_neo', 'gptj', 'opt', 'phi', 'starcoder2'].map((type) => [type, GPT2] as const),
  ...['gpt_neox', 'mpt', 'olmo'].map((type) => [type, GPT_NEOX] as const),
  ['openai-gpt', OPENAI_GPT],
  ['megatron-bert', BERT],
  ['mpnet', MPNET],
  ['deberta', DEBERTA],
  ['deberta-v2', DEBERTA_V2],
  ...['xlm-roberta', 'gte', 'jina_embeddings_v3'].map((type) => [type, XLM_ROBERTA] as const),
  ['camembert', CAMEMBERT],
  ['albert', ALBERT],
  ['rembert', REMBERT],
  ['xlnet', XLNET],
  ['t5', T5],
  ['mt5', T5],
  ['mbart', MBART],
  ['esm', ESM],
  ['big_bird', BIG_BIRD],
  ['luke', LUKE],
  // The class's own name of it, and that of the published file.
  ...['HHEMv2', 'HHEMv2Config'].map((type) => [type, T5] as const),
]);

/** Types for which a class other than the registered one is known to be a mistake of the checkpoint. */
const REGISTERED_ONLY: ReadonlySet<string> = new Set(['qwen2', 'qwen3_5']);

/** Types whose files are taken as they are, whatever class they name. */
const FILE_ONLY: ReadonlySet<string> = new Set([
  'glm',
  'glm4',
  'gpt_bigcode',
  'granite',
  'ministral',
  'ministral3',
  'mistral',
  'modernbert',
  'modernbert-decoder',
  'nemotron',
  'olmo2',
  'olmo3',
  'phi3',
  'stablelm',
  'xlm-roberta-xl',
]);

/** Likewise where there is a tokenizer.json; transformers 5 reads no other file of it, and version 4 did by the class. */
const FILE_FIRST: ReadonlySet<string> = new Set(['umt5']);

/**
 * `named`: tokenizer_class of tokenizer_config.json or config.json; `hasFile`: that there is a tokenizer.json. Throws
 * `tokenizer_unsupported`.
 */
export function findTokenizerClass(
  named: string | undefined,
  modelType: string,
  path: string,
  hasFile = false,
): TokenizerClass {
  const registered = REGISTERED.get(modelType);
  const name = named?.replace(/Fast$/, '');
  const found = name === undefined ? (registered ?? GENERIC) : CLASSES.get(name);
  if (found === undefined) {
    throw new EncoderError('tokenizer_unsupported', `${path}: tokenizer_class ${named} is not supported`);
  }
  if (FILE_ONLY.has(modelType) || (hasFile && FILE_FIRST.has(modelType))) return GENERIC;
  return REGISTERED_ONLY.has(modelType) && registered !== undefined ? registered : found;
}
