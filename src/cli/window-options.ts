/** The options of commands that can read long texts in windows. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import type { WindowAggregation, WindowOptions } from '../api/text-options';
import { parseInteger, positiveInteger } from './model-options';

/** Parsed values of the options that addWindowOptions adds. */
export interface WindowFlags {
  readonly windows?: boolean;
  readonly overlap?: number;
  readonly aggregate?: WindowAggregation;
  readonly maxWindows?: number;
}

/** @param aggregation what the API does by default. */
export function addWindowOptions(command: Command, aggregation: WindowAggregation): Command {
  const implied = { windows: true };
  return command
    .option('--windows', 'read long texts in windows instead of cutting them')
    .addOption(
      new Option('--overlap <n>', 'tokens that neighbouring windows share; implies --windows (default: 64)')
        .argParser(nonNegativeInteger)
        .implies(implied),
    )
    .addOption(
      new Option('--aggregate <how>', `how the windows' scores become one; implies --windows (default: ${aggregation})`)
        .choices(['mean', 'max', 'first'])
        .implies(implied),
    )
    .addOption(
      new Option('--max-windows <n>', 'most windows of one text; implies --windows (default: no bound)')
        .argParser(positiveInteger)
        .implies(implied),
    );
}

/** The API's `windows`. */
export function toWindows({ windows, overlap, aggregate, maxWindows }: WindowFlags): WindowOptions | undefined {
  return windows === true ? { overlap, aggregate, maxWindows } : undefined;
}

function nonNegativeInteger(value: string): number {
  const number = value === '0' ? 0 : parseInteger(value, 1);
  if (number === undefined) throw new InvalidArgumentError('It must be an integer of at least 0.');
  return number;
}
