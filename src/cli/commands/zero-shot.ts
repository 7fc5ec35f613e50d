/** ggml-encoder zero-shot: texts to labels that the model was never trained on. */
import type { Command } from 'commander';

import type { ZeroShotClassification } from '../../api/results';
import { ZeroShotClassifier } from '../../api/zero-shot-classifier';
import type { Io } from '../io';
import { addModelOptions, withModel, splitList } from '../model-options';
import type { ModelFlags } from '../model-options';
import { Output } from '../output';
import { addFormatOption, wantsText } from '../result-format';
import type { FormatFlags } from '../result-format';
import { painter } from '../style';
import type { Paint } from '../style';
import { checkTextSource, processTexts } from '../text-input';
import { parseSingleTextLine } from '../text-line';
import { addWindowOptions, toWindows } from '../window-options';
import type { WindowFlags } from '../window-options';
import { describeInput, scoreLines } from './classify';

interface ZeroShotFlags extends ModelFlags, FormatFlags, WindowFlags {
  readonly model: string;
  readonly labels: readonly string[];
  readonly template?: string;
  readonly multiLabel?: boolean;
  readonly entailment?: string;
  readonly input?: string;
  readonly output?: string;
}

export function addZeroShotCommand(program: Command, io: Io): void {
  const command = program
    .command('zero-shot')
    .summary('label texts with labels of your own')
    .description(
      'Label texts with labels of your own, by an NLI model or one that reads them itself: arguments, or one JSON value per line of --input.',
    )
    .argument('[text...]', 'texts to classify')
    .requiredOption('--labels <list>', 'the candidates, separated by commas', splitList)
    .option('--template <text>', 'the hypothesis, with {} where the label goes (default: "This example is {}.")')
    .option('--multi-label', 'score each label on its own')
    .option(
      '--entailment <label>',
      'the model\'s label that means entailment (default: the one that starts with "entail")',
    )
    .option('--input <jsonl>', 'read lines: a JSON string or {"text"}; - for stdin')
    .option('--output <jsonl>', 'write there instead of to stdout')
    .addHelpText(
      'after',
      `
Examples:
  $ ggml-encoder zero-shot -m nli.gguf --labels "billing,support,sales" "My invoice is wrong"
  $ ggml-encoder zero-shot -m nli.gguf --labels "urgent,polite" --multi-label --input mails.jsonl`,
    );
  addWindowOptions(command, 'max');
  addFormatOption(addModelOptions(command, { required: true })).action(async (texts: string[], flags: ZeroShotFlags) =>
    zeroShot(texts, flags, io),
  );
}

async function zeroShot(texts: readonly string[], flags: ZeroShotFlags, io: Io): Promise<void> {
  await checkTextSource(texts, flags.input, flags.output);
  const forPeople = wantsText(flags, io, flags.output);
  const paint = painter(flags.output === undefined ? io.stdout : {});
  const options = {
    hypothesisTemplate: flags.template,
    multiLabel: flags.multiLabel,
    windows: toWindows(flags),
    specialTokens: flags.specialTokens,
    signal: io.signal,
  };
  const { model, entailment } = flags;

  await withModel(
    flags,
    io,
    async (loadOptions) => ZeroShotClassifier.load(model, { ...loadOptions, entailment }),
    async (classifier) => {
      const output = Output.open(flags.output, io.stdout);
      await processTexts({ texts, input: flags.input, parse: parseSingleTextLine }, output, io, async (inputs) => {
        const results = await classifier.classify(inputs, flags.labels, options);
        return results.map((result, index) =>
          forPeople ? describeResult(inputs[index] ?? '', result, paint) : JSON.stringify(result),
        );
      });
      await output.close();
    },
  );
}

function describeResult(text: string, result: ZeroShotClassification, paint: Paint): string {
  const scores = result.labels.map((label, index) => ({ label, score: result.scores[index] ?? 0 }));
  const notes = result.truncated ? [paint('yellow', '  the text was cut to fit the model')] : [];
  return [paint('dim', describeInput(text)), ...scoreLines(scores, true, paint), ...notes].join('\n');
}
