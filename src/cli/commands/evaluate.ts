/** ggml-encoder evaluate: how good a classifier is on labelled examples. */
import { writeFile } from 'node:fs/promises';

import type { Command } from 'commander';

import { Classifier } from '../../api/classifier';
import type { LoadOptions } from '../../api/load-options';
import type { ModelInfo } from '../../api/model-info';
import { UsageError, ioError } from '../errors';
import { checkEvaluable, evaluate } from '../evaluation/evaluate';
import type { Evaluation } from '../evaluation/evaluate';
import { renderReport } from '../evaluation/report';
import type { Io } from '../io';
import { addModelOptions, withModel } from '../model-options';
import type { ModelFlags } from '../model-options';
import { Output } from '../output';
import { addFormatOption, wantsText } from '../result-format';
import type { FormatFlags } from '../result-format';
import { painter, table, visible } from '../style';
import { isSameFile } from '../text-input';

interface EvaluateFlags extends ModelFlags, FormatFlags {
  readonly input: string;
  readonly report?: string;
  readonly compare?: string;
  readonly json?: boolean;
}

export function addEvaluateCommand(program: Command, io: Io): void {
  const command = program
    .command('evaluate')
    .summary('measure a classifier on labelled texts')
    .description('Measure a classifier on labelled texts: accuracy, F1, ROC AUC, calibration, confusion matrix.')
    .requiredOption('--input <file>', '.csv with columns text, label; else lines of {"text", "label"}; - for stdin')
    .option('--report <html>', 'write a page with charts')
    .option('--compare <model>', 'a second model with the same labels, to see how far they differ')
    .option('--json', 'the same as --format json')
    .addHelpText(
      'after',
      `
Examples:
  $ ggml-encoder evaluate -m model.gguf --input test.csv --report report.html
  $ ggml-encoder evaluate -m model.gguf --input test.jsonl --compare model-q8_0.gguf`,
    );
  addFormatOption(addModelOptions(command, { required: false })).action(async (flags: EvaluateFlags) =>
    evaluateModel(flags, io),
  );
}

async function evaluateModel(flags: EvaluateFlags, io: Io): Promise<void> {
  const { input, report } = flags;
  if (report !== undefined && input !== '-' && (await isSameFile(input, report))) {
    throw new UsageError(`--report ${report} would overwrite the input`);
  }
  const load = (source?: string) => async (options: LoadOptions) => Classifier.load(source, options);
  const forPeople = flags.json !== true && wantsText(flags, io);

  await withModel(flags, io, load(flags.model), async (classifier) => {
    const finish = async (other?: Classifier): Promise<void> => {
      checkEvaluable(classifier, other);
      const { specialTokens } = flags;
      const evaluation = await evaluate(input, classifier, other, { specialTokens }, io);
      if (report !== undefined) await writeReport(report, renderReport(evaluation, classifier.info, input));
      const output = Output.open(undefined, io.stdout);
      const { info } = classifier;
      await output.lines(forPeople ? describe(evaluation, info, io) : [evaluationLine(evaluation, info)]);
      await output.close();
    };
    if (flags.compare === undefined) await finish();
    else await withModel(flags, io, load(flags.compare), finish);
  });
}

async function writeReport(path: string, html: string): Promise<void> {
  await writeFile(path, html).catch((cause: unknown) => {
    throw ioError(`cannot write ${path}`, cause);
  });
}

/** The contract of docs/cli.md: these keys, in this order. */
function evaluationLine({ metrics, truncated, comparison }: Evaluation, { path, labels }: ModelInfo): string {
  const { examples, accuracy, macro, weighted, rocAuc, logLoss, calibrationError, classes, confusion } = metrics;
  const named = classes.map((entry) => ({
    label: labels[entry.label],
    precision: entry.precision,
    recall: entry.recall,
    f1: entry.f1,
    support: entry.support,
    rocAuc: entry.rocAuc,
  }));
  const line = { model: path, examples, truncated, accuracy, macro, weighted, rocAuc, logLoss, calibrationError };
  const rest = { classes: named, confusion, ...(comparison === undefined ? {} : { compare: comparison }) };
  return JSON.stringify({ ...line, ...rest });
}

function describe({ metrics, truncated, comparison }: Evaluation, { labels }: ModelInfo, io: Io): string[] {
  const paint = painter(io.stdout);
  const number = (value: number | null): string => (value === null ? '-' : value.toFixed(4));
  const averages = (['macro', 'weighted'] as const).map((name) => {
    const { precision, recall, f1 } = metrics[name];
    const rocAuc = name === 'macro' && labels.length > 2 ? number(metrics.rocAuc) : '';
    return [`${name} average`, number(precision), number(recall), number(f1), `${metrics.examples}`, rocAuc];
  });
  const classes = metrics.classes.map(({ label, precision, recall, f1, support, rocAuc }) => [
    visible(labels[label] ?? ''),
    number(precision),
    number(recall),
    number(f1),
    `${support}`,
    number(rocAuc),
  ]);
  const head = ['', 'precision', 'recall', 'F1', 'support', 'ROC AUC'];
  const [title = '', ...rows] = table([head, ...classes, ...averages], [1, 2, 3, 4, 5]);
  const facts = table([
    ['accuracy', number(metrics.accuracy)],
    ['ROC AUC', number(metrics.rocAuc)],
    ['log loss', number(metrics.logLoss)],
    ['calibration error', number(metrics.calibrationError)],
    ['examples', `${metrics.examples}${truncated === 0 ? '' : `, ${truncated} cut to fit the model`}`],
  ]);
  const compared =
    comparison === undefined
      ? []
      : [
          '',
          paint('bold', `compared with ${visible(comparison.model)}`),
          ...table([
            ['its accuracy', number(comparison.accuracy)],
            ['same label', number(comparison.agreement)],
            ['largest difference of logits', comparison.maxLogitDifference.toPrecision(3)],
          ]),
        ];
  return [...facts, '', paint('dim', title), ...rows, ...compared];
}
