/** The option of commands that read chats. */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import { checkTemplateVariables } from '../api/template-variables';
import type { TemplateVariables } from '../api/template-variables';
import { parseJson } from '../support/json';

/** Parsed value of the option that addChatOptions adds. */
export interface ChatFlags {
  readonly templateVariables?: TemplateVariables;
}

export function addChatOptions(command: Command): Command {
  return command.option(
    '--template-variables <json>',
    'of the chat template, beside the messages: {"guideline": "..."}',
    parseVariables,
  );
}

function parseVariables(value: string): TemplateVariables {
  try {
    return checkTemplateVariables(parseJson(value, { what: 'it' }), 'it');
  } catch (error) {
    throw new InvalidArgumentError(
      `It must be a JSON object (${error instanceof Error ? error.message : 'unreadable'}).`,
    );
  }
}
