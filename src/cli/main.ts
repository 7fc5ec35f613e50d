/** The command line: its commands, and how it ends. docs/cli.md is its contract. */
import { Command } from 'commander';

import { version } from '../support/package-root';
import { addClassifyCommand } from './commands/classify';
import { addConvertCommand } from './commands/convert';
import { addDevicesCommand } from './commands/devices';
import { addEvaluateCommand } from './commands/evaluate';
import { addInspectCommand } from './commands/inspect';
import { addRankCommand } from './commands/rank';
import { addTokenizeCommand } from './commands/tokenize';
import { addZeroShotCommand } from './commands/zero-shot';
import { EXIT, UsageError, reportError } from './errors';
import type { Io } from './io';

/**
 * Runs one command.
 *
 * @param args what follows the program's name.
 * @returns the exit code; nothing is thrown.
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    const program = buildProgram(io);
    checkHelpTopic(program, args);
    await program.parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return reportError(error, io.stderr, io.signal);
  }
}

/** commander would print the help of the whole program, and say nothing. */
function checkHelpTopic(program: Command, [first, topic]: readonly string[]): void {
  if (first !== 'help' || topic === undefined || topic.startsWith('-')) return;
  const names = ['help', ...program.commands.map((command) => command.name())];
  if (!names.includes(topic))
    throw new UsageError(`unknown command '${topic}'; there are ${names.slice(1).join(', ')}`);
}

/** The process's own streams and signals around `run`. A second signal ends the process at once. */
export async function main(): Promise<void> {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      controller.abort(name);
    });
  }
  const { stdin, stdout, stderr } = process;
  // Results hear of a reader that went away by their own writes; help and warnings are not waited for.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, signal: controller.signal });
}

function buildProgram(io: Io): Command {
  const program = new Command('ggml-encoder')
    .description('Classify texts, score pairs and rank documents with encoder models, on ggml.')
    .version(version)
    .helpCommand(true)
    .showSuggestionAfterError(true)
    // Errors come back as exceptions, so that they are printed once and in one form.
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: () => undefined,
    })
    .addHelpText(
      'after',
      `
Examples:
  $ ggml-encoder classify "Real-time strategy game of ancient warfare"
  $ ggml-encoder convert ./checkpoint-folder -o model.gguf --type f16
  $ ggml-encoder classify -m model.gguf --input texts.jsonl --output labels.jsonl
  $ ggml-encoder rank -m reranker.gguf --query "how do plants make food" --documents passages.txt
  $ ggml-encoder zero-shot -m nli.gguf --labels "billing,support,sales" "My invoice is wrong"

On a terminal results are for people, everywhere else they are JSON lines.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 terminated.`,
    );
  for (const addCommand of [
    addClassifyCommand,
    addConvertCommand,
    addRankCommand,
    addZeroShotCommand,
    addEvaluateCommand,
    addTokenizeCommand,
    addInspectCommand,
    addDevicesCommand,
  ]) {
    addCommand(program, io);
  }
  return program;
}
