/** A tokenizer.json made up from a plain vocabulary: vocab.txt, vocab.json with merges.txt, or vocab.txt with bpe.codes. */
import { EncoderError } from '../../errors';
import { type JsonObject, shown } from '../../support/json';
import { PYTHON_SPACES, RUST_SPACES, pythonWords, stripEnd, stripStart } from '../../support/white-space';
import { MAX_MERGES, MAX_VOCAB_SIZE } from '../limits';
import { object, tokenizerDocument } from './tokenizer-components';
import type { Vocabulary } from './vocabulary';

/** Of Python's text files. */
const ANY_BREAK = /\r\n|\r|\n/;

/** What transformers' BertTokenizer makes of a vocab.txt, without added tokens and post-processor. */
export function synthesize(vocabulary: string, normalizer: JsonObject, unkToken: string, path: string): JsonObject {
  return tokenizerDocument({
    normalizer,
    pre_tokenizer: object({ type: 'BertPreTokenizer' }),
    decoder: object({ type: 'WordPiece', prefix: '##', cleanup: true }),
    model: object({
      type: 'WordPiece',
      unk_token: unkToken,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: readVocabularyText(vocabulary, path),
    }),
  });
}

/** What a class of byte-level BPE finds in vocab.json and merges.txt; the class builds the rest. */
export function synthesizeBpe(vocabulary: JsonObject, merges: string, path: string): JsonObject {
  const lines = linesOf(merges, '\n', MAX_MERGES, path).filter((line) => line !== '' && !line.startsWith('#version'));
  const pairs = lines.map((line, number) => {
    const pair = line.replace(/\r$/, '').split(' ', 3);
    if (pair.length === 2) return pair;
    throw new EncoderError('checkpoint_malformed', `${path}: merge ${number + 1} is not two tokens`);
  });
  return tokenizerDocument({
    decoder: object({ type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true }),
    model: object({ type: 'BPE', vocab: vocabulary, merges: pairs }),
  });
}

/**
 * What the classes of subword-nmt find in vocab.txt, a token and its count in each line, behind `first`, and in bpe.codes, two
 * symbols and a count; read as Python does.
 */
export function synthesizeSubwords(
  files: { readonly vocabulary: string; readonly codes: string },
  first: readonly string[],
  folder: string,
): JsonObject {
  const path = `${folder}/vocab.txt`;
  const malformed = (number: number, reason: string) =>
    new EncoderError('checkpoint_malformed', `${path}: line ${number + 1} ${reason}`);
  const vocab = object({});
  const lines = vocabularyLines(files.vocabulary, ANY_BREAK, path);
  const merges = readCodes(files.codes, `${folder}/bpe.codes`);
  // Python reads them, and every word is then unknown, or none is more than characters.
  if (lines.length === 0) throw new EncoderError('checkpoint_malformed', `${path} holds no tokens`);
  if (merges.length === 0) throw new EncoderError('checkpoint_malformed', `${folder}/bpe.codes holds no merges`);
  const tokens = lines.map((line, number) => {
    const entry = stripEnd(stripStart(line, PYTHON_SPACES), PYTHON_SPACES);
    if (!entry.includes(' ')) throw malformed(number, 'is no token with its count');
    return entry.slice(0, entry.lastIndexOf(' '));
  });
  [...first, ...tokens].forEach((token, id) => {
    if (token in vocab) throw malformed(id - first.length, `holds ${shown(token, 40)} again`);
    vocab[token] = id;
  });
  return tokenizerDocument({ model: object({ type: 'BPE', vocab, merges }) });
}

/** What stands behind the last line break is no line; one without two symbols and a count merges nothing. */
function readCodes(text: string, path: string): [string, string][] {
  return linesOf(text, ANY_BREAK, MAX_MERGES, path)
    .slice(0, -1)
    .flatMap((line) => {
      const [left, right, ...rest] = pythonWords(line, 4);
      return left !== undefined && right !== undefined && rest.length === 1 ? [[left, right]] : [];
    });
}

/** Those of a vocab.txt; the line break of the last line begins no other. */
function vocabularyLines(text: string, lineBreak: string | RegExp, path: string): string[] {
  const lines = linesOf(text, lineBreak, MAX_VOCAB_SIZE, path);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** At most `most` lines and what stands behind them; no list of JavaScript's holds all that a file could have. */
function linesOf(text: string, lineBreak: string | RegExp, most: number, path: string): string[] {
  const lines = text.split(lineBreak, most + 2);
  if (lines.length <= most || (lines.length === most + 1 && lines[most] === '')) return lines;
  throw new EncoderError('limit_exceeded', `${path} has more than ${most} lines`);
}

/** One token per line, which the tokenizers library cuts as Rust does, its id the line's number; of two equal lines the later one holds. */
function readVocabularyText(text: string, path: string): JsonObject {
  const vocabulary = object({});
  // What blank lines at the end are is for dropLastEmptyToken() to say.
  vocabularyLines(text, '\n', path).forEach((line, id) => {
    vocabulary[stripEnd(line, RUST_SPACES)] = id;
  });
  return vocabulary;
}

/**
 * Further blank lines at the end of a vocab.txt: no text has such a token and no row of the model stands for it. They count,
 * though, where the tokens that are added get their ids: `tokens` are those of the whole tokenizer, by id.
 */
export function dropLastEmptyToken(json: JsonObject, { model, ids }: Vocabulary, tokens: Map<number, string>): void {
  const empty = ids.get('');
  if (model !== 'WordPiece' || empty === undefined || [...ids.values()].some((id) => id > empty)) return;
  delete ((json['model'] as JsonObject)['vocab'] as JsonObject)[''];
  // With several such lines an added token may have taken the place.
  if (tokens.get(empty) === '') tokens.delete(empty);
}
