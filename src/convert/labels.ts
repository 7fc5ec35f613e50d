/** Label names in the order of the head's rows, from id2label or label2id in whatever spelling config.json has them. */
import { EncoderError } from '../errors';
import { outOfRange } from '../support/arguments';
import { type JsonValue, isJsonObject, shown } from '../support/json';
import type { ConfigReader } from './config';
import { MAX_LABELS, MAX_LABEL_BYTES } from './limits';

/**
 * One name per row of the classifier. The rows decide: a table of another size is `tensor_shape_mismatch`, unless
 * num_labels says the rows, which goes before the table in transformers too. Then, and without any table, the names are
 * LABEL_0, LABEL_1, ... as transformers makes them up.
 */
export function readLabels(config: ConfigReader, numLabels: number): string[] {
  const labels = fromIds(config, 'id2label') ?? fromNames(config);
  if (labels?.length === numLabels) return labels;
  // Of the two spellings the second is the older one.
  const declared = config.integer(['num_labels', '_num_labels'], labels?.length ?? numLabels, 1, MAX_LABELS);
  if (declared === numLabels) return defaultLabels(numLabels);
  throw new EncoderError(
    'tensor_shape_mismatch',
    `${config.path} names ${declared} labels, but classifier.weight has ${numLabels} rows; ` +
      'correct id2label, or pass labels to convert',
  );
}

/** How transformers' zero-shot pipeline tells the label of entailment. */
export function isEntailment(label: string): boolean {
  return label.toLowerCase().startsWith('entail');
}

/**
 * That label2id gives another row than these names for what transformers' zero-shot pipeline looks for in it, in a sentence;
 * undefined where it does not.
 */
export function otherEntailment(config: ConfigReader, labels: readonly string[]): string | undefined {
  const table = config.get('label2id');
  const [name, row] =
    (isJsonObject(table) ? Object.entries(table).find(([key]) => isEntailment(key)) : undefined) ?? [];
  const own = labels.findIndex(isEntailment);
  if (name === undefined || own < 0 || row === own) return undefined;
  return (
    `${config.path}: label2id has ${shown(name)} in row ${shown(row, 20)}, which transformers' zero-shot ` +
    `pipeline takes; here it is ${shown(labels[own]!)}, row ${own}, unless \`entailment\` names another`
  );
}

/** The names in config.json where they are as many as the rows of a head that is none of its model's; else LABEL_0, ... */
export function suggestedLabels(config: ConfigReader, numLabels: number): string[] {
  const labels = fromIds(config, 'id2label') ?? fromNames(config);
  return labels?.length === numLabels ? labels : defaultLabels(numLabels);
}

/** Throws RangeError unless the caller's own labels are as many as the head's rows. */
export function checkLabels(labels: readonly string[], numLabels: number): readonly string[] {
  if (labels.length === numLabels) return labels;
  throw outOfRange('options.labels', `${numLabels} labels, one for each row of the model's head`, labels);
}

function defaultLabels(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `LABEL_${index}`);
}

/** {"0": "a", "1": "b"}, or ["a", "b"]. */
function fromIds(config: ConfigReader, key: string): string[] | undefined {
  const table = config.get(key);
  if (table === undefined) return undefined;
  if (Array.isArray(table)) return table.map((name) => labelText(config, name));
  if (!isJsonObject(table)) config.malformed(`${key} is neither an object nor an array`);
  const ids = Object.entries(table).map(([id, name]) => [id, labelText(config, name)] as const);
  return inOrder(ids, (id) =>
    config.malformed(
      `${key} holds the id ${shown(id, 40)}; ids 0 to ${ids.length - 1}, each once, expected; ` +
        'correct it, or pass labels to convert',
    ),
  );
}

/** {"a": 0, "b": 1}. Undefined too for a table that names no row for each label, which transformers never looks at. */
function fromNames(config: ConfigReader): string[] | undefined {
  const table = config.get('label2id');
  if (!isJsonObject(table)) return undefined;
  return inOrder(
    Object.entries(table).map(([name, id]) => [typeof id === 'object' ? '' : String(id), labelText(config, name)]),
    () => undefined,
  );
}

/** Undefined for a table without entries. */
function inOrder(
  pairs: readonly (readonly [string, string])[],
  refuse: (id: string) => undefined,
): string[] | undefined {
  if (pairs.length === 0) return undefined;
  const labels = new Map<number, string>();
  for (const [id, name] of pairs) {
    // As Python reads a number of a text: "01" and " 1" too.
    const index = /^\s*\d{1,7}\s*$/.test(id) ? Number(id) : -1;
    if (index < 0 || index >= pairs.length || labels.has(index)) return refuse(id);
    labels.set(index, name);
  }
  return Array.from(pairs, (_, index) => labels.get(index)!);
}

/** Labels are often numbers or booleans in the file; Hugging Face hands them on as such, this package as text. */
export function labelText({ path }: Pick<ConfigReader, 'path'>, name: JsonValue): string {
  const text = typeof name === 'object' ? undefined : String(name);
  if (text === undefined || text.includes('\0') || Buffer.byteLength(text) > MAX_LABEL_BYTES) {
    throw new EncoderError(
      'checkpoint_malformed',
      `${path}: a label is no text of up to ${MAX_LABEL_BYTES} bytes: ${shown(name, 40)}`,
    );
  }
  return text;
}
