/**
 * A chat template as constant texts around query, document and prompt. The places are found with marker texts; that
 * nothing else depends on the texts is tried with texts that trimming, escaping, comparing and the like would show.
 */
import { shown } from '../../support/json';
import type { BoundedTemplate } from './bounded-template';
import { type MessageFormat, pairMessages } from './messages';

export type TextSlot = 'query' | 'document' | 'prompt';

/** `break` holds no text: what stands before it and what stands behind are tokenized each by itself. */
export type Slot = TextSlot | 'break';

/** pieces[0] slots[0] pieces[1] ... slots[n - 1] pieces[n] */
export interface TemplatePieces {
  readonly pieces: readonly string[];
  readonly slots: readonly Slot[];
}

export interface SplitTemplate<Pieces = RenderedPieces> {
  readonly plain: Pieces;
  /** With a prompt; undefined when the template takes none. */
  readonly prompted: Pieces | undefined;
}

/** What a template of the checkpoint renders is tokenized as a whole. */
export interface RenderedPieces extends TemplatePieces {
  readonly slots: readonly TextSlot[];
}

/** How a pair becomes one text for the tokenizer. */
export interface PairTemplate extends SplitTemplate<TemplatePieces> {
  /** Whether an input as long as may be ends in the template's own last tokens. */
  readonly restoresEnd: boolean;
  /** Whether the tokenizer adds its control tokens as to any other text; never beside `restoresEnd`. Default false. */
  readonly addsSpecialTokens?: boolean;
}

/** Query and document between three pieces, as a text like any other. */
export function ordinaryText(pieces: readonly string[]): PairTemplate {
  const plain = { pieces, slots: ['query', 'document'] } as const;
  return { plain, prompted: undefined, restoresEnd: false, addsSpecialTokens: true };
}

export interface TemplateInput {
  readonly template: BoundedTemplate;
  readonly format: MessageFormat;
  /** Variables beside `messages`. */
  readonly variables: Readonly<Record<string, unknown>>;
}

type Texts = Readonly<Record<TextSlot, string>>;

const MAX_SLOTS = 16;
const MAX_PROBES = 400;
/** A comparison of a text's length with a larger number than this would go unseen; no limit of a template is larger. */
const MAX_LENGTH_PROBE = 4096;

const ODD_TEXTS = [
  ' ',
  '\n',
  ' \n both ends \t ',
  '\n\nlines\r\n\nmore\n',
  'UPPER and lower',
  '<b>&amp; "quotes" \'single\' \\n \\ %s {{ x }} {% y %}',
  'ünïcödé → 漢字 😀 e\u0301 \u00a0 \u200b',
  '0',
  '1',
  'none',
  'None',
  'true',
  'False',
  '[]',
  '<think>a</think>b',
  'https://example.org/picture.png',
  'x'.repeat(1025),
];

/** Throws `tokenizer_unsupported` for a template that lets a text do more than stand at its places. */
export function splitTemplate(input: TemplateInput): SplitTemplate {
  const { template } = input;
  const marks = markers(template.source + JSON.stringify(input.variables));
  const rendered = render(input, marks, false);
  if (typeof rendered !== 'string')
    return template.refuse(`it does not take a query and a document: ${rendered.failure}`);
  const plain = locate(input, rendered, marks);
  for (const slot of ['query', 'document'] as const) {
    if (!plain.slots.includes(slot)) {
      template.refuse(
        `the ${slot} is no part of what it renders; sentence-transformers gives it messages of the roles query and document`,
      );
    }
  }
  const withPrompt = render(input, marks, true);
  const prompted = typeof withPrompt === 'string' ? locate(input, withPrompt, marks) : undefined;
  const probes = probeTexts(template);
  checkPieces(input, plain, probes, false);
  if (prompted === undefined) requireNoPrompt(input, probes);
  else checkPieces(input, prompted, probes, true);
  return { plain, prompted };
}

/** `pieces` with the texts in their places. */
function joinPieces({ pieces, slots }: RenderedPieces, texts: Texts): string {
  return slots.reduce((text, slot, index) => text + texts[slot] + pieces[index + 1]!, pieces[0]!);
}

function render({ template, format, variables }: TemplateInput, texts: Texts, withPrompt: boolean) {
  const messages = pairMessages(texts.query, texts.document, withPrompt ? texts.prompt : '', format);
  return template.tryRender({ ...variables, messages });
}

/** Words that the template does not hold and that hold none of each other: with more zeros than it has digits behind `mark`. */
function markers(taken: string): Texts {
  let digits = 0;
  for (const [, run] of taken.matchAll(/mark(\d+)/g)) digits = Math.max(digits, run!.length);
  const salt = '0'.repeat(digits + 1);
  return { query: `query mark${salt}a`, document: `document mark${salt}b`, prompt: `prompt mark${salt}c` };
}

function locate({ template }: TemplateInput, rendered: string, marks: Texts): RenderedPieces {
  const pieces: string[] = [];
  const slots: TextSlot[] = [];
  let begin = 0;
  for (;;) {
    const next = (Object.keys(marks) as TextSlot[])
      .map((slot) => ({ slot, at: rendered.indexOf(marks[slot], begin) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => a.at - b.at)[0];
    if (next === undefined) break;
    if (slots.length === MAX_SLOTS) template.refuse(`it repeats the texts more than ${MAX_SLOTS} times`);
    pieces.push(rendered.slice(begin, next.at));
    slots.push(next.slot);
    begin = next.at + marks[next.slot].length;
  }
  return { pieces: [...pieces, rendered.slice(begin)], slots };
}

function probeTexts(template: BoundedTemplate): string[] {
  const { texts, numbers } = template.literals();
  const lengths = numbers.filter((number) => number > 1 && number <= MAX_LENGTH_PROBE);
  const probes = new Set([
    '',
    ...ODD_TEXTS,
    ...texts.flatMap((text) => [text, `${text}x`, `x${text}`, `x${text}x`, text.toUpperCase(), text.toLowerCase()]),
    ...lengths.flatMap((length) => ['y'.repeat(length - 1), 'y'.repeat(length), 'y'.repeat(length + 1)]),
  ]);
  if (probes.size > MAX_PROBES) template.refuse(`it holds ${texts.length} texts and ${numbers.length} numbers`);
  return [...probes];
}

function checkPieces(
  input: TemplateInput,
  pieces: RenderedPieces,
  probes: readonly string[],
  withPrompt: boolean,
): void {
  const rest = { query: 'a query', document: 'a document', prompt: 'a prompt' };
  for (const probe of probes) {
    const cases: Texts[] = [
      { query: probe, document: probe, prompt: probe },
      { ...rest, query: probe },
      { ...rest, document: probe },
    ];
    if (withPrompt) cases.push({ ...rest, prompt: probe });
    for (const texts of cases) {
      // An empty prompt is none.
      if (withPrompt && texts.prompt === '') continue;
      if (render(input, texts, withPrompt) === joinPieces(pieces, texts)) continue;
      input.template.refuse(
        `what it renders around the texts depends on them, or it changes them; shown by the text ${shown(probe)}`,
      );
    }
  }
}

function requireNoPrompt(input: TemplateInput, probes: readonly string[]): void {
  const taken = probes.find((probe) => {
    return probe !== '' && typeof render(input, { query: 'q', document: 'd', prompt: probe }, true) === 'string';
  });
  if (taken !== undefined) {
    input.template.refuse(`it takes some prompts and not others, such as ${shown(taken)}`);
  }
}
