/** ggml-encoder convert: a checkpoint folder to one GGUF file. */
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
  readonly type?: TensorType;
  readonly force?: boolean;
}

export function addConvertCommand(program: Command, io: Io): void {
  const command = program
    .command('convert')
    .summary('turn a checkpoint folder into a GGUF file')
    .description('Turn a folder with a Hugging Face checkpoint into one GGUF file.')
    .argument('<folder>', 'holds config.json, the weights and the tokenizer')
    .requiredOption('-o, --output <file.gguf>', 'the file to write')
    .addOption(
      new Option('--type <type>', "tensor type of the large weights (default: the checkpoint's own)").choices([
        'f32',
        'f16',
        'bf16',
        'q8_0',
      ]),
    )
    .option('--force', 'replace the file when it exists')
    .addHelpText(
      'after',
      `
Example:
  $ ggml-encoder convert ./checkpoint-folder -o model.gguf --type f16`,
    );
  addFormatOption(command).action(async (folder: string, flags: ConvertFlags) => convertFolder(folder, flags, io));
}

async function convertFolder(folder: string, flags: ConvertFlags, io: Io): Promise<void> {
  if (folder === '' || flags.output === '') throw new UsageError('the folder and --output must not be empty');
  const progress = showConversion(io);
  let result: ConvertResult;
  try {
    result = await convert(folder, {
      output: flags.output,
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
