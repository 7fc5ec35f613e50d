/**
 * Models of late interaction (ColBERT and its kind): a bare encoder or decoder that makes a vector of each token, by which a
 * query's tokens find their nearest ones in a document. As sentence-transformers' MultiVectorEncoder runs them.
 */
import { shown } from '../../support/json';
import type {
  Architecture,
  EncoderBody,
  EncoderHyperparameters,
  EncoderModel,
  TokenInteraction,
} from '../architectures/architecture';
import { bareClass, findBody } from '../architectures/index';
import type { CheckpointFiles } from '../checkpoint';
import type { ConfigReader } from '../config';
import {
  type ExpansionSettings,
  type InteractionSettings,
  isStanfordColbert,
  padsLeft,
  readModuleInteraction,
  readStanfordInteraction,
} from './interaction-settings';
import { readMaxLength } from '../max-length';
import { registerMarkers } from '../tokenizer/prefix-tokens';
import type { TensorSource } from '../readers/tensor-source';
import { MODEL_SETTINGS, TRANSFORMER_SETTINGS } from './modules';
import { type TokenProjection, planProjection, planStanfordProjection } from './token-projection';
import { type PreparedTokenizer, prepareTokenizer } from '../tokenizer/prepare-tokenizer';
import { checkTransformerOutput, refuseKwargs } from './transformer-kwargs';
import { findTemplate } from '../chat-template/template-source';

/** The layer of Stanford's class. */
const STANFORD_LAYER = 'linear';

export interface InteractionModel {
  readonly sourceClass: string;
  readonly model: EncoderModel;
  readonly tokenizer: PreparedTokenizer;
  readonly weights: TensorSource;
  readonly maxLength: number;
}

/** Whether the checkpoint is such a model, or says so. */
export function isLateInteraction(checkpoint: CheckpointFiles, config: ConfigReader): boolean {
  return checkpoint.modules === undefined ? isStanfordColbert(config) : checkpoint.modules.interaction !== undefined;
}

/** Throws what `Architecture.describe` throws, and what `prepareTokenizer` does. */
export async function describeInteraction(
  checkpoint: CheckpointFiles,
  config: ConfigReader,
): Promise<InteractionModel> {
  const folders = checkpoint.modules?.interaction;
  const architecture = findBody(config);
  const own = await checkpoint.weights();
  const files = await checkpoint.tokenizerFiles();
  // Without a modules.json, sentence-transformers reads neither of its settings.
  const transformer = folders && (await checkpoint.settings(TRANSFORMER_SETTINGS));
  if (folders === undefined && (await findTemplate(checkpoint, files.config)) !== undefined) {
    config.unsupported('the checkpoint has a chat template, which texts would be put into');
  }
  const settings =
    folders === undefined
      ? readStanfordInteraction(await checkpoint.colbertSettings(), checkpoint.folder)
      : await readModuleInteraction(
          checkpoint,
          folders,
          await checkpoint.settings(MODEL_SETTINGS),
          transformer,
          isStanfordColbert(config),
        );
  if (transformer !== undefined) checkTransformer(transformer);
  const isOther = (name: string) => folders !== undefined || name !== `${STANFORD_LAYER}.weight`;
  const body = architecture.describeBody(config, {
    names: () => [...own.names()].filter(isOther),
    find: (name) => own.find(name),
  });
  const projection =
    folders === undefined
      ? planStanfordProjection(own, body.hyperparameters.hiddenSize, STANFORD_LAYER)
      : await planProjection(checkpoint, folders.dense, settings.features, body, own);
  const tokenizer = registerMarkers(
    prepareTokenizer(files, checkpoint.modelFolder, {
      modelType: config.string('model_type', ''),
      tokenizerClass: config.string('tokenizer_class'),
      lowersCase: transformer?.boolean('do_lower_case', false),
      source: architecture.tokenizerOf,
    }),
    settings.markers,
  );
  refuseBody(config, body.hyperparameters);
  const { numPositions } = body.hyperparameters;
  const most = readMaxLength(transformer, numPositions, tokenizer.maxLength, checkpoint.modelFolder);
  if (settings.expansion !== undefined) {
    checkExpansion(settings, settings.expansion, body.hyperparameters, architecture, most);
  }
  if (settings.expansion !== undefined && padsLeft(files.config, transformer)) {
    settings.source.unsupported(
      'queries are filled up and the tokenizer pads on the left; only the right is supported',
    );
  }
  const interaction = readInteraction(settings, tokenizer, body.hyperparameters, most);
  return {
    sourceClass: folders === undefined ? 'HF_ColBERT' : bareClass(architecture.sourceClass),
    model: modelOf(body, projection, interaction),
    tokenizer,
    weights: projection.weights,
    maxLength: Math.max(most, interaction.queryLength, interaction.documentLength),
  };
}

