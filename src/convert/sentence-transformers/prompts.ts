/** The prompts that sentence-transformers keeps in config_sentence_transformers.json, text by name. */
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import { MAX_PROMPTS, MAX_PROMPT_BYTES } from '../limits';

export interface CheckpointPrompts {
  readonly texts: ReadonlyMap<string, string>;
  /** One of the names, '' when no prompt is used by default. */
  readonly defaultName: string;
}

export function readPrompts(settings: ConfigReader | undefined): CheckpointPrompts {
  return settings === undefined ? { texts: new Map(), defaultName: '' } : readFrom(settings);
}

function readFrom(settings: ConfigReader): CheckpointPrompts {
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(settings.object('prompts') ?? {})) {
    // The library takes null for an empty prompt.
    const text = value ?? '';
    if (typeof text !== 'string' || Buffer.byteLength(name) + Buffer.byteLength(text) > MAX_PROMPT_BYTES) {
      settings.malformed(`the prompt ${shown(name, 40)} is no text of up to ${MAX_PROMPT_BYTES} bytes`);
    }
    texts.set(name, text);
  }
  if (texts.size > MAX_PROMPTS) settings.malformed(`it has ${texts.size} prompts; at most ${MAX_PROMPTS} are read`);
  const defaultName = settings.string('default_prompt_name', '');
  if (defaultName !== '' && !texts.has(defaultName)) {
    settings.malformed(`default_prompt_name is ${shown(defaultName, 40)}, which is none of its prompts`);
  }
  return { texts, defaultName };
}
