/** adapter_config.json, as PEFT writes it beside an adapter's weights: which base it changes, how, and by how much. */
import { type JsonValue, shown } from '../../support/json';
import type { ConfigReader } from '../config';

export const ADAPTER_CONFIG = 'adapter_config.json';

export interface AdapterConfig {
  /** Where the base lies: a folder, or owner/name on the Hub; undefined when the file does not say. */
  readonly base: string | undefined;
  readonly baseRevision: string | undefined;
  /** LoRA, also as DoRA, adds a product of matrices; IA3 multiplies. */
  readonly kind: 'LORA' | 'IA3';
  /** Whether the class has a head of its own or answers with the vocabulary; undefined when the file does not say. */
  readonly task: Task | undefined;
  /** Whether every output has a magnitude. */
  readonly isDora: boolean;
  /** Whether what changes one of two tied matrices changes the other. */
  readonly tiesChanges: boolean;
  /** What the product B . A of a module's two matrices of `rank` is multiplied by. */
  scale(module: string, rank: number): number;
}

/** Ways of starting the training that leave the base's own weights as they are; PiSSA and its kind do not. */
const HARMLESS_STARTS: readonly JsonValue[] = [true, false, 'gaussian', 'eva', 'orthogonal', 'mica'];

/**
 * Settings that are read here, that the tensors or the base show by themselves (which modules are changed, with what rank,
 * and how a module's weights lie, for which PEFT goes by its class, whatever fan_in_fan_out says), or that matter in training
 * alone. Under any other that is set, known or not yet, the weights may mean something else.
 */
const KNOWN_SETTINGS: readonly string[] = [
  'alpha_pattern',
  'auto_mapping',
  'base_model_name_or_path',
  'bias',
  'corda_config',
  'ensure_weight_tying',
  'eva_config',
  'exclude_modules',
  'fan_in_fan_out',
  'feedforward_modules',
  'inference_mode',
  'init_ia3_weights',
  'init_lora_weights',
  'layers_pattern',
  'layers_to_transform',
  'loftq_config',
  'lora_alpha',
  'lora_dropout',
  'lora_ga_config',
  'megatron_config',
  'megatron_core',
  'merge_weights',
  'modules_to_save',
  'peft_type',
  'peft_version',
  'qalora_group_size',
  'r',
  'rank_pattern',
  'revision',
  'runtime_config',
  'target_modules',
  'task_type',
  'use_dora',
  'use_rslora',
  'velora_config',
];

const TASKS = ['SEQ_CLS', 'CAUSAL_LM'] as const;
export type Task = (typeof TASKS)[number];

const ADVICE = "merge it in Python (PEFT's merge_and_unload) and convert the model that this gives";

/** Throws `architecture_unsupported` for what is no LoRA, DoRA or IA3 of a supported task, `checkpoint_malformed`. */
export function readAdapterConfig(config: ConfigReader): AdapterConfig {
  const peftType = config.string('peft_type');
  if (peftType !== 'LORA' && peftType !== 'IA3') {
    return config.unsupported(`peft_type is ${peftType ?? 'absent'}; LORA and IA3 are supported; ${ADVICE}`);
  }
  const taskType = config.string('task_type');
  const task = TASKS.find((known) => known === taskType);
  if (taskType !== undefined && task === undefined) {
    config.unsupported(
      `task_type is ${taskType}; adapters of classifiers (SEQ_CLS) and of language models (CAUSAL_LM) are supported`,
    );
  }
  const other = Object.keys(config.json).find((key) => !KNOWN_SETTINGS.includes(key) && isSet(config.get(key)));
  if (other !== undefined) config.unsupported(`${other.slice(0, 60)} is set; ${ADVICE}`);
  const start = config.get('init_lora_weights') ?? true;
  if (!HARMLESS_STARTS.includes(start)) {
    config.unsupported(`init_lora_weights is ${shown(start)}, which changes the base's own weights; ${ADVICE}`);
  }
  const alpha = config.number('lora_alpha', 8, -1e6, 1e6);
  const alphaOf = readPatterns(config, 'alpha_pattern');
  const byRoot = config.boolean('use_rslora', false);
  return {
    base: config.string('base_model_name_or_path'),
    baseRevision: config.string('revision'),
    kind: peftType,
    task,
    isDora: config.boolean('use_dora', false),
    tiesChanges: config.boolean('ensure_weight_tying', false),
    scale: (module, rank) => (alphaOf(module) ?? alpha) / (byRoot ? Math.sqrt(rank) : rank),
  };
}

function isSet(value: JsonValue | undefined): boolean {
  if (value === undefined || value === false || value === null) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

/** No module's name is longer. */
const MAX_NAME_LENGTH = 512;

/**
 * PEFT reads the keys as regular expressions that must match the end of a module's name, from a dot on; of those, names
 * are supported. The first that matches counts. They are looked up, not tried one after another: a file may hold many.
 */
function readPatterns(config: ConfigReader, key: string): (module: string) => number | undefined {
  const patterns = new Map<string, { readonly value: number; readonly order: number }>();
  for (const [pattern, value] of Object.entries(config.object(key) ?? {})) {
    if (!/^\^?[\w.]+$/.test(pattern) || pattern.length > MAX_NAME_LENGTH) {
      config.unsupported(`${key} holds ${shown(pattern)}, which is no name of a module; ${ADVICE}`);
    }
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      config.malformed(`${key} gives ${shown(pattern)} no number`);
    }
    patterns.set(pattern, { value, order: patterns.size });
  }
  return (module) => {
    const found = [`^${module}`, ...endings(module)].flatMap((pattern) => patterns.get(pattern) ?? []);
    return found.sort((x, y) => x.order - y.order)[0]?.value;
  };
}

/** The name, and what follows each of its dots, but for what is too long for a pattern. */
function endings(module: string): string[] {
  const result: string[] = module.length > MAX_NAME_LENGTH ? [] : [module];
  let dot = module.indexOf('.', module.length - MAX_NAME_LENGTH - 1);
  for (; dot >= 0; dot = module.indexOf('.', dot + 1)) result.push(module.slice(dot + 1));
  return result;
}
