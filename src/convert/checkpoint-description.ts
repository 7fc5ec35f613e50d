/**
 * What a checkpoint says, for each kind of it: what its configuration, its tokenizer and its weights together make of the file.
 * A new kind of model is a function here; a new class of a known kind is a file in architectures.
 */
import { isEncoderError } from '../errors';
import { readActivationFn } from './sentence-transformers/activation-fn';
import type { Architecture, EncoderModel } from './architectures/architecture';
import { bareClass, findArchitecture, findBody, findPresumed } from './architectures/index';
import { readScoreTokens } from './score-tokens';
import { refuseCutoff, refuseHeadOptions, refuseScoreTokens, refuseTokens } from './head-options';
import { type Answers, findAnswers } from './answers';
import type { CheckpointFiles, TokenizerFiles } from './checkpoint';
import type { ConfigReader } from './config';
import type { PlanOptions } from './conversion-plan';
import { outOfRange } from '../support/arguments';
import { shown } from '../support/json';
import { checkLabels, otherEntailment, readLabels, suggestedLabels } from './labels';
import { checkListTokenizer } from './document-list';
import { MAX_VOCAB_SIZE } from './limits';
import { gliclassReader } from './label-head';
import type { LabelReader } from './label-reader';
import { routerReader } from './prompt-router';
import { describeInteraction, isLateInteraction } from './sentence-transformers/late-interaction';
import { readMaxLength } from './max-length';
import type { ModelFacts } from './metadata';
import { addModuleHead, checkModuleSettings } from './sentence-transformers/module-head';
import type { TensorSource } from './readers/tensor-source';
import { readPrompts } from './sentence-transformers/prompts';
import { findPublishedText } from './published-scores';
import { type HeadFolders, MODEL_SETTINGS, TRANSFORMER_SETTINGS } from './sentence-transformers/modules';
import type { SetFitHead } from './sentence-transformers/setfit-head';
import { readVectors } from './tensor-copy';
import { type PreparedTokenizer, prepareTokenizer } from './tokenizer/prepare-tokenizer';
import { refuseKwargs } from './sentence-transformers/transformer-kwargs';
import { type WrappedRanker, rankerWeights, wrappedRanker } from './wrapped-ranker';
import { findTemplate, readAnsweredChat, readChat } from './chat-template/template-source';
import {
  type VocabularyScore,
  readClassifierTemplate,
  readVocabularyScore,
} from './sentence-transformers/vocabulary-score';

const PROBLEM_TYPES: readonly string[] = [
  '',
  'regression',
  'single_label_classification',
  'multi_label_classification',
];

/** What one kind of checkpoint says, before its weights are looked at. */
export interface Description {
  readonly facts: Omit<ModelFacts, 'name' | 'numParameters' | 'requestedType'>;
  readonly weights: TensorSource;
  /** What the checkpoint leaves open, beside what the model itself says of that. */
  readonly assumptions?: readonly (string | undefined)[];
  /** What its settings name and nobody knows, and what is left out of the file. */
  readonly warnings?: readonly string[];
}

/** Names for the only row of a head that scores. */
const ONE_LABEL = () => ['LABEL_0'];

/** `options`: labels and score tokens of the caller's. */
export async function describeCheckpoint(checkpoint: CheckpointFiles, options: PlanOptions): Promise<Description> {
  const config = await checkpoint.config();
  refuseOtherFiles(config);
  const reader = gliclassReader(config) ?? routerReader(config);
  if (reader !== undefined) return describeReaderOfLabels(checkpoint, config, reader, options);
  const ranker = wrappedRanker(config);
  if (ranker !== undefined) return describeRanker(checkpoint, ranker, options);
  if (isLateInteraction(checkpoint, config)) return describeTokenVectors(checkpoint, config, options);
  const head = checkpoint.modules?.head;
  if (head !== undefined) return describeModules(checkpoint, head, config, options);
  const presumed = findPresumed(config);
  if (presumed !== undefined) return describePresumed(checkpoint, presumed, config, options);
  const architecture = findArchitecture(config);
  if (architecture.scoresVocabulary === undefined) return describeClassifier(checkpoint, architecture, config, options);
  return describeLanguageModel(checkpoint, architecture, config, options);
}

