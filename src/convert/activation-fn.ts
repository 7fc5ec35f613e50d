/** What sentence-transformers' CrossEncoder would apply to the logits, by its own order of precedence. */
import type { ConfigReader } from './config';

/** Torch classes by the last part of their dotted name. */
const ACTIVATIONS: ReadonlyMap<string, string> = new Map([
  ['Identity', 'identity'],
  ['Sigmoid', 'sigmoid'],
  ['Softmax', 'softmax'],
  ['Tanh', 'tanh'],
]);

/**
 * `unnamed` when the checkpoint names none; '' for one that CrossEncoder itself would not import, and a warning is added.
 */
export function readActivationFn(
  config: ConfigReader,
  settings: ConfigReader | undefined,
  warnings: string[],
  unnamed = '',
): string {
  const name =
    settings?.string('activation_fn') ?? nested(config) ?? config.string('sbert_ce_default_activation_function');
  if (name === undefined) return unnamed;
  const activation = name.startsWith('torch.') ? ACTIVATIONS.get(name.slice(name.lastIndexOf('.') + 1)) : undefined;
  if (activation !== undefined) return activation;
  warnings.push(`the activation ${name.slice(0, 100)} is not known; scores use the default of sentence-transformers`);
  return '';
}

function nested(config: ConfigReader): string | undefined {
  const name = config.object('sentence_transformers')?.['activation_fn'];
  return typeof name === 'string' ? name : undefined;
}
