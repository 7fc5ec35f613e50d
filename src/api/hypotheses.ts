/** The candidate labels of a zero-shot call, and the hypotheses that an NLI model reads them as. */
import { checkString, invalidType, isList, outOfRange, wrongType } from '../support/arguments';

/** Where a template takes the label. */
const PLACE = '{}';

/** @internal A template with one `{}` and no other braces, to all of which Python's format() gives a meaning. */
export function checkTemplate(template: unknown): string {
  const name = 'options.hypothesisTemplate';
  const text = checkString(name, template);
  if (!/^[^{}]*\{\}[^{}]*$/.test(text)) {
    throw outOfRange(name, 'a text with {} once, where the label goes, and no other braces', text);
  }
  return text;
}

/** @internal The label's surrounding space is left out; everything inside it is literal. */
export function toHypothesis(template: string, label: string): string {
  // A replacement string would give `$&` in a label a meaning.
  return template.replace(PLACE, () => label.trim());
}

/**
 * @internal One list of candidates per text.
 *
 * @param labels one list for all texts, or, where `many`, one list per text.
 */
export function labelsPerText<Label extends string>(
  labels: readonly Label[] | readonly (readonly Label[])[],
  numTexts: number,
  many: boolean,
): readonly (readonly Label[])[] {
  const expected = many ? 'an array of strings, or one such array per text' : 'an array of strings';
  if (!isList<Label | readonly Label[]>(labels)) throw invalidType('labels', expected, labels);
  if (labels.length === 0 && numTexts === 0) return [];
  if (!isNested(labels)) {
    const list = checkLabels(labels, 'labels');
    return Array.from({ length: numTexts }, () => list);
  }
  if (!many) throw wrongType(`labels: expected ${expected} for one text, received arrays in an array`);
  if (labels.length !== numTexts) {
    throw outOfRange('labels', `${numTexts} arrays of labels, one per text`, labels);
  }
  return labels.map((list, index) => checkLabels(list, `labels[${index}]`));
}

function isNested<Label extends string>(
  labels: readonly (Label | readonly Label[])[],
): labels is readonly (readonly Label[])[] {
  return isList(labels[0]);
}

function checkLabels<Label extends string>(labels: readonly (Label | readonly Label[])[], name: string) {
  if (!isList<Label>(labels)) throw invalidType(name, 'an array of strings', labels);
  if (labels.length === 0) throw outOfRange(name, 'at least one label', labels);
  for (const [index, value] of labels.entries()) {
    const label = checkString(`${name}[${index}]`, value);
    if (label.trim() === '') throw outOfRange(`${name}[${index}]`, 'a label that is not empty', label);
  }
  // A copy: the caller's list may change before the results are there.
  return [...labels];
}
