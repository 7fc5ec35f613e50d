/** The options that every command with a model has, and the loading behind them. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import type { LoadOptions } from '../api/load-options';
import type { SpecialTokens } from '../api/text-options';
import { isEncoderError } from '../errors';
import { UsageError, reportWarning } from './errors';
import type { Io } from './io';
import { showConversion } from './conversion-progress';

/** Parsed values of the options that addModelOptions adds. */
export interface ModelFlags {
  readonly model?: string;
  readonly revision?: string;
  readonly base?: string;
  readonly device: string;
  readonly threads?: number;
  readonly kernels: 'auto' | 'portable';
  readonly maxLength?: number;
  readonly specialTokens: SpecialTokens;
}

export function addModelOptions(command: Command, model: { required: boolean }): Command {
  const source = new Option(
    '-m, --model <path>',
    'a .gguf file, a checkpoint folder, or owner/name on the Hugging Face Hub',
  );
  if (model.required) source.makeOptionMandatory();
  else source.description += ' (default: the classifier that comes with the package)';
  return command
    .addOption(source)
    .option('--revision <name>', 'branch, tag or commit of a repository on the Hub (default: main)')
    .option('--base <path>', 'what a LoRA adapter changes (default: the base that it names)')
    .option('--device <id>', 'where to compute, as "ggml-encoder devices" lists it', 'auto')
    .option('--threads <n>', 'inference threads, 1 to 64 (default: physical cores, at most 8)', positiveInteger)
    .addOption(
      new Option('--kernels <set>', 'CPU kernels: the fastest here, or stock ggml')
        .choices(['auto', 'portable'])
        .default('auto'),
    )
    .option('--max-length <n>', "most tokens per input (default: the model's limit)", positiveInteger)
    .addOption(
      new Option('--special-tokens <how>', 'what "[SEP]" and the like mean inside a text')
        .choices(['text', 'parse', 'error'])
        .default('text'),
    );
}

interface Loaded {
  dispose(): Promise<void>;
}

/** Loads, prints warnings as they come, runs `use`, and frees the model whatever happens. */
export async function withModel<Model extends Loaded>(
  flags: ModelFlags,
  io: Io,
  load: (options: LoadOptions) => Promise<Model>,
  use: (model: Model) => Promise<void>,
): Promise<void> {
  const progress = showConversion(io);
  let model: Model;
  try {
    model = await load({
      revision: flags.revision,
      base: flags.base,
      device: flags.device,
      threads: flags.threads,
      kernels: flags.kernels,
      maxLength: flags.maxLength,
      onProgress: progress.update,
      onWarning: ({ code, message }) => {
        reportWarning(code, message, io.stderr);
      },
      signal: io.signal,
    });
  } finally {
    progress.hide();
  }
  try {
    await use(model);
  } catch (error) {
    throw flags.maxLength === undefined ? error : withoutRoom(error);
  } finally {
    await model.dispose();
  }
}

/** The API refuses an input that `maxLength` leaves no room for; here the option is what is wrong. */
function withoutRoom(error: unknown): unknown {
  if (!isEncoderError(error, 'input_invalid') || !isAboutOption(error, 'maxLength')) return error;
  return new UsageError(error.message.replace('maxLength', '--max-length'));
}

/** As the native side says it, whose error is the cause of the API's. */
function isAboutOption(error: unknown, option: string): boolean {
  if (!(error instanceof Error)) return false;
  return ('option' in error && error.option === option) || isAboutOption(error.cause, option);
}

/** Undefined for what is no integer of at least `low`, in decimal digits. */
export function parseInteger(value: string, low: number): number | undefined {
  const number = Number(value);
  return /^\d+$/.test(value) && Number.isSafeInteger(number) && number >= low ? number : undefined;
}

export function positiveInteger(value: string): number {
  const number = parseInteger(value, 1);
  if (number === undefined) throw new InvalidArgumentError('It must be a positive integer.');
  return number;
}

export function parseNumber(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number)) throw new InvalidArgumentError('It must be a number.');
  return number;
}

/** Value of `--top-k`. (commander cannot hold null.) */
export type TopK = number | 'all';

export function parseTopK(value: string): TopK {
  if (value === 'all') return value;
  const number = parseInteger(value, 1);
  if (number === undefined) throw new InvalidArgumentError('It must be a positive integer or "all".');
  return number;
}

/** The API's word for it. */
export function toApiTopK(topK: TopK | undefined): number | null | undefined {
  return topK === 'all' ? null : topK;
}

/** Names separated by commas, as transformers splits them: surrounding space and empty parts are dropped. */
export function splitList(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
