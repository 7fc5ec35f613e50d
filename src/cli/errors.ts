/** How a command ends: the exit codes, and errors as one line on stderr. */
import type { Writable } from 'node:stream';

import { CommanderError } from 'commander';

import { isArgumentError } from '../support/arguments';
import { messageOf } from '../support/error-message';
import { EncoderError, isEncoderError } from '../errors';
import { visible } from './style';

/** Documented in docs/cli.md; scripts rely on them. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** The reader of our output has gone (`| head`): not an error, only the end. */
export class OutputClosed extends Error {
  constructor() {
    super('the reader of the output has closed it');
    this.name = 'OutputClosed';
  }
}

/** A command line that makes no sense. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** Writes the error as one line and gives the exit code that belongs to it. */
export function reportError(error: unknown, stderr: Writable, signal: AbortSignal): number {
  if (signal.aborted) return signal.reason === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
  if (error instanceof OutputClosed) return EXIT.ok;
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;

  const { code, message, exitCode } = explain(error);
  // Help that was asked for by giving no command has been written already.
  if (code !== 'help') stderr.write(`ggml-encoder: error [${code}]: ${oneLine(message)}\n`);
  return exitCode;
}

/** Writes a warning as one line. */
export function reportWarning(code: string, message: string, stderr: Writable): void {
  stderr.write(`ggml-encoder: warning [${code}]: ${oneLine(message)}\n`);
}

/** A file system error as an EncoderError that names what was tried. */
export function ioError(action: string, cause: unknown): EncoderError {
  const reason = messageOf(cause);
  return new EncoderError('io_failed', `${action}: ${reason}`, { cause });
}

function explain(error: unknown): { code: string; message: string; exitCode: number } {
  if (error instanceof CommanderError) {
    const code = error.code === 'commander.help' ? 'help' : 'usage';
    return { code, message: error.message.replace(/^error: /, ''), exitCode: EXIT.usage };
  }
  if (error instanceof UsageError || isArgumentError(error)) {
    return { code: 'usage', message: withFlags(error.message), exitCode: EXIT.usage };
  }
  if (isEncoderError(error)) return { code: error.code, message: error.message, exitCode: EXIT.failed };
  const message = messageOf(error);
  return { code: 'internal', message: `${message}; please report this`, exitCode: EXIT.failed };
}

/** Flags that are not the API's word with hyphens. */
const FLAGS: ReadonlyMap<string, string> = new Map([['hypothesisTemplate', 'template']]);

/** The API's `options.maxLength` as it is written here. */
function withFlags(message: string): string {
  return message.replace(/\boptions\.(?:windows\.)?([a-z]+)/gi, (_, option: string) => {
    return `--${FLAGS.get(option) ?? option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  });
}

/** Names in messages come from files; they must neither break the line nor steer the terminal. */
function oneLine(message: string): string {
  return visible(message.replace(/\s*[\r\n]+\s*/g, ' ')).trim();
}
