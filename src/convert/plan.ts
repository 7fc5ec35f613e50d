/** The conversion of a checkpoint folder: what its configuration, its tokenizer and its weights together say. */
import type { TensorType } from '../gguf/types';
import type { GgufTensorDeclaration } from '../gguf/writer';
import { readActivationFn } from './activation-fn';
import type { PlannedTensor } from './architectures/architecture';
import { bareClass, findArchitecture, findBody } from './architectures/index';
import { readAnswerTokens, refuseScoreTokens } from './answer-tokens';
import type { CheckpointFiles } from './checkpoint';
import type { ConfigReader } from './config';
import { type ConversionPlan, type PlanOptions, completePlan } from './conversion-plan';
import { checkLabels, readLabels, suggestedLabels } from './labels';
import { checkListTokenizer } from './document-list';
import { MAX_VOCAB_SIZE } from './limits';
import { describeLabelModel, encoderConfig } from './label-head';
import { describeInteraction, isLateInteraction } from './late-interaction';
import { readMaxLength } from './max-length';
import { addModuleHead, checkModuleSettings } from './module-head';
import { type TensorSource, requireFloats } from './readers/tensor-source';
import { readPrompts } from './prompts';
import { findPublishedText } from './published-scores';
import { MODEL_SETTINGS, TRANSFORMER_SETTINGS } from './sentence-transformers';
import type { SetFitHead } from './setfit-head';
import { readVectors } from './tensor-copy';
import { declareTensors } from './tensor-types';
import { prepareTokenizer } from './tokenizer';
import { refuseKwargs } from './transformer-kwargs';
import { findTemplate, readChat } from './chat-template/template-source';
import { type VocabularyScore, readClassifierTemplate, readVocabularyScore } from './vocabulary-score';

const PROBLEM_TYPES: readonly string[] = [
  '',
  'regression',
  'single_label_classification',
  'multi_label_classification',
];

