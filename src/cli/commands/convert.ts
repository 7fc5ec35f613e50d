/** ggml-encoder convert: a checkpoint to one GGUF file. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import { convert } from '../../api/conversion';
import type { ConvertResult } from '../../convert/convert';
import { headOptions } from '../../convert/head-options';
import { TENSOR_TYPES } from '../../gguf/types';
import type { TensorType } from '../../gguf/types';
import { showConversion } from '../conversion-progress';
import { UsageError, reportWarning } from '../errors';
import type { Io } from '../io';
import { positiveInteger, splitList } from '../model-options';
import type { ListVerification } from '../list-verification';
import { Output } from '../output';
import { addFormatOption, wantsText } from '../result-format';
import type { FormatFlags } from '../result-format';
import { formatBytes, painter, visible } from '../style';
import { checkVerificationTexts, verifyConversion } from '../verification';
import type { Verification } from '../verification';

interface ConvertFlags extends FormatFlags {
  readonly output: string;
  readonly revision?: string;
  readonly base?: string;
  readonly type?: TensorType;
  readonly labels?: readonly string[];
  readonly scoreTokens?: readonly [string, string];
  readonly answerTokens?: readonly string[];
  readonly answerPrefix?: string;
  readonly cutoffLayer?: number;
  readonly force?: boolean;
  readonly verify?: string;
}

export function addConvertCommand(program: Command, io: Io): void {
  const command = program
    .command('convert')
    .summary('turn a checkpoint into a GGUF file')
    .description(
      "Turn a Hugging Face checkpoint, a folder or a repository on the Hub, or a file of llama.cpp's converter into " +
        'one GGUF file.',
    )
    .argument(
      '<source>',
      "a folder with config.json, weights and tokenizer, owner/name on the Hub, or a .gguf file of llama.cpp's converter",
    )
    .requiredOption('-o, --output <file.gguf>', 'the file to write')
    .addOption(
      new Option('--type <type>', "tensor type of the large weights (default: the checkpoint's own)").choices(
        TENSOR_TYPES,
      ),
    )
    .option('--revision <name>', 'branch, tag or commit of a repository on the Hub (default: main)')
    .option('--base <path>', 'what a LoRA adapter changes: a folder or owner/name (default: the base that it names)')
    .option('--labels <list>', "names for the labels, in the model's order, separated by commas", splitList)
    .option('--score-tokens <two>', 'the words that a reranker answers with, as its vocabulary has them', splitTokens)
    .option(
      '--answer-tokens <list>',
      'the labels of a language model: tokens that its answers begin with, as its vocabulary has them',
      splitList,
    )
    .option('--answer-prefix <text>', 'what stands before such a token')
    .option('--cutoff-layer <n>', 'the layer whose head scores, of a reranker that has several', positiveInteger)
    .option('--force', 'replace the file when it exists')
    .option('--verify <texts>', 'compare with an F32 conversion on a file of texts, one per line (- for stdin)')
    .addHelpText(
      'after',
      `
Examples:
  $ ggml-encoder convert ./checkpoint-folder -o model.gguf --type f16
  $ ggml-encoder convert cross-encoder/ms-marco-MiniLM-L6-v2 -o reranker.gguf`,
    );
  addFormatOption(command).action(async (folder: string, flags: ConvertFlags) => convertFolder(folder, flags, io));
}

/** "▁true,▁false" */
function splitTokens(list: string): readonly [string, string] {
  const [positive, negative, ...more] = list.split(',');
  if (!positive || !negative || more.length > 0) throw new InvalidArgumentError('Two words with a comma between them.');
  return [positive, negative];
}

async function convertFolder(folder: string, flags: ConvertFlags, io: Io): Promise<void> {
  if (folder === '' || flags.output === '') throw new UsageError('the source and --output must not be empty');
  if (flags.verify !== undefined) await checkVerificationTexts(flags.verify);
  const progress = showConversion(io);
  let result: ConvertResult;
  try {
    result = await convert(folder, {
      output: flags.output,
      revision: flags.revision,
      base: flags.base,
      type: flags.type,
      labels: flags.labels,
      ...headOptions(flags),
      overwrite: flags.force,
      signal: io.signal,
      onProgress: progress.update,
    });
  } finally {
    progress.hide();
  }
  for (const warning of result.warnings) reportWarning('convert', warning, io.stderr);

  const verification = await verify(folder, flags, result, io);
  const output = Output.open(undefined, io.stdout);
  const lines = wantsText(flags, io)
    ? [describeConversion(result, io), ...describeVerification(verification)]
    : [JSON.stringify({ ...result, verification })];
  await output.lines(lines);
  await output.close();
}

async function verify(
  source: string,
  flags: ConvertFlags,
  { path }: ConvertResult,
  io: Io,
): Promise<Verification | ListVerification | undefined> {
  const { verify: texts, revision, base } = flags;
  if (texts === undefined) return undefined;
  const converted = { ...headOptions(flags), source, revision, base, output: path };
  const progress = showConversion(io);
  try {
    return await verifyConversion(converted, texts, io, progress.update);
  } finally {
    progress.hide();
  }
}

function describeVerification(verification: Verification | ListVerification | undefined): string[] {
  if (verification === undefined) return [];
  if ('lists' in verification) return describeLists(verification);
  const { texts, maxLogitDifference, labelAgreement } = verification;
  const agreement = labelAgreement === null ? '' : `, same label for ${(100 * labelAgreement).toFixed(2)} %`;
  return [`beside f32 on ${texts} texts: logits differ by at most ${maxLogitDifference.toPrecision(3)}${agreement}`];
}

function describeLists({
  texts,
  lists,
  maxScoreDifference,
  bestAgreement,
  orderAgreement,
}: ListVerification): string[] {
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const order = orderAgreement === null ? '' : `, same order of two documents in ${percent(orderAgreement)}`;
  return [
    `beside f32 on ${texts} texts in ${lists} ${lists === 1 ? 'list' : 'lists'}: scores differ by at most ` +
      `${maxScoreDifference.toPrecision(3)}, same best document in ${percent(bestAgreement)}${order}`,
  ];
}

function describeConversion({ path, type, sizeBytes, parameters, numTensors }: ConvertResult, io: Io): string {
  const paint = painter(io.stdout);
  const facts = `${type}, ${numTensors} tensors, ${parameters.toLocaleString('en')} parameters, ${formatBytes(sizeBytes)}`;
  return `${paint('green', 'wrote')} ${paint('bold', visible(path))} (${facts})`;
}
