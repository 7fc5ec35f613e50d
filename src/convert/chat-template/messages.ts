/** The messages that sentence-transformers makes of a pair, in one of the two formats that chat templates expect. */

/** `flat`: the content is the text; `structured`: a list with one part of the type text. */
export type MessageFormat = 'flat' | 'structured';

/** A template that holds one of these is taken to read content as a list of parts. */
const STRUCTURED_SIGNS = ['content[0]', '.type', "'type'", '"type"', 'message.content['];

/** sentence-transformers' guess for a template that no configuration says more of. */
export function guessFormat(template: string): MessageFormat {
  return template === '' || STRUCTURED_SIGNS.some((sign) => template.includes(sign)) ? 'structured' : 'flat';
}

/** `prompt`: '' for none. */
export function pairMessages(query: string, document: string, prompt: string, format: MessageFormat): object[] {
  const pair = [messageOf('query', query, format), messageOf('document', document, format)];
  return prompt === '' ? pair : [messageOf('system', prompt, format), ...pair];
}

export function messageOf(role: string, text: string, format: MessageFormat) {
  return { role, content: format === 'flat' ? text : [{ type: 'text' as const, text }] };
}