export async function planConversion(checkpoint: CheckpointFiles, options: PlanOptions): Promise<ConversionPlan> {
  const config = await checkpoint.config();
  const encoder = encoderConfig(config);
  if (encoder !== undefined) return planLabelModel(checkpoint, config, encoder, options);
  if (isLateInteraction(checkpoint, config)) return planInteraction(checkpoint, config, options);
  const modules = checkpoint.modules?.head;
  const body = modules && findBody(config);
  const architecture = body ?? findArchitecture(config);
  const own = await checkpoint.weights();
  const setFit = modules !== undefined && modules.scores === undefined ? await checkpoint.setFitHead() : undefined;
  const { transformer, settings, unread } = await readSettings(checkpoint);
  const files = await checkpoint.tokenizerFiles();
  const readTokenizer = () =>
    prepareTokenizer(files, checkpoint.modelFolder, {
      modelType: config.string('model_type', ''),
      tokenizerClass: config.string('tokenizer_class'),
      lowersCase: transformer?.boolean('do_lower_case', false),
      source: architecture.tokenizerOf,
      vocabSize:
        config.get('vocab_size') === undefined ? undefined : config.integer('vocab_size', 0, 1, MAX_VOCAB_SIZE),
    });
  // A language model's head depends on its tokenizer; of any other checkpoint the model is looked at first.
  const { scoresVocabulary } = architecture;
  const known = scoresVocabulary === undefined ? undefined : readTokenizer();
  if (scoresVocabulary !== 'causal') refuseScoreModule(checkpoint, config);
  if (scoresVocabulary !== 'sequence-to-sequence')
    refuseScoreTokens(options.scoreTokens, `a ${architecture.sourceClass}, which answers with no token`);
  const score: VocabularyScore | undefined =
    known &&
    (scoresVocabulary === 'causal'
      ? await readVocabularyScore(checkpoint, { transformer, settings, tokenizer: known, config: files.config })
      : {
          tokens: readAnswerTokens(checkpoint.name, config.path, known, options.scoreTokens),
          template: undefined,
        });
  if (body !== undefined) {
    const template = await findTemplate(checkpoint, files.config);
    checkModuleSettings(checkpoint, settings, transformer, template !== undefined, setFit !== undefined);
  }
  const list = body === undefined ? architecture.list?.(checkpoint.name) : undefined;
  const values = await readVectors(own, (body === undefined && architecture.valuesOf?.(own)) || []);
  const { model, weights } =
    body === undefined
      ? { model: { ...architecture.describe(config, own, score?.tokens, values), ...(list && { list }) }, weights: own }
      : await addModuleHead(checkpoint, modules!, body.describeBody(config, own), own, setFit);
  // The labels in a language model's config.json are defaults of the class, and two; likewise for one that ranks lists.
  const isLanguageModel = score !== undefined || list !== undefined;
  const readOwnLabels = isLanguageModel ? () => ['LABEL_0'] : body !== undefined ? suggestedLabels : readLabels;
  const { labels: names } = options;
  const ownLabels = () => setFit?.labels ?? readOwnLabels(config, model.numLabels);
  const labels = names === undefined ? ownLabels() : checkLabels(names, model.numLabels);
  const tokenizer = known ?? readTokenizer();
  if (list !== undefined) checkListTokenizer(list, tokenizer, checkpoint.modelFolder);
  const isClassifier = body === undefined && known === undefined && list === undefined;
  const template = isClassifier
    ? await readClassifierTemplate(checkpoint, { transformer, tokenizer, config: files.config })
    : undefined;
  const readsChats = isClassifier && model.head.pooling !== 'eos';
  const text = body === undefined ? findPublishedText(checkpoint.name, architecture.sourceClass) : {};
  const unsaid = [unread, score?.assumption, text.assumption].filter((assumption) => assumption !== undefined);
  const warnings = [...unsaid, ...(model.assumptions ?? []), ...tokenizer.warnings];
  const declared = declareFloats(model.tensors, weights, options.type, warnings);
  const facts = {
    name: checkpoint.name,
    sourceClass:
      setFit !== undefined
        ? 'SetFitModel'
        : body === undefined
          ? architecture.sourceClass
          : bareClass(architecture.sourceClass),
    model,
    tokenizer,
    labels,
    problemType: setFit === undefined ? readProblemType(config) : setFitProblem(setFit),
    activationFn: readActivationFn(config, settings, warnings, list === undefined ? score?.activationFn : 'identity'),
    prompts: readPrompts(settings),
    template: model.pairTemplate ?? score?.template ?? text.template ?? template,
    chat: readsChats ? await readChat(checkpoint, files.config, tokenizer) : undefined,
    maxLength: readMaxLength(
      transformer,
      model.maxTokens ?? model.hyperparameters.numPositions,
      model.readsWhole === true ? undefined : (tokenizer.maxLength ?? model.usualLength),
      checkpoint.modelFolder,
    ),
  };
  return completePlan(weights, options.type, facts, declared, warnings);
}

/** A model that reads its labels; it has no label, prompt or template of its own. */
async function planLabelModel(
  checkpoint: CheckpointFiles,
  config: ConfigReader,
  encoder: ConfigReader,
  options: PlanOptions,
): Promise<ConversionPlan> {
  if (checkpoint.modules !== undefined) config.unsupported('modules.json beside a GLiClassModel is not supported');
  if (options.labels !== undefined)
    config.unsupported('a GLiClassModel has no labels to name: it reads those of each call');
  refuseScoreTokens(options.scoreTokens, 'a GLiClassModel, which answers with no token');
  const own = await checkpoint.weights();
  const tokenizer = prepareTokenizer(await checkpoint.tokenizerFiles(), checkpoint.modelFolder, {
    modelType: encoder.string('model_type', ''),
    tokenizerClass: config.string('tokenizer_class') ?? encoder.string('tokenizer_class'),
  });
  const { model, weights, sourceClass, maxLength } = describeLabelModel(config, encoder, own, tokenizer);
  const warnings = [...tokenizer.warnings];
  const declared = declareFloats(model.tensors, weights, options.type, warnings);
  const facts = {
    name: checkpoint.name,
    sourceClass,
    model,
    tokenizer,
    labels: ['LABEL_0'],
    problemType: '',
    activationFn: '',
    prompts: readPrompts(undefined),
    maxLength,
  };
  return completePlan(weights, options.type, facts, declared, warnings);
}

