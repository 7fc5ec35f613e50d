/**
 * Classifiers on decoders with layer norms and, most of them, a feed-forward part without a gate:
 * logits = score(norm(h[last token that is no pad])). From a family's own names to the file's.
 */
import type { ConfigReader } from '../config';
import type { Architecture, EncoderHyperparameters, RowRange } from './architecture';
import type { Biases } from './decoder-family';
import { planScore, scoreHead } from './score-head';
import { type TensorPlanner, planClassifier, prefixesOf } from './tensor-planner';

/** Names in the decoder, or in a layer of it. */
export interface PlainDecoderNames {
  /** The attribute of the whole model that is the decoder. */
  readonly decoder: string;
  readonly tokenEmbedding: string;
  readonly positionEmbedding?: string;
  /** Default: the embeddings are not normalized. */
  readonly embeddingNorm?: string;
  /** Of all layers, before the number of one. */
  readonly layers: string;
  /** One name twice where one norm feeds both parts. */
  readonly norms: readonly [attention: string, feedForward: string];
  /** Three layers, or one that holds them head by head, or, where it is the only one of a list, one behind the other. */
  readonly qkv: readonly [query: string, key: string, value: string] | readonly [all: string] | string;
  readonly output: string;
  /** Of a gated part the half that is activated, then the other. */
  readonly up: string | readonly [gate: string, up: string];
  readonly down: string;
  readonly lastNorm: string;
  /** Tensors that sequence classification does not use. */
  readonly ignored: RegExp;
}

export interface PlainDecoder {
  readonly hyperparameters: EncoderHyperparameters;
  readonly names: PlainDecoderNames;
  readonly biases: Biases;
  /** Default: norms have biases. */
  readonly normsHaveBiases?: boolean;
  /** Plans the layer norms of queries and keys of the file's layer `block` from the checkpoint's `layer`. Default: none. */
  readonly queryNorms?: ((planner: TensorPlanner, block: string, layer: string) => void) | undefined;
  /** The order of the rows of queries and of keys, where those that turn together stand side by side. Default: as they are. */
  readonly turnedRows?: readonly RowRange[];
}

/** All linear layers, or none. */
export function sameBiases(bias: boolean): Biases {
  return { qkv: bias, output: bias, mlp: bias };
}

/** `architecture`: llama.cpp's name of the layout. */
export function plainDecoder(
  sourceClass: string,
  modelType: string,
  architecture: string,
  read: (config: ConfigReader) => PlainDecoder,
): Architecture {
  return {
    sourceClass,
    modelType,
    describe(config, weights) {
      const { hyperparameters, names, biases, normsHaveBiases, queryNorms, turnedRows } = read(config);
      const { tokenEmbedding, positionEmbedding, embeddingNorm, ignored } = names;
      const { numLayers, hiddenSize: h, numHeads, intermediateSize: f, vocabSize, numPositions } = hyperparameters;
      const { headSize = h / numHeads, numKeyValueHeads = numHeads } = hyperparameters;
      const [q, kv] = [numHeads * headSize, numKeyValueHeads * headSize];
      const place = { prefixes: prefixesOf(names.decoder), probe: tokenEmbedding, classifier: 'score', ignored };
      const planned = planClassifier(weights, place, (planner, decoder, head, numLabels) => {
        planner.matrix('token_embd.weight', [vocabSize, h], `${decoder}${tokenEmbedding}.weight`);
        if (positionEmbedding !== undefined) {
          planner.exact('position_embd.weight', [numPositions, h], `${decoder}${positionEmbedding}.weight`);
        }
        if (embeddingNorm !== undefined)
          planner.norm('token_embd_norm', h, `${decoder}${embeddingNorm}`, normsHaveBiases);
        for (let layer = 0; layer < numLayers; layer++) {
          const [block, from] = [`blk.${layer}.`, `${decoder}${names.layers}.${layer}.`];
          const { qkv, norms } = names;
          planner.norm(`${block}attn_norm`, h, from + norms[0], normsHaveBiases);
          if (typeof qkv === 'string') {
            planner.joinedHeads(`${block}attn_qkv`, h, numHeads, from + qkv, biases.qkv, numKeyValueHeads);
          } else {
            const sources = qkv.map((name) => from + name);
            const rowRanges = turnedRows && [turnedRows, turnedRows, [[0, kv]] as const];
            const rows = sources.length === 1 ? [q + 2 * kv] : [q, kv, kv];
            planner.linear(`${block}attn_qkv`, { sources, rows, rowRanges, columns: h, bias: biases.qkv });
          }
          queryNorms?.(planner, block, from);
          planner.dense(`${block}attn_output`, h, q, from + names.output, biases.output);
          planner.norm(`${block}ffn_norm`, h, from + norms[1], normsHaveBiases);
          const ups = [names.up].flat().map((name) => from + name);
          planner.linear(`${block}ffn_up`, { sources: ups, rows: ups.map(() => f), columns: h, bias: biases.mlp });
          planner.dense(`${block}ffn_down`, h, f, from + names.down, biases.mlp);
        }
        planner.norm('output_norm', h, `${decoder}${names.lastNorm}`, normsHaveBiases);
        planScore(planner, head, numLabels, h);
      });
      return { architecture, hyperparameters, ...planned, head: scoreHead(config), llamacppCompat: 'unsupported' };
    },
  };
}
