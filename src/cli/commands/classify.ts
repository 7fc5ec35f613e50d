/** ggml-encoder classify: texts to labels. */
import { Option } from 'commander';
import type { Command } from 'commander';

import { ACTIVATIONS } from '../../api/activations';
import type { Activation } from '../../api/activations';
import { Classifier } from '../../api/classifier';
import { textsOf } from '../../api/chat';
import { isChat } from '../../api/chats';
import type { ClassifierInput } from '../../api/classifier';
import type { Classification, LabelScore } from '../../api/results';
import type { TextWindow } from '../../api/windows';
import { addChatOptions } from '../chat-options';
import type { ChatFlags } from '../chat-options';
import type { Io } from '../io';
import { addModelOptions, parseNumber, parseTopK, toApiTopK, withModel } from '../model-options';
import type { ModelFlags, TopK } from '../model-options';
import { Output } from '../output';
import { addFormatOption, wantsText } from '../result-format';
import type { FormatFlags } from '../result-format';
import { bar, padLeft, padRight, painter, shorten, table, visible, widest } from '../style';
import type { Paint } from '../style';
import { checkTextSource, processTexts } from '../text-input';
import { classifierLines } from '../text-line';
import { addWindowOptions, toWindows } from '../window-options';
import type { WindowFlags } from '../window-options';

interface ClassifyFlags extends ModelFlags, FormatFlags, WindowFlags, ChatFlags {
  readonly input?: string;
  readonly output?: string;
  readonly topK?: TopK;
  readonly threshold?: number;
  readonly activation?: Activation;
  readonly logits?: boolean;
}

/** People see this many labels unless --top-k says otherwise; programs get all. */
const SHOWN_LABELS = 5;
const BAR_WIDTH = 24;

export function addClassifyCommand(program: Command, io: Io): void {
  const command = program
    .command('classify')
    .summary('label texts')
    .description('Label texts: arguments, or one JSON value per line of --input.')
    .argument('[text...]', 'texts to classify')
    .option(
      '--input <jsonl>',
      'read lines: a JSON string, {"text"}, {"text", "text_pair"} or {"messages"}; - for stdin',
    )
    .option('--output <jsonl>', 'write there instead of to stdout')
    .option('--top-k <n>', 'how many labels to list, or "all"', parseTopK)
    .option('--threshold <score>', 'list only labels with at least this score', parseNumber)
    .addOption(new Option('--activation <name>', "override the model's own rule").choices(ACTIVATIONS))
    .option('--logits', 'add the raw logits in label order')
    .addHelpText(
      'after',
      `
Examples:
  $ ggml-encoder classify "Real-time strategy game of ancient warfare"
  $ ggml-encoder classify -m model.gguf --top-k 3 --format json "first text" "second text"
  $ ggml-encoder classify -m ./checkpoint-folder --input texts.jsonl --output labels.jsonl`,
    );
  addWindowOptions(command, 'mean');
  addChatOptions(command);
  addFormatOption(addModelOptions(command, { required: false })).action(async (texts: string[], flags: ClassifyFlags) =>
    classify(texts, flags, io),
  );
}

async function classify(texts: readonly string[], flags: ClassifyFlags, io: Io): Promise<void> {
  await checkTextSource(texts, flags.input, flags.output);
  const forPeople = wantsText(flags, io, flags.output);
  const paint = painter(flags.output === undefined ? io.stdout : {});
  const options = {
    topK: flags.topK === undefined && forPeople ? SHOWN_LABELS : toApiTopK(flags.topK),
    threshold: flags.threshold,
    activation: flags.activation,
    windows: toWindows(flags),
    logits: flags.logits,
    templateVariables: flags.templateVariables,
    specialTokens: flags.specialTokens,
    signal: io.signal,
  };
  const load = Classifier.load.bind(Classifier, flags.model);

  await withModel(flags, io, load, async (classifier) => {
    const output = Output.open(flags.output, io.stdout);
    await processTexts({ texts, input: flags.input, parse: classifierLines() }, output, io, async (inputs) => {
      const results = await classifier.classify(inputs, options);
      return results.map((result, index) =>
        forPeople ? describeResult(inputs[index] ?? '', result, paint) : resultLine(result),
      );
    });
    await output.close();
  });
}

/** The contract of docs/cli.md: these keys, in this order. */
export function resultLine(result: Classification): string {
  const { label, score, scores, tokens, truncated, logits, windows } = result;
  const line = { label, score, scores, tokens, truncated };
  return JSON.stringify({ ...line, windows, logits: logits === undefined ? undefined : Array.from(logits) });
}

/** A block of lines for people: the text, then a bar for each label. */
export function describeResult(input: ClassifierInput, result: Classification, paint: Paint): string {
  // Bars are shares of one; raw logits have none.
  const lines = scoreLines(result.scores, result.activation !== 'none', paint);
  const notes = [
    ...windowLines(result.windows ?? []),
    ...(result.truncated ? [paint('yellow', `  only ${result.tokens} tokens were read, the rest was cut`)] : []),
    ...(result.logits === undefined ? [] : [`  logits ${Array.from(result.logits, (x) => x.toFixed(4)).join(' ')}`]),
  ];
  return [paint('dim', describeInput(input)), ...lines, ...notes].join('\n');
}

/** Which part of the text said what; nothing for a text that fits one window. */
function windowLines(windows: readonly TextWindow[]): string[] {
  if (windows.length < 2) return [];
  const rows = windows.map(({ begin, end, label, score }) => [`  ${begin}-${end}`, visible(label), score.toFixed(4)]);
  return table([['  tokens', 'label', 'score'], ...rows], [0, 2]);
}

/** A line per label: name, score and, where scores are shares, a bar. */
export function scoreLines(scores: readonly LabelScore[], withBars: boolean, paint: Paint): string[] {
  const names = scores.map(({ label }) => visible(label));
  const width = widest(names);
  const numbers = scores.map(({ score }) => score.toFixed(4));
  const numberWidth = widest(numbers);
  return scores.map(({ score }, index) => {
    const name = padRight(names[index] ?? '', width);
    const number = padLeft(numbers[index] ?? '', numberWidth);
    const share = withBars ? paint('cyan', bar(score, BAR_WIDTH)) : '';
    return `  ${index === 0 ? paint('bold', name) : name}  ${number}  ${share}`.trimEnd();
  });
}

const SHOWN_TEXT = 100;

/** The text, the pair or the last message of the chat as one short line. */
export function describeInput(input: ClassifierInput): string {
  if (isChat(input)) return describeInput(input.messages.slice(-1).flatMap(textsOf).join(' '));
  const [text, pair] = typeof input === 'string' ? [input, undefined] : [input.text, input.textPair];
  const shown = shorten(visible(text), SHOWN_TEXT);
  return pair === undefined ? shown : `${shown}  |  ${shorten(visible(pair), SHOWN_TEXT)}`;
}
