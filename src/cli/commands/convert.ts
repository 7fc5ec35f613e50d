/** ggml-encoder convert: a checkpoint to one GGUF file. */
import { Option } from 'commander';
import type { Command } from 'commander';

import { convert } from '../../convert/convert';
import type { ConvertResult } from '../../convert/convert';
import type { TensorType } from '../../gguf/types';
import { showConversion } from '../conversion-progress';
import { UsageError, reportWarning } from '../errors';
import type { Io } from '../io';
import { Output } from '../output';
import { addFormatOption, wantsText } from '../result-format';
import type { FormatFlags } from '../result-format';
import { formatBytes, painter, visible } from '../style';

interface ConvertFlags extends FormatFlags {
  readonly output: string;
  readonly revision?: string;
  readonly type?: TensorType;
  readonly force?: boolean;
}

export function addConvertCommand(program: Command, io: Io): void {
  const command = program
    .command('convert')
    .summary('turn a checkpoint into a GGUF file')
    .description('Turn a Hugging Face checkpoint, a folder or a repository on the Hub, into one GGUF file.')
    .argument('<source>', 'a folder with config.json, weights and tokenizer, or owner/name on the Hub')
    .requiredOption('-o, --output <file.gguf>', 'the file to write')
    .addOption(
      new Option('--type <type>', "tensor type of the large weights (default: the checkpoint's own)").choices([
        'f32',
        'f16',
        'bf16',
        'q8_0',
      ]),
    )
    .option('--revision <name>', 'branch, tag or commit of a repository on the Hub (default: main)')
    .option('--force', 'replace the file when it exists')
    .addHelpText(
      'after',
      `
Examples:
  $ ggml-encoder convert ./checkpoint-folder -o model.gguf --type f16
  $ ggml-encoder convert cross-encoder/ms-marco-MiniLM-L6-v2 -o reranker.gguf`,
    );
  addFormatOption(command).action(async (folder: string, flags: ConvertFlags) => convertFolder(folder, flags, io));
}

async function convertFolder(folder: string, flags: ConvertFlags, io: Io): Promise<void> {
  if (folder === '' || flags.output === '') throw new UsageError('the source and --output must not be empty');
  const progress = showConversion(io);
  let result: ConvertResult;
  try {
    result = await convert(folder, {
      output: flags.output,
      revision: flags.revision,
      type: flags.type,
      overwrite: flags.force,
      signal: io.signal,
      onProgress: progress.update,
    });
  } finally {
    progress.hide();
  }
  for (const warning of result.warnings) reportWarning('convert', warning, io.stderr);

  const output = Output.open(undefined, io.stdout);
  await output.lines([wantsText(flags, io) ? describeConversion(result, io) : JSON.stringify(result)]);
  await output.close();
}

function describeConversion({ path, type, sizeBytes, parameters, numTensors }: ConvertResult, io: Io): string {
  const paint = painter(io.stdout);
  const facts = `${type}, ${numTensors} tensors, ${parameters.toLocaleString('en')} parameters, ${formatBytes(sizeBytes)}`;
  return `${paint('green', 'wrote')} ${paint('bold', visible(path))} (${facts})`;
}
