/**
 * The head that sentence-transformers puts on a bare model with modules of its own: Pooling, then Dense or LayerNorm or
 * both, then the Dense whose outputs are the scores; or what SetFit puts on an embedding model of Pooling, Dense and
 * Normalize. What it cannot be is refused by name.
 */
import { EncoderError } from '../../errors';
import { type JsonValue, shown } from '../../support/json';
import { torchClass } from './activation-fn';
import type { EncoderBody, EncoderHead, EncoderModel } from '../architectures/architecture';
import { TensorPlanner } from '../architectures/tensor-planner';
import type { CheckpointFiles } from '../checkpoint';
import type { ConfigReader } from '../config';
import { MAX_HIDDEN_SIZE, MAX_LABELS } from '../limits';
import { JoinedSource } from '../readers/joined';
import type { TensorSource } from '../readers/tensor-source';
import { type HeadFolders, MODEL_SETTINGS } from './modules';
import type { SetFitHead } from './setfit-head';
import { checkTransformerOutput, refuseKwargs } from './transformer-kwargs';

const POOLINGS: ReadonlyMap<JsonValue, EncoderHead['pooling']> = new Map([
  ['cls', 'cls'],
  ['mean', 'mean'],
  ['mean_sqrt_len_tokens', 'mean_sqrt_len'],
  ['weightedmean', 'weighted_mean'],
  ['max', 'max'],
  ['lasttoken', 'last'],
]);
/** Flags of older versions, one for each mode, in the order in which their results stand one behind the other. */
const POOLING_FLAGS = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
} as const;
/** Torch classes by the last part of their dotted name, made without arguments: GELU is then the erf form. */
const ACTIVATIONS: ReadonlyMap<string, string> = new Map([
  ['Identity', 'identity'],
  ['Tanh', 'tanh'],
  ['ReLU', 'relu'],
  ['GELU', 'gelu'],
  ['SiLU', 'silu'],
]);
/** What a Dense applies when its settings name nothing. */
const DEFAULT_ACTIVATION = 'torch.nn.modules.activation.Tanh';
/** That of torch, which the module LayerNorm leaves as it is. */
const NORM_EPS = 1e-5;
/** Of the mean square. torch divides by the length itself, and by 1e-12 where it is shorter. */
const LENGTH_EPS = 1e-12;
/** Where a SetFit head's tensors stand among those of the modules; no folder has that name. */
const SETFIT_PREFIX = 'setfit:';
/** The feature that Pooling writes and all but the last Dense read and write. */
const POOLED = 'sentence_embedding';

export interface Dense {
  readonly outputs: number;
  readonly bias: boolean;
  readonly activation: string;
  readonly outputName: string;
}

/**
 * The model of a body and its modules, and the weights of both; `setFit`: the head that follows the modules, where none of
 * them gives the scores. Throws what `Architecture.describe` throws.
 */
