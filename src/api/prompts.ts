/** Prompts as sentence-transformers has them: text put before the first text of every pair. */
import { checkOptions, checkString, invalidType, outOfRange } from '../support/arguments';

/** The named prompts of a model. */
export interface Prompts {
  /** Text by name. */
  readonly texts: Readonly<Record<string, string>>;
  /** The one that is used when a call names none; undefined where there is none. */
  readonly defaultName: string | undefined;
}

/** A prompt for one call in place of the model's default; at most one of the two. */
export interface PromptOptions {
  /** The prompt itself; '' for none. */
  readonly prompt?: string | undefined;
  /** The name of one of the model's prompts. */
  readonly promptName?: string | undefined;
}

/** Prompts for a model whose file has none or others. */
export interface PromptLoadOptions {
  /** Text by name; takes the place of a prompt of the same name in the file. */
  readonly prompts?: Readonly<Record<string, string>> | undefined;
  /** The prompt that calls use by default; default: the file's. */
  readonly defaultPromptName?: string | undefined;
}

/** @internal */
export const PROMPT_KEYS = ['prompt', 'promptName'] as const;

/** @internal What the file says, with the caller's prompts put in. */
export function mergePrompts(
  file: { readonly promptNames: readonly string[]; readonly promptTexts: readonly string[]; defaultPrompt: string },
  { prompts = {}, defaultPromptName }: PromptLoadOptions,
): Prompts {
  const texts = new Map(file.promptNames.map((name, index) => [name, file.promptTexts[index] ?? '']));
  for (const [name, text] of Object.entries(prompts)) texts.set(name, text);
  const chosen = defaultPromptName ?? (file.defaultPrompt === '' ? undefined : file.defaultPrompt);
  if (chosen !== undefined && !texts.has(chosen)) {
    const names = [...texts.keys()].join(', ');
    throw outOfRange(
      'options.defaultPromptName',
      names ? `one of ${names}` : 'no value: the model has no prompts',
      chosen,
    );
  }
  return Object.freeze({ texts: Object.freeze(Object.fromEntries(texts)), defaultName: chosen });
}

/** @internal */
export function checkPromptLoadOptions({ prompts, defaultPromptName }: PromptLoadOptions): void {
  if (defaultPromptName !== undefined) checkString('options.defaultPromptName', defaultPromptName);
  if (prompts === undefined) return;
  checkOptions(prompts, Object.keys(prompts), 'options.prompts');
  for (const [name, text] of Object.entries(prompts)) checkString(`options.prompts.${name}`, text);
}

/** @internal The text to put before the first text of every pair, '' for none. */
export function resolvePrompt({ prompt, promptName }: PromptOptions, prompts: Prompts): string {
  if (prompt !== undefined && promptName !== undefined) {
    throw invalidType('options.promptName', 'no value beside options.prompt', promptName);
  }
  if (prompt !== undefined) return checkString('options.prompt', prompt);
  const name = promptName === undefined ? prompts.defaultName : checkString('options.promptName', promptName);
  if (name === undefined) return '';
  const text = Object.hasOwn(prompts.texts, name) ? prompts.texts[name] : undefined;
  if (text !== undefined) return text;
  const names = Object.keys(prompts.texts);
  throw outOfRange(
    'options.promptName',
    names.length === 0 ? 'no value: the model has no prompts' : `one of ${names.join(', ')}`,
    name,
  );
}