/** Files that transformers would read in the place of the usual ones. */
function refuseOtherFiles(config: ConfigReader): void {
  for (const key of ['transformers_weights', 'configuration_files']) {
    const files = [config.get(key) ?? []].flat();
    const other = files.find((name) => name !== 'model.safetensors' && name !== 'config.json');
    if (other === undefined) continue;
    config.unsupported(`${key} names ${shown(other)}; give that file the usual name, and remove the key`);
  }
}

/** A model that reads its labels; it has no label, prompt or template of its own. */
async function describeReaderOfLabels(
  checkpoint: CheckpointFiles,
  config: ConfigReader,
  reader: LabelReader,
  options: PlanOptions,
): Promise<Description> {
  const { sourceClass, encoder } = reader;
  if (checkpoint.modules !== undefined) config.unsupported(`modules.json beside a ${sourceClass} is not supported`);
  if (options.labels !== undefined)
    config.unsupported(`a ${sourceClass} has no labels to name: it reads those of each call`);
  refuseHeadOptions(options, `a ${sourceClass}, which answers with no token`);
  const own = await checkpoint.weights();
  const tokenizer = prepareTokenizer(await checkpoint.tokenizerFiles(), checkpoint.modelFolder, {
    modelType: encoder.string('model_type', ''),
    tokenizerClass: config.string('tokenizer_class') ?? encoder.string('tokenizer_class'),
  });
  const { weights, ...described } = reader.describe(own, tokenizer, checkpoint.modelFolder);
  return {
    facts: {
      ...described,
      sourceClass,
      tokenizer,
      labels: ONE_LABEL(),
      problemType: '',
      activationFn: '',
      prompts: readPrompts(undefined),
    },
    weights,
  };
}

/** A classifier in a class that also prunes. */
async function describeRanker(
  checkpoint: CheckpointFiles,
  { sourceClass, architecture, config, maxLength }: WrappedRanker,
  options: PlanOptions,
): Promise<Description> {
  const weights = rankerWeights(await checkpoint.weights());
  const described = await describeClassifier(checkpoint, architecture, config, options, weights);
  const { numPositions } = described.facts.model.hyperparameters;
  return { ...described, facts: { ...described.facts, sourceClass, maxLength: Math.min(maxLength, numPositions) } };
}

/** A model that compares tokens of two texts; what stands before them is no prompt. */
async function describeTokenVectors(
  checkpoint: CheckpointFiles,
  config: ConfigReader,
  options: PlanOptions,
): Promise<Description> {
  refuseHeadOptions(options, 'a model of late interaction, which answers with no token');
  const { weights, ...described } = await describeInteraction(checkpoint, config);
  return {
    facts: {
      ...described,
      labels: labelsOf(options, 1, ONE_LABEL),
      problemType: '',
      activationFn: 'identity',
      prompts: readPrompts(undefined),
    },
    weights,
  };
}

/** A bare model under modules of sentence-transformers that give the scores, or under SetFit's head. */
async function describeModules(
  checkpoint: CheckpointFiles,
  folders: HeadFolders,
  config: ConfigReader,
  options: PlanOptions,
): Promise<Description> {
  const architecture = findBody(config);
  const own = await checkpoint.weights();
  const setFit = folders.scores === undefined ? await checkpoint.setFitHead() : undefined;
  const read = await readSettings(checkpoint);
  const { transformer, settings, files } = read;
  refuseHeadOptions(options, `a ${architecture.sourceClass}, which answers with no token`);
  const template = await findTemplate(checkpoint, files.config);
  checkModuleSettings(checkpoint, settings, transformer, template !== undefined, setFit !== undefined);
  const body = architecture.describeBody(config, own);
  const { model, weights } = await addModuleHead(checkpoint, folders, body, own, setFit);
  const readOwnLabels = () => setFit?.labels ?? suggestedLabels(config, model.numLabels);
  const labels = labelsOf(options, model.numLabels, readOwnLabels);
  const tokenizer = readTokenizer(checkpoint, architecture, config, read);
  const { activationFn, unknown } = readActivationFn(config, settings);
  const { problemType, assumption } = setFit === undefined ? readProblemType(config) : setFitProblem(setFit);
  return {
    facts: {
      sourceClass: setFit === undefined ? bareClass(architecture.sourceClass) : 'SetFitModel',
      model,
      tokenizer,
      labels,
      problemType,
      activationFn,
      prompts: readPrompts(settings),
      maxLength: maxLengthOf(checkpoint, transformer, model, tokenizer),
    },
    weights,
    assumptions: [assumption],
    warnings: unknown,
  };
}