export async function addModuleHead(
  checkpoint: CheckpointFiles,
  folders: HeadFolders,
  body: EncoderBody,
  weights: TensorSource,
  setFit: SetFitHead | undefined,
): Promise<{ readonly model: EncoderModel; readonly weights: TensorSource }> {
  const { hiddenSize } = body.hyperparameters;
  const poolingConfig = await checkpoint.moduleConfig(folders.pooling);
  const pooling = readPooling(poolingConfig);
  if (pooling === 'cls' && body.hyperparameters.isCausal === true) {
    poolingConfig.unsupported('pooling_mode is cls; the first token of a decoder sees no other');
  }
  const dense = folders.dense === undefined ? undefined : await readHidden(checkpoint, folders.dense, hiddenSize);
  const width = dense?.outputs ?? hiddenSize;
  if (folders.norm !== undefined) {
    const norm = await checkpoint.moduleConfig(folders.norm);
    requireSize(norm, 'dimension', width);
  }
  const normalizes = await readNormalize(checkpoint, folders.normalize, setFit);
  const scores = setFit === undefined ? await readScores(checkpoint, folders.scores!, width) : linearOf(setFit, width);
  const own = [folders.dense, folders.norm, folders.scores].filter((folder) => folder !== undefined);
  const sources = own.map(async (folder) => [`${folder}/`, await checkpoint.moduleWeights(folder)] as const);
  const modules: (readonly [string, TensorSource])[] = await Promise.all(sources);
  if (setFit !== undefined) modules.push([SETFIT_PREFIX, setFit.weights]);
  const planner = new TensorPlanner(new JoinedSource(modules));
  const linear = (name: string, prefix: string, { outputs, bias }: Dense, columns: number) =>
    planner.headDense(name, outputs, columns, `${prefix}linear`, bias);
  if (dense !== undefined) linear('cls', `${folders.dense!}/`, dense, hiddenSize);
  if (folders.norm !== undefined) planner.norm('cls.norm', width, `${folders.norm}/norm`);
  if (normalizes) planner.lengthNorm('cls.norm.weight', width);
  linear('cls.output', setFit === undefined ? `${folders.scores!}/` : SETFIT_PREFIX, scores, width);
  planner.refuseUnused(/(?!)/);
  return {
    model: {
      ...body,
      tensors: [...body.tensors, ...planner.tensors],
      numLabels: scores.outputs,
      head: {
        pooling,
        activation: dense?.activation ?? 'none',
        ...(folders.norm === undefined ? {} : { normEps: NORM_EPS }),
        ...(normalizes ? { normEps: LENGTH_EPS, normKind: 'rms' as const } : {}),
      },
      // It pools and activates as its own layouts say, and has no norm with a bias in a head.
      llamacppCompat: 'unsupported',
    },
    weights: new JoinedSource([...modules, ['', weights]]),
  };
}

/**
 * Refuses settings by which the model is no cross-encoder, or its transformer hands on something else than the last
 * states of texts. `hasChatTemplate`: texts become messages where nothing says otherwise.
 */
export function checkModuleSettings(
  checkpoint: CheckpointFiles,
  settings: ConfigReader | undefined,
  transformer: ConfigReader | undefined,
  hasChatTemplate: boolean,
  hasSetFitHead: boolean,
): void {
  const kind = settings?.string('model_type');
  // Before its version 5 the library did not say what it saved; SetFit puts its head on embeddings alone.
  if (hasSetFitHead ? (kind ?? 'SentenceTransformer') !== 'SentenceTransformer' : kind !== 'CrossEncoder') {
    throw new EncoderError(
      'architecture_unsupported',
      `${settings?.path ?? `${checkpoint.folder}/${MODEL_SETTINGS}`}: model_type is ${kind ?? 'absent'}; ` +
        'modules that follow an encoder give scores in a CrossEncoder alone, and no embedding model is run',
    );
  }
  const modalities = transformer?.object('modality_config');
  if (modalities === undefined ? hasChatTemplate : modalities['message'] !== undefined) {
    throw new EncoderError(
      'architecture_unsupported',
      `${checkpoint.modelFolder} has a chat template, or messages in modality_config; only a LogitScore is supported with them`,
    );
  }
  if (transformer === undefined) return;
  checkTransformerOutput(transformer, 'Pooling');
  refuseKwargs(transformer);
}

function readPooling(config: ConfigReader): EncoderHead['pooling'] {
  if (!config.boolean('include_prompt', true)) {
    config.unsupported('include_prompt is false; tokens of prompts cannot be left out of the pooling');
  }
  const flags = Object.entries(POOLING_FLAGS);
  const set = flags.filter(([flag]) => config.boolean(flag, false)).map(([, mode]) => mode);
  const value = config.get('pooling_mode') ?? (set.length === 0 ? 'mean' : set);
  const [mode, ...more] = Array.isArray(value) ? value : [value];
  const pooling = more.length === 0 && mode !== undefined ? POOLINGS.get(mode) : undefined;
  if (pooling !== undefined) return pooling;
  return config.unsupported(
    `pooling_mode is ${shown(value, 80)}; supported is one of ${[...POOLINGS.keys()].join(', ')}`,
  );
}

