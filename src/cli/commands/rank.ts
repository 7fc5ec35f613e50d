/** ggml-encoder rank: documents by how well they answer a query. */
import { Option } from 'commander';
import type { Command } from 'commander';

import { PAIR_ACTIVATIONS } from '../../api/activations';
import type { PairActivation } from '../../api/activations';
import { CrossEncoder } from '../../api/cross-encoder';
import type { RankedDocument } from '../../api/results';
import type { Io } from '../io';
import { inputName, openInput } from '../input';
import { records } from '../jsonl';
import { addModelOptions, parseTopK, positiveInteger, toApiTopK, withModel } from '../model-options';
import type { ModelFlags, TopK } from '../model-options';
import { Output } from '../output';
import { addFormatOption, wantsText } from '../result-format';
import type { FormatFlags } from '../result-format';
import { painter, shorten, table, visible } from '../style';
import { parseDocumentLine } from '../text-line';
import { addWindowOptions, toWindows } from '../window-options';
import type { WindowFlags } from '../window-options';

interface RankFlags extends ModelFlags, FormatFlags, WindowFlags {
  readonly model: string;
  readonly query: string;
  readonly documents: string;
  readonly topK?: TopK;
  readonly label?: string;
  readonly prompt?: string;
  readonly promptName?: string;
  readonly maxQueryTokens?: number;
  readonly maxDocumentTokens?: number;
  readonly activation?: PairActivation;
}

const SHOWN_DOCUMENT = 100;

export function addRankCommand(program: Command, io: Io): void {
  const command = program
    .command('rank')
    .summary('sort documents by how well they answer a query')
    .description('Sort documents by how well they answer a query, best first.')
    .requiredOption('--query <text>', 'what the documents should answer')
    .requiredOption(
      '--documents <file>',
      'one document per line, as a JSON string, {"text"} or plain text; - for stdin',
    )
    .option('--top-k <n>', 'how many documents to print, or "all"', parseTopK)
    .option('--label <name>', 'the label to rank by, for models with several')
    .option('--prompt <text>', 'put before the query; "" for none')
    .option('--prompt-name <name>', "the model's prompt of that name")
    .option('--max-query-tokens <n>', 'most tokens kept of the query', positiveInteger)
    .option('--max-document-tokens <n>', 'most tokens kept of each document', positiveInteger)
    .addOption(new Option('--activation <name>', "override the model's own rule").choices(PAIR_ACTIVATIONS))
    .addHelpText(
      'after',
      `
Example:
  $ ggml-encoder rank -m reranker.gguf --query "how do plants make food" --documents passages.txt --top-k 3`,
    );
  addWindowOptions(command, 'max');
  addFormatOption(addModelOptions(command, { required: true })).action(async (flags: RankFlags) => rank(flags, io));
}

async function rank(flags: RankFlags, io: Io): Promise<void> {
  const load = CrossEncoder.load.bind(CrossEncoder, flags.model);
  await withModel(flags, io, load, async (crossEncoder) => {
    const ranked = await crossEncoder.rank(flags.query, await readDocuments(flags.documents, io), {
      topK: toApiTopK(flags.topK),
      label: flags.label,
      activation: flags.activation,
      prompt: flags.prompt,
      promptName: flags.promptName,
      maxQueryTokens: flags.maxQueryTokens,
      maxDocumentTokens: flags.maxDocumentTokens,
      windows: toWindows(flags),
      specialTokens: flags.specialTokens,
      returnDocuments: true,
      signal: io.signal,
    });
    const output = Output.open(undefined, io.stdout);
    await output.lines(wantsText(flags, io) ? describeRanking(ranked, io) : ranked.map(rankedLine));
    await output.close();
  });
}

async function readDocuments(path: string, io: Io): Promise<string[]> {
  const stream = openInput(path, io);
  const documents: string[] = [];
  try {
    for await (const batch of records(stream, inputName(path), parseDocumentLine)) {
      documents.push(...batch.map(({ value }) => value));
    }
  } finally {
    stream.destroy();
  }
  return documents;
}

function rankedLine({ index, score, document, tokens, truncated, windows }: RankedDocument): string {
  return JSON.stringify({ index, score, document, tokens, truncated, windows });
}

function describeRanking(ranked: readonly RankedDocument[], io: Io): string[] {
  const paint = painter(io.stdout);
  const rows = ranked.map(({ index, score, document = '', truncated }, place) => [
    `${place + 1}`,
    score.toFixed(4),
    `#${index}`,
    `${shorten(visible(document), SHOWN_DOCUMENT)}${truncated ? ' (cut)' : ''}`,
  ]);
  return table(rows, [0, 1, 2]).map((line, place) => (place === 0 ? paint('bold', line) : line));
}
