/** Whether results are for people or for programs: text on a terminal, JSON lines everywhere else. */
import { Option } from 'commander';
import type { Command } from 'commander';

import type { Io } from './io';

export interface FormatFlags {
  readonly format?: 'text' | 'json';
}

export function addFormatOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--format <format>',
      'text for people, json for programs (default: text on a terminal, else json)',
    ).choices(['text', 'json']),
  );
}

/** @param outputPath a file never gets the form for people unless it is asked for. */
export function wantsText(flags: FormatFlags, io: Io, outputPath?: string): boolean {
  if (flags.format !== undefined) return flags.format === 'text';
  return io.stdout.isTTY === true && (outputPath === undefined || outputPath === '-');
}
