/** ggml-encoder evaluate: how good a model is on labelled examples. */
import { access, constants, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import type { LoadOptions } from '../../api/load-options';
import { UsageError, ioError } from '../errors';
import { evaluate } from '../evaluation/evaluate';
import type { Evaluation } from '../evaluation/evaluate';
import { COLUMN_NAMES } from '../evaluation/input/columns';
import type { ColumnTitles } from '../evaluation/input/columns';
import { renderReport } from '../evaluation/report/page';
import { Scorer } from '../evaluation/scorer';
import { TASKS } from '../evaluation/task';
import type { Findings } from '../evaluation/task';
import { createTask } from '../evaluation/tasks/create-task';
import type { TaskFlags } from '../evaluation/tasks/create-task';
import { parseThreshold } from '../evaluation/thresholds';
import { addChatOptions } from '../chat-options';
import type { ChatFlags } from '../chat-options';
import type { Io } from '../io';
import { addModelOptions, parseNumber, positiveInteger, withModel } from '../model-options';
import type { ModelFlags } from '../model-options';
import { Output } from '../output';
import { addFormatOption, wantsText } from '../result-format';
import type { FormatFlags } from '../result-format';
import { painter, table } from '../style';
import { isSameFile } from '../text-input';

interface EvaluateFlags extends ModelFlags, FormatFlags, TaskFlags, ChatFlags {
  readonly input: string;
  readonly prompt?: string;
  readonly promptName?: string;
  readonly report?: string;
  readonly compare?: string;
  readonly json?: boolean;
}

export function addEvaluateCommand(program: Command, io: Io): void {
  const command = program
    .command('evaluate')
    .summary('measure a model on labelled texts')
    .description(
      'Measure a model on labelled texts: accuracy, F1, ROC AUC, calibration; of several labels each for itself; ' +
        'errors and correlations of a regression model; how well a reranker tells yes from no, or orders documents.',
    )
    .requiredOption(
      '--input <file>',
      '.csv with columns text, label; else lines or a list of {"text", "label"}; - for stdin',
    )
    .option('--column <name=title>', 'another title for text, text_pair or label in the file; repeat it', parseColumn)
    .addOption(new Option('--task <name>', 'what to measure (default: what the model is for)').choices(TASKS))
    .option(
      '--threshold <score>',
      'from which score on a label of a multi-label model is predicted; label=score for one, repeat it (default: 0.5); ' +
        'with --task binary, an example is taken for a 1',
      parseThreshold,
    )
    .option('--separator <text>', 'between the labels of one CSV field (default: a comma)', parseSeparator)
    .addOption(
      new Option('--activation <name>', 'of a model with one label, to override its own rule').choices([
        'sigmoid',
        'tanh',
        'none',
      ]),
    )
    .option('--prompt <text>', 'put before the first text of each pair, for rerankers; "" for none')
    .option('--prompt-name <name>', "the model's prompt of that name")
    .option('--at-k <n>', 'of --task ranking: how many documents count as found (default: 10)', positiveInteger)
    .option('--relevance-level <grade>', 'the least grade of a relevant document (default: all above 0)', parseLevel)
    .option('--per-query <jsonl>', "write each query's own numbers")
    .option('--report <html>', 'write a page with charts')
    .option('--compare <model>', 'a second model with the same labels, to see how far they differ')
    .option('--json', 'the same as --format json')
    .addHelpText(
      'after',
      `
Examples:
  $ ggml-encoder evaluate -m model.gguf --input test.csv --report report.html
  $ ggml-encoder evaluate -m toxic.gguf --input train.csv --column text=comment_text --threshold 0.4
  $ ggml-encoder evaluate -m reranker.gguf --task ranking --input queries.jsonl
  $ ggml-encoder evaluate -m model.gguf --input test.jsonl --compare model-q8_0.gguf`,
    );
  addChatOptions(command);
  addFormatOption(addModelOptions(command, { required: false })).action(async (flags: EvaluateFlags) =>
    evaluateModel(flags, io),
  );
}

async function evaluateModel(flags: EvaluateFlags, io: Io): Promise<void> {
  const { input, report, perQuery, column: titles = {} } = flags;
  for (const [option, path] of Object.entries({ report, 'per-query': perQuery })) {
    if (path === undefined) continue;
    if (input !== '-' && (await isSameFile(input, path))) {
      throw new UsageError(`--${option} ${path} would overwrite the input`);
    }
    await checkFolder(path);
  }
  const load = (source?: string) => async (options: LoadOptions) => Scorer.load(source, options);
  const forPeople = flags.json !== true && wantsText(flags, io);

  await withModel(flags, io, load(flags.model), async (own) => {
    const finish = async (other?: Scorer): Promise<void> => {
      const task = createTask(own, other, flags);
      const { specialTokens, prompt, promptName, templateVariables } = flags;
      const run = { specialTokens, prompt, promptName, templateVariables };
      const evaluation = await evaluate({ path: input, titles }, task, { own, other }, run, io);
      if (report !== undefined) await writeReport(report, renderReport(evaluation, own.info, input));
      if (perQuery !== undefined) await writeRows(perQuery, evaluation.findings, io);
      const output = Output.open(undefined, io.stdout);
      await output.lines(forPeople ? describe(evaluation, io) : [evaluationLine(evaluation, own.info.path)]);
      await output.close();
    };
    if (flags.compare === undefined) await finish();
    else await withModel(flags, io, load(flags.compare), finish);
  });
}

/** Fails where a file cannot be, before a long evaluation is begun. */
async function checkFolder(path: string): Promise<void> {
  await access(dirname(path), constants.W_OK).catch((cause: unknown) => {
    throw ioError(`cannot write ${path}`, cause);
  });
}

async function writeReport(path: string, html: string): Promise<void> {
  await writeFile(path, html).catch((cause: unknown) => {
    throw ioError(`cannot write ${path}`, cause);
  });
}

async function writeRows(path: string, { rows }: Findings, io: Io): Promise<void> {
  const output = Output.open(path, io.stdout);
  await output.lines(rows?.().map((row) => JSON.stringify(row)) ?? []);
  await output.close();
}

/** The contract of docs/cli.md: these keys, in this order, and then those of the task. */
function evaluationLine({ examples, truncated, findings }: Evaluation, model: string): string {
  return JSON.stringify({ model, examples, truncated, ...findings.line });
}

function describe({ examples, truncated, findings }: Evaluation, io: Io): string[] {
  const counted = `${examples}${truncated === 0 ? '' : `, ${truncated} cut to fit the model`}`;
  return [...table([...findings.summary, ['examples', counted]]), ...findings.details(painter(io.stdout))];
}

/** Adds `text=comment_text` to those before it. */
function parseColumn(value: string, before: ColumnTitles = {}): ColumnTitles {
  const end = value.indexOf('=');
  const name = COLUMN_NAMES.find((known) => known === value.slice(0, end));
  const title = value.slice(end + 1).trim();
  if (end < 0 || name === undefined || title === '') {
    throw new InvalidArgumentError(`It must be name=title, with one of the names ${COLUMN_NAMES.join(', ')}.`);
  }
  return { ...before, [name]: title };
}

function parseLevel(value: string): number {
  const level = parseNumber(value);
  if (level > 0) return level;
  throw new InvalidArgumentError('It must be a number above 0.');
}

function parseSeparator(value: string): string {
  if (value === '') throw new InvalidArgumentError('It must be at least one character.');
  return value;
}
