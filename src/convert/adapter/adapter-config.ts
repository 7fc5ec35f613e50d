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
  const alphas = readPatterns(config, 'alpha_pattern');
  const byRoot = config.boolean('use_rslora', false);
  return {
    base: config.string('base_model_name_or_path'),
    baseRevision: config.string('revision'),
    isTransposed: config.boolean('fan_in_fan_out', false),
    scale: (module, rank) =>
      (alphas.find(({ matches }) => matches(module))?.value ?? alpha) / (byRoot ? Math.sqrt(rank) : rank),
  };
}

function isSet(value: JsonValue | undefined): boolean {
  if (value === undefined || value === false || value === null) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

/**
 * PEFT reads the keys as regular expressions that must match the end of a module's name, from a dot on; of those, names
 * are supported. The first that matches counts.
 */
function readPatterns(config: ConfigReader, key: string) {
  return Object.entries(config.object(key) ?? {}).map(([pattern, value]) => {
    if (!/^\^?[\w.]+$/.test(pattern)) {
      config.unsupported(
        `${key} holds ${JSON.stringify(pattern.slice(0, 60))}, which is no name of a module; ${ADVICE}`,
      );
    }
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      config.malformed(`${key} gives ${JSON.stringify(pattern.slice(0, 60))} no number`);
    }
    const name = pattern.replace('^', '');
    const isWhole = pattern.startsWith('^');
    return { value, matches: (module: string) => module === name || (!isWhole && module.endsWith(`.${name}`)) };
  });
}