function modelOf(body: EncoderBody, projection: TokenProjection, interaction: TokenInteraction): EncoderModel {
  return {
    ...body,
    tensors: [...body.tensors, ...projection.planner.tensors],
    numLabels: 1,
    head: { pooling: 'tokens', activation: projection.activation },
    interaction,
    llamacppCompat: 'unsupported',
  };
}

function checkTransformer(transformer: ConfigReader): void {
  if (transformer.object('modality_config')?.['message'] !== undefined) {
    transformer.unsupported('modality_config has messages, for which texts are put into a chat template');
  }
  checkTransformerOutput(transformer, 'Dense');
  refuseKwargs(transformer);
}

/** What is not the same for two texts, each by itself, as for one. */
function refuseBody(config: ConfigReader, { isFirstGlobal, linearAttention, rope }: EncoderHyperparameters): void {
  if (linearAttention !== undefined)
    config.unsupported('some layers keep a state in the place of the tokens that they have seen');
  if (isFirstGlobal === true) config.unsupported('the first token sees all others; every token scores in this model');
  if (rope?.long !== undefined) config.unsupported('LongRoPE is not supported under vectors of tokens');
}

function checkExpansion(
  { source, queryLength }: InteractionSettings,
  { length, isAttended, isFixed }: ExpansionSettings,
  { numPositions, attentionSoftcap, slidingWindow, isCausal }: EncoderHyperparameters,
  { zeroesUnseen }: Architecture,
  maxLength: number,
): void {
  const most = isFixed || queryLength !== undefined ? numPositions : maxLength;
  if (length > most) source.malformed(`queries are filled up to ${length} tokens, and the model reads ${most}`);
  if (isAttended) return;
  if (zeroesUnseen === true) {
    source.unsupported('queries are filled up with tokens that no other sees, which DeBERTa makes no states of');
  }
  // What attention gives a token that sees none is zeros in PyTorch's own, which does not know caps.
  const distance = slidingWindow && (isCausal === true ? slidingWindow.size - 1 : Math.floor(slidingWindow.size / 2));
  if (attentionSoftcap !== undefined && distance !== undefined && distance < length) {
    source.unsupported(
      `queries are filled up to ${length} tokens that no other sees, some layers see ${distance} tokens far and cap ` +
        'their scores; the last of those tokens would see none',
    );
  }
}

function readInteraction(
  settings: InteractionSettings,
  tokenizer: PreparedTokenizer,
  hyperparameters: EncoderHyperparameters,
  most: number,
): TokenInteraction {
  const { expansion } = settings;
  const limited = (length: number | undefined) => Math.min(hyperparameters.numPositions, length ?? most);
  return {
    queryPrefix: settings.queryPrefix,
    documentPrefix: settings.documentPrefix,
    queryLength:
      expansion?.isFixed === true ? expansion.length : Math.max(limited(settings.queryLength), expansion?.length ?? 0),
    documentLength: limited(settings.documentLength),
    expansion: expansion && {
      tokenId: expansionToken(settings, expansion, tokenizer, hyperparameters),
      length: expansion.length,
      isAttended: expansion.isAttended,
    },
    skipTokenIds: skippedIds(settings, tokenizer),
    skipsQueryTokens: settings.skipsQueryTokens,
    normalizes: settings.normalizes,
    similarity: settings.similarity,
  };
}

function expansionToken(
  { source }: InteractionSettings,
  { token }: ExpansionSettings,
  tokenizer: PreparedTokenizer,
  { positionOffset = 0 }: EncoderHyperparameters,
): number {
  const { mask, eos } = tokenizer.ids;
  const id = token === undefined ? (mask ?? eos) : idsByContent(tokenizer).get(token);
  if (id === undefined) {
    const wanted = token === undefined ? 'neither a mask token nor an end' : `no token ${token.slice(0, 40)}`;
    return source.malformed(`queries are filled up, and the tokenizer has ${wanted}`);
  }
  if (positionOffset > 0 && id === positionOffset - 1) {
    source.unsupported('queries are filled up with padding, which has no position of its own in this model');
  }
  return id;
}

function skippedIds({ source, skippedWords }: InteractionSettings, tokenizer: PreparedTokenizer): readonly number[] {
  const { unk } = tokenizer.ids;
  const known = idsByContent(tokenizer);
  const ids = new Set<number>();
  for (const word of skippedWords) {
    const id = known.get(word);
    if (id !== undefined) ids.add(id);
    else if (unk === undefined) {
      source.malformed(`skiplist_words has ${shown(word, 40)}, which is no token of the tokenizer`);
    }
  }
  return [...ids].sort((a, b) => a - b);
}

/** Added tokens go before those of the vocabulary, and of two alike the first. */
function idsByContent({ vocabulary, tokens, added }: PreparedTokenizer): ReadonlyMap<string, number> {
  const own = [...added.keys()].reverse().map((id) => [tokens.get(id)!, id] as const);
  return new Map([...vocabulary.ids, ...own]);
}
