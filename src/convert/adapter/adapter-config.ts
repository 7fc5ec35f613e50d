/** adapter_config.json, as PEFT writes it beside the weights of a LoRA adapter: which base it changes, and by how much. */
import type { JsonValue } from '../../support/json';
import type { ConfigReader } from '../config';

export const ADAPTER_CONFIG = 'adapter_config.json';

export interface AdapterConfig {
  /** Where the base lies: a folder, or owner/name on the Hub; undefined when the file does not say. */
  readonly base: string | undefined;
  readonly baseRevision: string | undefined;
  /** Whether the changed matrices lie as [inputs, outputs], as those of GPT-2 do. */
  readonly isTransposed: boolean;
  /** What the product B . A of a module's two matrices of `rank` is multiplied by. */
  scale(module: string, rank: number): number;
}

/** Ways of starting the training that leave the base's own weights as they are; PiSSA and its kind do not. */
const HARMLESS_STARTS: readonly JsonValue[] = [true, false, 'gaussian', 'eva', 'orthogonal'];

/** Settings under which the weights mean something else than base + scale . B . A. */
const OTHER_MEANINGS = [
  'use_dora',
  'use_qalora',
  'use_bdlora',
  'lora_bias',
  'layer_replication',
  'target_parameters',
  'trainable_token_indices',
  'alora_invocation_tokens',
  'arrow_config',
];

const ADVICE = "merge it in Python (PEFT's merge_and_unload) and convert the model that this gives";

/** Throws `architecture_unsupported` for any adapter but a LoRA of a sequence classifier, `checkpoint_malformed`. */
export function readAdapterConfig(config: ConfigReader): AdapterConfig {
  const peftType = config.string('peft_type');
  if (peftType !== 'LORA') config.unsupported(`peft_type is ${peftType ?? 'absent'}; LORA is supported; ${ADVICE}`);
  const taskType = config.string('task_type', 'SEQ_CLS');
  if (taskType !== 'SEQ_CLS') {
    config.unsupported(`task_type is ${taskType}; adapters of sequence classifiers (SEQ_CLS) are supported`);
  }
  for (const key of OTHER_MEANINGS) if (isSet(config.get(key))) config.unsupported(`${key} is set; ${ADVICE}`);
  const start = config.get('init_lora_weights') ?? true;
  if (!HARMLESS_STARTS.includes(start)) {
    config.unsupported(
      `init_lora_weights is ${JSON.stringify(start)}, which changes the base's own weights; ${ADVICE}`,
    );
  }
  const alpha = config.number('lora_alpha', 8, -1e6, 1e6);
  const alphaOf = readPatterns(config, 'alpha_pattern');
  const byRoot = config.boolean('use_rslora', false);
  return {
    base: config.string('base_model_name_or_path'),
    baseRevision: config.string('revision'),
    isTransposed: config.boolean('fan_in_fan_out', false),
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
      config.unsupported(
        `${key} holds ${JSON.stringify(pattern.slice(0, 60))}, which is no name of a module; ${ADVICE}`,
      );
    }
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      config.malformed(`${key} gives ${JSON.stringify(pattern.slice(0, 60))} no number`);
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
