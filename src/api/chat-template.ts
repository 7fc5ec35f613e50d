/** What a chat template allows: a pair becomes one text, so that nothing can be asked of either text by itself. */
import type { NativeModelInfo, NativeRunOptions } from '../native/bindings';
import { wrongValue } from '../support/arguments';
import type { InputColumns } from './inputs';

/** @internal */
export type ChatTemplate = NativeModelInfo['chatTemplate'];

/** @internal Whether the model does nothing but rank documents by a query: read as a list, or each of them apart. */
export function onlyRanks(template: ChatTemplate): boolean {
  return template === 'list' || template === 'apart';
}

/** @internal The inputs of a call with the prompt where the model has it: in its template, else before the first text. */
export function placePrompt(
  columns: InputColumns,
  run: NativeRunOptions,
  prompt: string,
  template: ChatTemplate,
): { columns: InputColumns; run: NativeRunOptions } {
  if (prompt === '') return { columns, run };
  if (template === 'none') return { columns: { ...columns, texts: columns.texts.map((text) => prompt + text) }, run };
  if (template === 'prompted' || template === 'list') return { columns, run: { ...run, prompt } };
  throw wrongValue(
    template === 'apart'
      ? 'options.prompt: expected no prompt, for which the model, which reads query and document each by itself, has no place'
      : "options.prompt: expected no prompt, for which the model's template has no place",
  );
}

/** @internal Throws RangeError for options that treat the texts of a pair differently. */
export function checkTemplateOptions(run: NativeRunOptions, template: ChatTemplate): void {
  if (template === 'none') return;
  const { windows, truncation, maxTextTokens, maxTextPairTokens } = run;
  const isPlain = windows === 'none' && truncation === 'longest_first';
  if (onlyRanks(template)) {
    if (isPlain) return;
    const reads = template === 'list' ? 'a query and its documents as one text' : 'query and document apart';
    throw wrongValue(
      'options: windows and another truncation than longest_first are not possible with this model, which reads ' +
        `${reads} and cuts each of them by itself`,
    );
  }
  if (isPlain && maxTextTokens === 0 && maxTextPairTokens === 0) return;
  throw wrongValue(
    'options: windows, another truncation than longest_first and limits for one of the texts are not possible with ' +
      'this model, whose template makes one text of a pair, which is cut as a whole',
  );
}