/** Whether embeddings are divided by their length, by a module or by SetFit. */
async function readNormalize(
  checkpoint: CheckpointFiles,
  folder: string | undefined,
  setFit: SetFitHead | undefined,
): Promise<boolean> {
  if (folder === undefined) return setFit?.normalizes ?? false;
  const config = await checkpoint.optionalModuleConfig(folder);
  for (const key of ['module_input_name', 'module_output_name']) {
    const name = config?.string(key, POOLED) ?? POOLED;
    if (name !== POOLED) config?.unsupported(`${key} is ${name.slice(0, 40)}; only ${POOLED} is supported`);
  }
  return true;
}

/** SetFit's head as the layer of the scores. */
function linearOf({ numLabels, columns }: SetFitHead, width: number): Dense {
  if (columns === width) return { outputs: numLabels, bias: true, activation: 'identity', outputName: 'scores' };
  throw new EncoderError(
    'tensor_shape_mismatch',
    `the head of SetFit reads embeddings of ${columns} values, and the modules before it give ${width}`,
  );
}

/** The Dense before the scores. */
async function readHidden(checkpoint: CheckpointFiles, folder: string, inputs: number): Promise<Dense> {
  const config = await checkpoint.moduleConfig(folder);
  const dense = readPooledDense(config, inputs, MAX_HIDDEN_SIZE);
  if (dense.outputName === POOLED) return dense;
  return config.unsupported(`module_output_name is ${dense.outputName.slice(0, 40)}; what follows reads ${POOLED}`);
}

async function readScores(checkpoint: CheckpointFiles, folder: string, inputs: number): Promise<Dense> {
  const config = await checkpoint.moduleConfig(folder);
  const dense = readPooledDense(config, inputs, MAX_LABELS);
  if (dense.outputName !== 'scores') {
    config.unsupported(`module_output_name is ${dense.outputName.slice(0, 40)}; that of the last Dense must be scores`);
  }
  if (dense.activation === 'identity') return dense;
  return config.unsupported(
    `activation_function is ${dense.activation} in the last Dense; only Identity is supported there`,
  );
}

function readPooledDense(config: ConfigReader, inputs: number, most: number): Dense {
  if (config.boolean('use_residual', false)) config.unsupported('use_residual is true; no residual is added in a head');
  return readDense(config, inputs, most, [POOLED]);
}

/** `features`: that it may read, the first by default. A residual is not looked at. */
export function readDense(
  config: ConfigReader,
  inputs: number,
  most: number,
  features: readonly [string, ...string[]],
): Dense {
  requireSize(config, 'in_features', inputs);
  const inputName = config.string('module_input_name', features[0]);
  if (!features.includes(inputName)) {
    config.unsupported(`module_input_name is ${inputName.slice(0, 40)}; only ${features.join(' or ')} is supported`);
  }
  const name = config.string('activation_function', DEFAULT_ACTIVATION);
  const activation = torchClass(name, ACTIVATIONS);
  if (activation === undefined) {
    config.unsupported(
      `activation_function is ${name.slice(0, 100)}; supported are ${[...ACTIVATIONS.keys()].join(', ')} of torch.nn`,
    );
  }
  return {
    outputs: config.integer('out_features', -1, 1, most),
    bias: config.boolean('bias', true),
    activation,
    outputName: config.string('module_output_name', inputName),
  };
}

/** Throws `checkpoint_malformed` unless the module takes as many values as those before it give. */
function requireSize(config: ConfigReader, key: string, size: number): void {
  const value = config.get(key);
  if (value !== size) config.malformed(`${key} is ${shown(value, 40)}; it is given ${size} values`);
}