/** A class with a head of its own, which classifies texts or ranks lists of them. */
async function describeClassifier(
  checkpoint: CheckpointFiles,
  architecture: Architecture,
  config: ConfigReader,
  options: PlanOptions,
  ownWeights?: TensorSource,
): Promise<Description> {
  const { sourceClass } = architecture;
  const weights = ownWeights ?? (await checkpoint.weights());
  const read = await readSettings(checkpoint);
  const { transformer, settings, files, unread } = read;
  refuseScoreModule(checkpoint, config);
  refuseTokens(options, `a ${sourceClass}, which answers with no token`);
  if (architecture.atLayer === undefined) refuseCutoff(options, `a ${sourceClass}, which has one head`);
  const { describe } = architecture.atLayer?.(options.cutoffLayer) ?? architecture;
  const list = architecture.list?.(checkpoint.name);
  const values = await readVectors(weights, architecture.valuesOf?.(weights) ?? []);
  const described = describe(config, weights, undefined, values);
  // The labels in the config.json of one that ranks lists are defaults of the class, and two.
  const readOwnLabels = list === undefined ? () => readLabels(config, described.numLabels) : ONE_LABEL;
  const labels = labelsOf(options, described.numLabels, readOwnLabels);
  const tokenizer = readTokenizer(checkpoint, architecture, config, read);
  const { numSegments } = tokenizer;
  const segmented = numSegments === undefined ? undefined : architecture.withSegments?.(described, numSegments);
  const model = { ...(segmented ?? described), ...(list !== undefined && { list }) };
  if (list !== undefined) checkListTokenizer(list, tokenizer, checkpoint.modelFolder);
  const source = list === undefined ? await findTemplate(checkpoint, files.config) : undefined;
  const template = source && readClassifierTemplate(source, transformer, tokenizer);
  // A head that reads the end of a text reads a token that nothing adds to a chat.
  const { chat, leftOut } = source && model.head.pooling !== 'eos' ? readChat(source, tokenizer) : {};
  const published = findPublishedText(checkpoint.name, sourceClass, tokenizer);
  const { activationFn, unknown } = readActivationFn(config, settings, architecture.activationFn);
  const { problemType, assumption } = readProblemType(config);
  return {
    facts: {
      sourceClass,
      model,
      tokenizer,
      labels,
      problemType,
      activationFn,
      prompts: readPrompts(settings),
      template: model.pairTemplate ?? published.template ?? template,
      chat,
      maxLength: maxLengthOf(checkpoint, transformer, model, tokenizer),
    },
    weights,
    assumptions: [
      unread,
      published.assumption,
      assumption,
      options.labels === undefined ? otherEntailment(config, labels) : undefined,
    ],
    warnings: leftOut === undefined ? unknown : [...unknown, leftOut],
  };
}

/** Likewise, of a checkpoint that says that it is of another class: refused as such unless it has all that this one needs. */
async function describePresumed(
  checkpoint: CheckpointFiles,
  architecture: Architecture,
  config: ConfigReader,
  options: PlanOptions,
): Promise<Description> {
  const described = await describeClassifier(checkpoint, architecture, config, options).catch((error: unknown) => {
    if (isEncoderError(error, 'tensor_missing')) findArchitecture(config);
    throw error;
  });
  const assumption =
    `architectures names ${shown(config.get('architectures'))}; the checkpoint has the head of ` +
    `${architecture.sourceClass}, and is run as that, as in transformers`;
  return { ...described, assumptions: [...(described.assumptions ?? []), assumption] };
}

