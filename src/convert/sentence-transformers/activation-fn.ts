/** What sentence-transformers' CrossEncoder would apply to the logits, by its own order of precedence. */
import type { ConfigReader } from '../config';

/** Torch classes by the last part of their dotted name. */
const ACTIVATIONS: ReadonlyMap<string, string> = new Map([
  ['Identity', 'identity'],
  ['Sigmoid', 'sigmoid'],
  ['Softmax', 'softmax'],
  ['Tanh', 'tanh'],
]);

/** `unnamed` when the checkpoint names none; '' for one that CrossEncoder itself would not import, `unknown` then says so. */
export function readActivationFn(
  config: ConfigReader,
  settings: ConfigReader | undefined,
  unnamed = '',
): { readonly activationFn: string; readonly unknown: readonly string[] } {
  const name =
    settings?.string('activation_fn') ?? nested(config) ?? config.string('sbert_ce_default_activation_function');
  if (name === undefined) return { activationFn: unnamed, unknown: [] };
  const activationFn = torchClass(name, ACTIVATIONS);
  if (activationFn !== undefined) return { activationFn, unknown: [] };
  const warning = `the activation ${name.slice(0, 100)} is not known; scores use the default of sentence-transformers`;
  return { activationFn: '', unknown: [warning] };
}

/** What `known` has for the last part of the dotted name of one of torch's classes; undefined for any other name. */
export function torchClass(name: string, known: ReadonlyMap<string, string>): string | undefined {
  return name.startsWith('torch.') ? known.get(name.slice(name.lastIndexOf('.') + 1)) : undefined;
}

function nested(config: ConfigReader): string | undefined {
  const name = config.object('sentence_transformers')?.['activation_fn'];
  return typeof name === 'string' ? name : undefined;
}
