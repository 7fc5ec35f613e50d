/**
 * The tokenizer.json that a file's `tokenizer.ggml` keys describe: WordPiece (`bert`), Unigram (`t5`) and byte-level BPE
 * (`gpt2`). The keys say less than a tokenizer.json; what they leave out is taken from the classes that the converter
 * knows them from.
 */
import { EncoderError } from '../../errors';
import { TOKENIZER_KEYS } from '../../gguf/keys';
import { type JsonObject, isJsonObject, parseJson, shown } from '../../support/json';
import type { PreparedTokenizer, SpecialIds } from '../tokenizer/prepare-tokenizer';
import { object, template, tokenizerDocument } from '../tokenizer/tokenizer-components';
import { readVocabulary } from '../tokenizer/vocabulary';
import type { MetadataReader } from './metadata-reader';
import { type Pipeline, bytePairs, unigram, wordPiece } from './tokenizer-pipelines';
import { UNUSED, type TokenTable, readTokenTable } from './token-table';
import type { LlamaCppWarning } from './warnings';

/** llama.cpp's defaults for ids that a file does not name. */
const DEFAULT_IDS: Readonly<Record<string, Partial<SpecialIds>>> = {
  bert: { cls: 101, sep: 102, unk: 100, pad: 0, mask: 103 },
  t5: { eos: 1, unk: 2, pad: 0 },
  gpt2: {},
};

const MODELS: ReadonlyMap<string, (metadata: MetadataReader, table: TokenTable, ids: SpecialIds) => Pipeline> = new Map(
  [
    ['bert', wordPiece],
    ['t5', unigram],
    ['gpt2', bytePairs],
  ],
);

/** Throws `tokenizer_missing`, `tokenizer_unsupported` and `gguf_malformed`. */
export function rebuildTokenizer(
  metadata: MetadataReader,
  numRows: number,
  warn: (code: LlamaCppWarning) => void,
): PreparedTokenizer {
  const model = metadata.string(TOKENIZER_KEYS.model, 'no_vocab');
  const build = MODELS.get(model);
  if (model === 'no_vocab') {
    throw new EncoderError(
      'tokenizer_missing',
      `${metadata.path} holds no vocabulary; convert the Hugging Face checkpoint instead`,
    );
  }
  if (build === undefined) {
    throw new EncoderError(
      'tokenizer_unsupported',
      `${metadata.path}: the tokenizer ${shown(model)} is not supported in files of other converters; ` +
        `supported are ${[...MODELS.keys()].join(', ')}. Convert the Hugging Face checkpoint instead`,
    );
  }
  const table = readTokenTable(metadata, model, numRows);
  const ids = readIds(metadata, model, table);
  const pipeline = build(metadata, table, ids);
  if (pipeline.isCasingAssumed) warn('casing_assumed');
  const json = embeddedJson(metadata) ?? assemble(metadata, table, ids, pipeline);
  const tokens = new Map<number, string>();
  table.tokens.forEach((token, id) => {
    if (table.types[id] !== UNUSED) tokens.set(id, token);
  });
  return {
    json,
    tokens,
    added: table.added,
    ids,
    vocabulary: readVocabulary(json, metadata.path),
    lowercase: pipeline.lowercase,
    stripAccents: pipeline.stripAccents,
    maxLength: undefined,
    truncationSide: 'right',
    warnings: [],
  };
}

function readIds(metadata: MetadataReader, model: string, { tokens }: TokenTable): SpecialIds {
  const defaults = DEFAULT_IDS[model]!;
  const id = (keys: readonly string[], fallback?: number): number | undefined => {
    const key = keys.find((name) => metadata.has(name));
    if (key !== undefined) return metadata.integer(key, 0, tokens.length - 1);
    return fallback !== undefined && fallback < tokens.length ? fallback : undefined;
  };
  const bos = id([TOKENIZER_KEYS.bosId]);
  const eos = id([TOKENIZER_KEYS.eosId], defaults.eos);
  // What transformers calls cls and sep, llama.cpp's converter writes as bos and eos where there are no others.
  return {
    bos,
    eos,
    unk: id([TOKENIZER_KEYS.unknownId], defaults.unk),
    sep: id([TOKENIZER_KEYS.separatorId, 'tokenizer.ggml.separator_token_id'], eos ?? defaults.sep),
    pad: id([TOKENIZER_KEYS.paddingId], defaults.pad),
    cls: id(['tokenizer.ggml.cls_token_id'], bos ?? defaults.cls),
    mask: id([TOKENIZER_KEYS.maskId], defaults.mask),
  };
}

/** A tokenizer.json that stands in the file whole. */
function embeddedJson(metadata: MetadataReader): JsonObject | undefined {
  const text = metadata.string(TOKENIZER_KEYS.huggingFaceJson, '');
  if (text === '') return undefined;
  const json = parseJson(text, { what: `${metadata.path}: ${TOKENIZER_KEYS.huggingFaceJson}` });
  return isJsonObject(json) ? json : metadata.malformed(`${TOKENIZER_KEYS.huggingFaceJson} is no object`);
}

function assemble(metadata: MetadataReader, table: TokenTable, ids: SpecialIds, pipeline: Pipeline): JsonObject {
  return tokenizerDocument({
    added_tokens: [...table.added]
      .sort(([a], [b]) => a - b)
      .map(([id, isSpecial]) =>
        object({
          id,
          content: table.tokens[id]!,
          single_word: false,
          lstrip: isSpecial && pipeline.maskTakesSpace && id === ids.mask,
          rstrip: false,
          normalized: !isSpecial,
          special: isSpecial,
        }),
      ),
    normalizer: pipeline.normalizer,
    pre_tokenizer: pipeline.preTokenizer,
    post_processor: postProcessor(metadata, table, ids, pipeline),
    model: pipeline.model,
  });
}

/**
 * [bos] A [eos] and [bos] A [eos] [sep] B [eos], as llama.cpp joins a query and a document. The second text has segment 1;
 * models with a single segment do not look.
 */
function postProcessor(
  metadata: MetadataReader,
  { tokens }: TokenTable,
  ids: SpecialIds,
  { adds }: Pipeline,
): JsonObject {
  const isSet = (key: string, fallback: boolean) => metadata.boolean(key, fallback);
  const first = isSet(TOKENIZER_KEYS.addBos, adds.bos) || adds.isFixed ? ids.cls : undefined;
  const last = isSet(TOKENIZER_KEYS.addEos, adds.eos) || adds.isFixed ? (adds.isFixed ? ids.sep : ids.eos) : undefined;
  const between = isSet(TOKENIZER_KEYS.addSeparator, adds.separator) ? ids.sep : undefined;
  const named: Record<string, [string, number]> = {};
  const piece = (name: string, id: number | undefined, segment: number): string[] => {
    if (id === undefined) return [];
    named[name] = [tokens[id]!, id];
    return [`${name}:${segment}`];
  };
  const single = [...piece('first', first, 0), 'A:0', ...piece('last', last, 0)];
  const pair = [...single, ...piece('between', between, 0), 'B:1', ...piece('last', last, 1)];
  return template(single.join(' '), pair.join(' '), named);
}