/** A language model, whose head is made of the rows of tokens: the tokenizer is looked at before the model. */
async function describeLanguageModel(
  checkpoint: CheckpointFiles,
  architecture: Architecture,
  config: ConfigReader,
  options: PlanOptions,
): Promise<Description> {
  const { sourceClass } = architecture;
  refuseCutoff(options, `a ${sourceClass}, which has one head`);
  const weights = await checkpoint.weights();
  const read = await readSettings(checkpoint);
  const { transformer, settings, files, unread } = read;
  const tokenizer = readTokenizer(checkpoint, architecture, config, read);
  const kind = architecture.scoresVocabulary!;
  const answers = findAnswers(checkpoint.name, checkpoint.folder, kind, tokenizer, options);
  if (answers !== undefined) {
    refuseScoreTokens(options, `a ${sourceClass} that answers with one of its labels`);
    return describeAnswers(checkpoint, { architecture, answers, tokenizer, read, weights }, config, options);
  }
  let score: VocabularyScore;
  if (kind === 'causal') {
    refuseScoreTokens(options, `a ${sourceClass}, which answers with no token`);
    score = await readVocabularyScore(checkpoint, { transformer, settings, tokenizer, config: files.config });
  } else {
    refuseScoreModule(checkpoint, config);
    const tokens = readScoreTokens(checkpoint.name, config.path, tokenizer, options.scoreTokens);
    score = { tokens, template: undefined };
  }
  const model = architecture.describe(config, weights, score.tokens);
  const { activationFn, unknown } = readActivationFn(config, settings, score.activationFn);
  const { problemType, assumption } = readProblemType(config);
  return {
    facts: {
      sourceClass,
      model,
      tokenizer,
      // The labels in its config.json are defaults of the class, and two.
      labels: labelsOf(options, model.numLabels, ONE_LABEL),
      problemType,
      activationFn,
      prompts: readPrompts(settings),
      template: model.pairTemplate ?? score.template,
      maxLength: maxLengthOf(checkpoint, transformer, model, tokenizer),
    },
    weights,
    assumptions: [unread, score.assumption, assumption],
    warnings: unknown,
  };
}

interface AnsweringModel {
  readonly architecture: Architecture;
  readonly answers: Answers;
  readonly tokenizer: PreparedTokenizer;
  readonly read: Settings;
  readonly weights: TensorSource;
}

/** A language model as a classifier: what its answer may begin with are its labels. */
async function describeAnswers(
  checkpoint: CheckpointFiles,
  { architecture, answers, tokenizer, read, weights }: AnsweringModel,
  config: ConfigReader,
  options: PlanOptions,
): Promise<Description> {
  if (checkpoint.modules !== undefined)
    config.unsupported('modules.json beside a language model that answers with one of its labels is not supported');
  const { prefix, isPrompted, pair } = answers;
  const source = await findTemplate(checkpoint, read.files.config);
  if (architecture.scoresVocabulary === 'sequence-to-sequence') {
    if (source !== undefined)
      config.unsupported(
        `${source.path} has a chat template, and how such a model reads a chat is not known; remove it`,
      );
    if (prefix !== '') throw outOfRange('options.answerPrefix', `nothing for a ${architecture.sourceClass}`, prefix);
  }
  if (source === undefined && prefix !== '')
    config.unsupported('there is no chat template, so that an answer has no beginning: write it behind each text');
  const described = architecture.describe(config, weights, answers.tokens);
  const model: EncoderModel =
    pair === undefined
      ? described
      : { ...described, pairTemplate: pair.template, maxTokens: pair.maxTokens, readsWhole: true };
  return {
    facts: {
      sourceClass: architecture.sourceClass,
      model,
      tokenizer,
      labels: labelsOf(options, model.numLabels, () => answers.labels),
      problemType: '',
      activationFn: '',
      prompts: readPrompts(undefined),
      template: model.pairTemplate,
      chat: source && { ...readAnsweredChat(source, tokenizer), answer: { prefix, isPrompted } },
      maxLength: maxLengthOf(checkpoint, read.transformer, model, tokenizer),
    },
    weights,
    assumptions: [read.unread],
  };
}

