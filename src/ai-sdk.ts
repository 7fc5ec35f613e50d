/**
 * `ggml-encoder/ai-sdk`: a cross-encoder as a reranking model of the Vercel AI SDK.
 *
 * The types are ours and structural, so that this package needs none of the SDK's; a type test holds them against `ai`.
 */
import { checkFunction, checkOptions, invalidType, wrongType } from './support/arguments';
import type { CrossEncoder } from './api/cross-encoder';
import { RANK_KEYS } from './api/options';
import type { RankOptions } from './api/options';
import { isEncoderError } from './errors';

/** The key of `providerOptions` whose value, options of `rank`, holds for one call. */
const PROVIDER = 'ggml-encoder';

const HEADERS_UNUSED = {
  type: 'unsupported',
  feature: 'headers',
  details: 'the model runs in this process; there is no request that could carry them',
} as const;

/** A value that JSON has. */
export type JsonValue = null | string | number | boolean | JsonObject | JsonValue[];

/** A document with fields, as `rerank` takes it. */
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

/** What `rerank` asks of a model; the SDK's RerankingModelV3CallOptions. */
export interface RerankingCall {
  readonly documents: { type: 'text'; values: string[] } | { type: 'object'; values: JsonObject[] };
  readonly query: string;
  readonly topN?: number | undefined;
  readonly abortSignal?: AbortSignal | undefined;
  readonly providerOptions?: Record<string, JsonObject> | undefined;
  readonly headers?: Record<string, string | undefined> | undefined;
}

/** What a model answers: places in the list of documents by falling score. */
export interface RerankingAnswer {
  ranking: { index: number; relevanceScore: number }[];
  warnings: { type: 'unsupported'; feature: string; details: string }[];
  response: { modelId: string };
}

/** The SDK's RerankingModelV3, which `ai` takes from version 6 on. */
export interface RerankingModel {
  readonly specificationVersion: 'v3';
  readonly provider: string;
  readonly modelId: string;
  /** Ranks the documents of one call. */
  doRerank(call: RerankingCall): Promise<RerankingAnswer>;
}

/** How the model ranks in every call: options of `CrossEncoder.rank`, save those that `rerank` sets itself. */
export interface RerankingModelOptions<Label extends string = string> extends Omit<
  RankOptions<Label>,
  'topK' | 'returnDocuments' | 'signal'
> {
  /** What the model reads of a document that is an object. Default: its JSON. */
  readonly documentText?: ((document: JsonObject) => string) | undefined;
}

/**
 * Makes `crossEncoder` usable as `rerank({ model })`. It stays the caller's: dispose it when it is no longer needed.
 *
 * @param options ranks as `crossEncoder.rank` with these; `providerOptions['ggml-encoder']` of a call goes over them.
 * @throws TypeError for wrong arguments. A call rejects as `crossEncoder.rank` does, and with the signal's own reason
 *   when it is aborted, as the SDK expects.
 */
export function rerankingModel<Label extends string = string>(
  crossEncoder: CrossEncoder<Label>,
  options: RerankingModelOptions<NoInfer<Label>> = {},
): RerankingModel {
  if (!isCrossEncoder(crossEncoder)) throw invalidType('crossEncoder', 'a loaded CrossEncoder', crossEncoder);
  checkRankOptions('options', options, ['documentText']);
  const { documentText = JSON.stringify, ...rankOptions } = options;
  checkFunction('options.documentText', documentText);
  const modelId = crossEncoder.info.name;

  return {
    specificationVersion: 'v3',
    provider: PROVIDER,
    modelId,
    async doRerank({ documents, query, topN, abortSignal, providerOptions, headers }) {
      const own = providerOptions?.[PROVIDER] ?? {};
      checkRankOptions(`providerOptions['${PROVIDER}']`, own);
      const texts = documents.type === 'text' ? documents.values : documents.values.map((value) => documentText(value));
      try {
        const ranked = await crossEncoder.rank(query, texts, {
          ...rankOptions,
          ...own,
          topK: topN ?? null,
          signal: abortSignal,
        });
        return {
          ranking: ranked.map(({ index, score }) => ({ index, relevanceScore: score })),
          warnings: headers === undefined ? [] : [HEADERS_UNUSED],
          response: { modelId },
        };
      } catch (error) {
        if (isEncoderError(error, 'aborted') && abortSignal?.aborted === true) throw abortSignal.reason;
        throw error;
      }
    },
  };
}

/** By what it has: this entry point and the caller may have loaded the package's classes apart, as test runners do. */
function isCrossEncoder(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'rank' in value && 'predict' in value && 'info' in value;
}

/** Options that `rerank` brings with each call, and that would be passed over here. */
const CALL_KEYS: readonly string[] = ['topK', 'signal'];

function checkRankOptions(name: string, options: object, more: readonly string[] = []): void {
  checkOptions(options, [...RANK_KEYS, ...more], name);
  const own = CALL_KEYS.find((key) => key in options);
  if (own !== undefined) throw wrongType(`${name}.${own}: rerank itself takes topN and abortSignal`);
}
