/** ggml-encoder tokenize: the ids a model sees, one JSON array per line. */
import type { Command } from 'commander';

import { Classifier } from '../../api/classifier';
import { addChatOptions } from '../chat-options';
import type { ChatFlags } from '../chat-options';
import type { Io } from '../io';
import { addModelOptions, withModel } from '../model-options';
import type { ModelFlags } from '../model-options';
import { Output } from '../output';
import { checkTextSource, processTexts } from '../text-input';
import { classifierLines } from '../text-line';

interface TokenizeFlags extends ModelFlags, ChatFlags {
  readonly input?: string;
  readonly output?: string;
}

export function addTokenizeCommand(program: Command, io: Io): void {
  const command = program
    .command('tokenize')
    .summary('print the token ids of texts')
    .description('Print the token ids that the model sees, truncation included: one JSON array per text.')
    .argument('[text...]', 'texts to tokenize')
    .option(
      '--input <jsonl>',
      'read lines: a JSON string, {"text"}, {"text", "text_pair"} or {"messages"}; - for stdin',
    )
    .option('--output <jsonl>', 'write there instead of to stdout')
    .addHelpText(
      'after',
      `
Example:
  $ ggml-encoder tokenize -m model.gguf --special-tokens parse "one [SEP] two"`,
    );
  addChatOptions(addModelOptions(command, { required: false })).action(async (texts: string[], flags: TokenizeFlags) =>
    tokenize(texts, flags, io),
  );
}

async function tokenize(texts: readonly string[], flags: TokenizeFlags, io: Io): Promise<void> {
  await checkTextSource(texts, flags.input, flags.output);
  const { specialTokens, templateVariables } = flags;
  const options = { specialTokens, templateVariables, signal: io.signal };
  const load = Classifier.load.bind(Classifier, flags.model);
  await withModel(flags, io, load, async (model) => {
    const output = Output.open(flags.output, io.stdout);
    await processTexts({ texts, input: flags.input, parse: classifierLines() }, output, io, async (inputs) => {
      const results = await model.tokenize(inputs, options);
      return results.map(({ ids }) => `[${ids.join(',')}]`);
    });
    await output.close();
  });
}