/** The caller's labels, else the checkpoint's own. */
function labelsOf({ labels }: PlanOptions, numLabels: number, readOwn: () => readonly string[]): readonly string[] {
  return labels === undefined ? readOwn() : checkLabels(labels, numLabels);
}

function readTokenizer(
  checkpoint: CheckpointFiles,
  { tokenizerOf }: Architecture,
  config: ConfigReader,
  { files, transformer }: Settings,
): PreparedTokenizer {
  return prepareTokenizer(files, checkpoint.modelFolder, {
    modelType: config.string('model_type', ''),
    tokenizerClass: config.string('tokenizer_class'),
    lowersCase: transformer?.boolean('do_lower_case', false),
    source: tokenizerOf,
    vocabSize: config.get('vocab_size') === undefined ? undefined : config.integer('vocab_size', 0, 1, MAX_VOCAB_SIZE),
  });
}

function maxLengthOf(
  checkpoint: CheckpointFiles,
  transformer: ConfigReader | undefined,
  model: EncoderModel,
  tokenizer: PreparedTokenizer,
): number {
  return readMaxLength(
    transformer,
    model.maxTokens ?? model.hyperparameters.numPositions,
    model.readsWhole === true ? undefined : (tokenizer.maxLength ?? model.usualLength),
    checkpoint.modelFolder,
  );
}

/** The files beside configuration and weights. */
interface Settings {
  /** sentence-transformers' settings of the transformer and of the model; undefined also where it does not read them. */
  readonly transformer: ConfigReader | undefined;
  readonly settings: ConfigReader | undefined;
  /** Which of the two files it passes over, in a sentence. */
  readonly unread?: string;
  readonly files: TokenizerFiles;
}

/**
 * sentence-transformers reads its settings beside modules.json alone, and for a head that is the transformer's own of a
 * CrossEncoder alone.
 */
async function readSettings(checkpoint: CheckpointFiles): Promise<Settings> {
  const transformer = await checkpoint.settings(TRANSFORMER_SETTINGS);
  const settings = await checkpoint.settings(MODEL_SETTINGS);
  const files = await checkpoint.tokenizerFiles();
  const { modules } = checkpoint;
  const hasOwnHead = modules?.head === undefined && modules?.logitScore === undefined;
  if (!hasOwnHead) return { transformer, settings, files };
  if (modules !== undefined && settings?.string('model_type') === 'CrossEncoder') {
    if (transformer !== undefined) refuseKwargs(transformer);
    return { transformer, settings, files };
  }
  const none = { transformer: undefined, settings: undefined, files };
  const paths = [transformer, settings].flatMap((file) => file?.path ?? []);
  if (paths.length === 0) return none;
  const reason =
    modules === undefined ? 'without a modules.json' : `unless the model_type in ${MODEL_SETTINGS} is CrossEncoder`;
  return { ...none, unread: `${paths.join(' and ')} passed over, as sentence-transformers does ${reason}` };
}

function refuseScoreModule(checkpoint: CheckpointFiles, config: ConfigReader): void {
  if (checkpoint.modules?.logitScore === undefined) return;
  config.unsupported('modules.json has a LogitScore, which only a language model (ForCausalLM) has logits for');
}

interface ProblemType {
  readonly problemType: string;
  /** That another was named, in a sentence. */
  readonly assumption?: string;
}

function setFitProblem({ isMultiLabel }: SetFitHead): ProblemType {
  return { problemType: isMultiLabel ? 'multi_label_classification' : 'single_label_classification' };
}

/** Which function makes scores of logits goes by the number of labels for any other word, in transformers' pipelines too. */
function readProblemType(config: ConfigReader): ProblemType {
  const problemType = config.string('problem_type', '');
  if (PROBLEM_TYPES.includes(problemType)) return { problemType };
  const known = PROBLEM_TYPES.slice(1).join(', ');
  return {
    problemType: '',
    assumption: `problem_type is ${shown(problemType)}, which is passed over; known are ${known}`,
  };
}