/** A model that compares tokens of two texts; what stands before them is no prompt. */
async function planInteraction(
  checkpoint: CheckpointFiles,
  config: ConfigReader,
  options: PlanOptions,
): Promise<ConversionPlan> {
  refuseScoreTokens(options.scoreTokens, 'a model of late interaction, which answers with no token');
  const { sourceClass, model, tokenizer, weights, maxLength } = await describeInteraction(checkpoint, config);
  const warnings = [...(model.assumptions ?? []), ...tokenizer.warnings];
  const declared = declareFloats(model.tensors, weights, options.type, warnings);
  const facts = {
    name: checkpoint.name,
    sourceClass,
    model,
    tokenizer,
    labels: options.labels === undefined ? ['LABEL_0'] : checkLabels(options.labels, 1),
    problemType: readProblemType(config),
    activationFn: 'identity',
    prompts: readPrompts(undefined),
    maxLength,
  };
  return completePlan(weights, options.type, facts, declared, warnings);
}

/** Throws for weights that are no floats. */
function declareFloats(
  tensors: readonly PlannedTensor[],
  weights: TensorSource,
  type: TensorType | undefined,
  warnings: string[],
): readonly GgufTensorDeclaration[] {
  for (const name of tensors.flatMap(({ sources, twins = [] }) => [...sources, ...twins])) {
    const tensor = weights.find(name);
    if (tensor !== undefined) requireFloats(name, tensor);
  }
  return declareTensors(tensors, type ?? ownType(weights, tensors), warnings);
}

/**
 * sentence-transformers' settings, which it reads beside modules.json alone, and for a head that is the transformer's own
 * of a CrossEncoder alone: `unread` says which files it passes over.
 */
async function readSettings(checkpoint: CheckpointFiles): Promise<{
  readonly transformer: ConfigReader | undefined;
  readonly settings: ConfigReader | undefined;
  readonly unread?: string;
}> {
  const transformer = await checkpoint.settings(TRANSFORMER_SETTINGS);
  const settings = await checkpoint.settings(MODEL_SETTINGS);
  const { modules } = checkpoint;
  const hasOwnHead = modules?.head === undefined && modules?.logitScore === undefined;
  if (!hasOwnHead) return { transformer, settings };
  if (modules !== undefined && settings?.string('model_type') === 'CrossEncoder') {
    if (transformer !== undefined) refuseKwargs(transformer);
    return { transformer, settings };
  }
  const none = { transformer: undefined, settings: undefined };
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

/** The type that loses nothing: f16 or bf16 when every matrix has it, else f32. */
function ownType(weights: TensorSource, tensors: readonly PlannedTensor[]): TensorType {
  const matrices = tensors.filter(({ storage }) => storage === 'matrix').flatMap(({ sources }) => sources);
  const dtypes = new Set(matrices.map((name) => weights.find(name)?.dtype));
  const [only] = dtypes;
  if (dtypes.size > 1) return 'f32';
  return only === 'F16' ? 'f16' : only === 'BF16' ? 'bf16' : 'f32';
}

function setFitProblem({ isMultiLabel }: SetFitHead): string {
  return isMultiLabel ? 'multi_label_classification' : 'single_label_classification';
}

function readProblemType(config: ConfigReader): string {
  const problemType = config.string('problem_type', '');
  if (!PROBLEM_TYPES.includes(problemType)) {
    config.malformed(
      `problem_type is ${JSON.stringify(problemType.slice(0, 60))}; known are ${PROBLEM_TYPES.slice(1).join(', ')}`,
    );
  }
  return problemType;
}
