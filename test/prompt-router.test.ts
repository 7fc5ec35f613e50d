// Prompt routers of LFM2.5's encoders, against the logits of scripts/prompt_router_reference.py.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier, CrossEncoder, ZeroShotClassifier, convert, estimateMemory } from 'ggml-encoder';
import type { ZeroShotOptions } from 'ggml-encoder';

import { type Engine, deviceSlack, engineOptions } from './golden/engines';
import { routerModels, routerTexts, routerTokenizer, writeRouter } from './golden/router-checkpoints';
import type { Changes } from './golden/small-checkpoints';
import { expectToTellApart, overWindows, sigmoid, softmax } from './support/label-scores';
import { refusal } from './support/refusal';
import { temporaryFolder } from './unit/convert/temp-folder';

/** Largest |score - that of float32 logits|. */
const TOLERANCE = 1e-5;
const ENGINES: readonly Engine[] = ['auto', 'portable', 'device'];
const [router] = routerModels as [(typeof routerModels)[number]];

type Scored = { readonly labels: readonly string[]; readonly scores: readonly number[] };

/** Labels by falling score; equal ones that stand in two places have scores of their own. */
function sorted({ labels, scores }: Scored): (readonly [string, number])[] {
  const pairs = labels.map((label, index) => [label, scores[index]!] as const);
  return pairs.sort(([a, x], [b, y]) => (a === b ? y - x : a < b ? -1 : 1));
}

/** The largest difference. */
function worst(ours: Scored, theirs: Scored): number {
  const [mine, expected] = [sorted(ours), sorted(theirs)];
  expect(mine.map(([label]) => label)).toEqual(expected.map(([label]) => label));
  return Math.max(...mine.map(([, score], index) => Math.abs(score - expected[index]![1])));
}

async function load(folder: string, options = {}): Promise<ZeroShotClassifier> {
  return ZeroShotClassifier.load(folder, { device: 'cpu', cacheDir: temporaryFolder(), ...options });
}

describe.each(routerModels)('$name', (model) => {
  const { calls, drawn, maxLength, windows } = model;

  it.each(ENGINES)('has the tokens and scores of the reference: %s', async (engine) => {
    await using classifier = await load(writeRouter(model), engineOptions(engine));
    expect(classifier.info).toMatchObject({
      labels: [],
      numLabels: 0,
      maxLength,
      sourceClass: 'Lfm2BidirForSequenceRouting',
    });
    const bound = TOLERANCE + deviceSlack(engine);
    for (const { labels, rows } of calls) {
      const alone = await classifier.classify(routerTexts, labels, { multiLabel: true });
      const together = await classifier.classify(routerTexts, labels);
      for (const [index, { ids, logits }] of rows.entries()) {
        expect(alone[index]).toMatchObject({ tokens: ids.length, truncated: false });
        expect(worst(alone[index]!, { labels, scores: logits.map(sigmoid) })).toBeLessThan(bound);
        const expected = labels.length === 1 ? logits.map(sigmoid) : softmax(logits);
        expect(worst(together[index]!, { labels, scores: expected })).toBeLessThan(bound);
      }
    }
  });

  it('finds labels and texts of any characters by the tokens that the reference does', async () => {
    await using classifier = await load(writeRouter(model));
    const options: ZeroShotOptions = { multiLabel: true, specialTokens: 'parse' };
    const results = await classifier.classify(
      drawn.map(({ text }) => text),
      drawn.map(({ labels }) => labels),
      options,
    );
    for (const [index, { labels, text, ids, logits }] of drawn.entries()) {
      expect(results[index], text).toMatchObject({ tokens: ids.length });
      expect(worst(results[index]!, { labels, scores: logits.map(sigmoid) }), text).toBeLessThan(TOLERANCE);
    }
  });

  it('reads texts that are too long in windows, each with all labels', async () => {
    await using classifier = await load(writeRouter(model), { maxLength: windows.maxLength });
    const { labels } = calls[0]!;
    const text = routerTexts.at(-1)!;
    expect(windows.rows.length).toBeGreaterThan(1);
    for (const aggregate of ['max', 'mean', 'first'] as const) {
      const options = { multiLabel: true, windows: { overlap: windows.overlap, aggregate } };
      const result = await classifier.classify(text, labels, options);
      const logits = overWindows(windows.rows, aggregate);
      expect(worst(result, { labels, scores: logits.map(sigmoid) }), aggregate).toBeLessThan(TOLERANCE);
      expect(result.truncated, aggregate).toBe(aggregate === 'first');
    }
  });

  it('tells texts and labels apart, or the comparison would show nothing', () => {
    expectToTellApart(calls);
  });
});

describe('a prompt router', () => {
  const [first, , last] = router.calls as [(typeof router.calls)[number], unknown, (typeof router.calls)[number]];

  it('gives a text the same scores whatever its batch-mates, their labels and the threads', async () => {
    const folder = writeRouter(router);
    const cacheDir = temporaryFolder();
    const lists = routerTexts.map((_, index) => (index % 2 === 0 ? first.labels : last.labels));
    const expected: unknown[] = [];
    for (const threads of [1, 3]) {
      await using classifier = await load(folder, { threads, cacheDir });
      const alone = await Promise.all(
        routerTexts.map(async (text, index) => classifier.classify(text, lists[index]!, { multiLabel: true })),
      );
      expected.push(alone);
      expect(await classifier.classify(routerTexts, lists, { multiLabel: true })).toEqual(alone);
      const streamed = [];
      for await (const result of classifier.classifyStream(routerTexts, first.labels)) streamed.push(result);
      expect(streamed).toEqual(await classifier.classify(routerTexts, first.labels));
    }
    expect(expected[1]).toEqual(expected[0]);
  });

  it.each(['bf16', 'q8_0'] as const)('runs in %s close to f32', async (type) => {
    await using classifier = await load(writeRouter(router), { type });
    const { labels, rows } = first;
    const results = await classifier.classify(routerTexts, labels, { multiLabel: true });
    for (const [index, { logits }] of rows.entries()) {
      expect(worst(results[index]!, { labels, scores: logits.map(sigmoid) })).toBeLessThan(0.1);
    }
  });

  it('runs in a process of its own, and says what memory it takes', async () => {
    const output = join(temporaryFolder(), 'm.gguf');
    await convert(writeRouter(router), { output });
    await using classifier = await load(output, { isolation: 'process' });
    const { labels, rows } = first;
    const result = await classifier.classify(routerTexts[0]!, labels);
    expect(worst(result, { labels, scores: softmax(rows[0]!.logits) })).toBeLessThan(TOLERANCE);
    const estimate = await estimateMemory(output);
    expect(estimate.bytesPerThread).toBeGreaterThan(0);
  });

  it('has a scale of 30 at most', async () => {
    const scaled = writeRouter(router, {
      tensors: (tensors) =>
        (tensors['logit_scale'] = { shape: [], data: new Uint8Array(new Float32Array([9]).buffer) }),
    });
    await using plain = await load(writeRouter(router));
    await using largest = await load(scaled);
    const [text] = routerTexts as [string];
    const options = { multiLabel: true };
    const one = await plain.classify(text, ['a b', 'refund'], options);
    const other = await largest.classify(text, ['a b', 'refund'], options);
    const logit = (score: number): number => Math.log(score / (1 - score));
    // Scale and bias of the fixture, whose values go by its seed.
    const [scale, bias] = [Math.exp(1.3904650211334229), -0.23524002730846405];
    const cosines = sorted(one).map(([, score]) => (logit(score) - bias) / scale);
    const others = sorted(other).map(([, score]) => (logit(score) - bias) / 30);
    expect(Math.max(...cosines.map(Math.abs))).toBeLessThan(0.5);
    for (const [index, cosine] of cosines.entries()) expect(others[index]).toBeCloseTo(cosine, 4);
  });

  it('takes control tokens in texts and labels for text', async () => {
    await using classifier = await load(writeRouter(router));
    const forged = 'x <|im_end|> y';
    const plain = await classifier.classify(forged, ['a <|im_end|>', 'b'], { multiLabel: true });
    const parsed = await classifier.classify(forged, ['a <|im_end|>', 'b'], {
      multiLabel: true,
      specialTokens: 'parse',
    });
    expect(parsed.tokens).toBeLessThan(plain.tokens);
    expect(parsed.scores).not.toEqual(plain.scores);
    for (const [text, label] of [
      [forged, 'b'],
      ['x', '<|im_end|>'],
    ] as const) {
      const error = await refusal(classifier.classify(text, [label], { specialTokens: 'error' }));
      expect(error).toMatchObject({ code: 'input_invalid', message: expect.stringContaining('<|im_end|>') as unknown });
    }
  });

  it('refuses a control token that takes in spaces where it is one, and not where it is text', async () => {
    const content = '<|endoftext|>';
    const tokens = routerTokenizer['added_tokens'] as readonly { content: string }[];
    const widened = tokens.map((token) => ({ ...token, lstrip: token.content === content }));
    const files = { 'tokenizer.json': { ...routerTokenizer, added_tokens: widened } };
    await using classifier = await load(writeRouter(router, { files }));
    await using plain = await load(writeRouter(router));
    const text = `x ${content}`;
    expect(await classifier.classify(text, first.labels)).toEqual(await plain.classify(text, first.labels));
    const error = await refusal(classifier.classify(text, first.labels, { specialTokens: 'parse' }));
    expect(error).toMatchObject({ code: 'input_invalid', message: expect.stringContaining(content) as unknown });
  });

  it('cuts the text alone, at the end that is asked for', async () => {
    await using classifier = await load(writeRouter(router));
    const [text, tail] = [routerTexts.at(-1)!, ' and a long tail of other words behind it all'];
    const options = { multiLabel: true, maxLength: 60 };
    const cut = await classifier.classify(text + tail, first.labels, options);
    expect(cut).toMatchObject({ tokens: 60, truncated: true });
    expect(await classifier.classify(text, first.labels, options)).toEqual(cut);
    const left = await classifier.classify(text + tail, first.labels, { ...options, truncationSide: 'left' });
    expect(left).toMatchObject({ tokens: 60, truncated: true });
    expect(left.scores).not.toEqual(cut.scores);
    expect(
      await classifier.classify(`other words ${text}${tail}`, first.labels, { ...options, truncationSide: 'left' }),
    ).toEqual(left);
  });

  it('counts a token that the text begins in the middle of with the labels, and reads it with the text', async () => {
    await using classifier = await load(writeRouter(router));
    const text = `\n\n${routerTexts.at(-1)!}`;
    const whole = await classifier.classify(text, ['a', 'b']);
    // Line breaks join the colon before them.
    const without = await classifier.classify(routerTexts.at(-1)!, ['a', 'b']);
    expect(whole.tokens).toBe(without.tokens);
    expect(whole.scores).not.toEqual(without.scores);
    const cut = { maxLength: 40, truncationSide: 'left' } as const;
    expect((await classifier.classify(text, ['a', 'b'], cut)).scores).not.toEqual(
      (await classifier.classify(routerTexts.at(-1)!, ['a', 'b'], cut)).scores,
    );
  });

  it('refuses labels that fill it', async () => {
    await using classifier = await load(writeRouter(router));
    const labels = Array.from({ length: 300 }, (_, index) => `label ${index}`);
    expect(await refusal(classifier.classify(['a', 'b'], labels))).toMatchObject({
      code: 'input_too_long',
      message: expect.stringMatching(/the labels take \d{4} tokens.*no room for the text within 400/) as unknown,
    });
    const error = await refusal(classifier.classify('a', first.labels, { maxLength: 19 }));
    expect(error.message).toContain('the labels take 18 tokens');
    expect(await classifier.classify('a b', first.labels, { maxLength: 20 })).toMatchObject({ tokens: 20 });
    expect((await classifier.classify('a', ['b'])).label).toBe('b');
  });

  it('refuses what is for NLI models, and other classes', async () => {
    const folder = writeRouter(router);
    const cacheDir = temporaryFolder();
    await expect(load(folder, { cacheDir, entailment: 'x' })).rejects.toThrow('options.entailment');
    await expect(load(folder, { cacheDir, labels: ['x'] })).rejects.toThrow('options.labels');
    await using classifier = await load(folder, { cacheDir });
    await expect(classifier.classify('a', ['b'], { hypothesisTemplate: 'It is {}.' })).rejects.toThrow(
      'options.hypothesisTemplate',
    );
    for (const labels of [[], [''], [' \n']]) await expect(classifier.classify('a', labels)).rejects.toThrow('labels');
    for (const other of [Classifier, CrossEncoder]) {
      expect(await refusal(other.load(folder, { cacheDir }))).toMatchObject({
        code: 'architecture_unsupported',
        message: expect.stringContaining('ZeroShotClassifier') as unknown,
      });
    }
  });

  const tokenizer = (changes: object): Changes => ({ files: { 'tokenizer.json': { ...routerTokenizer, ...changes } } });
  const steps = (routerTokenizer['pre_tokenizer'] as { pretokenizers: object[] }).pretokenizers;
  const preTokenizer = (...pretokenizers: object[]) =>
    tokenizer({ pre_tokenizer: { type: 'Sequence', pretokenizers } });
  const processor = (routerTokenizer['post_processor'] as { processors: object[] }).processors;
  const bpe = routerTokenizer['model'] as { vocab: Record<string, number> };
  const added = (changes: object) => {
    const tokens = routerTokenizer['added_tokens'] as object[];
    return tokenizer({ added_tokens: [...tokens.slice(0, -1), { ...tokens.at(-1), ...changes }] });
  };
  const variants: readonly [string, Changes, code: string, message: string][] = [
    [
      'a head for every token',
      { config: { architectures: ['Lfm2BidirForRuleMatching'] } },
      'architecture_unsupported',
      'Lfm2BidirForRuleMatching scores every token',
    ],
    ['another size', { config: { rule_proj_dim: 32 } }, 'tensor_shape_mismatch', 'tok_proj.weight'],
    ['another encoder', { config: { model_type: 'llama' } }, 'architecture_unsupported', 'the model_type is llama'],
    [
      'no projection',
      { tensors: (tensors) => delete tensors['rule_proj.weight'] },
      'tensor_missing',
      'rule_proj.weight',
    ],
    ['no scale', { tensors: (tensors) => delete tensors['logit_scale'] }, 'tensor_missing', 'logit_scale'],
    [
      'a tensor more',
      { tensors: (tensors) => (tensors['more.weight'] = { shape: [1], data: new Uint8Array(4) }) },
      'architecture_unsupported',
      'more.weight',
    ],
    ['modules', { files: { 'modules.json': [] } }, 'checkpoint_malformed', 'modules.json'],
    ['a normalizer', tokenizer({ normalizer: { type: 'NFC' } }), 'tokenizer_unsupported', 'a normalizer, "NFC"'],
    ['no bytes', preTokenizer(steps[0]!), 'tokenizer_unsupported', 'no pre-tokenizer ByteLevel'],
    [
      'a space before texts',
      preTokenizer(steps[0]!, { ...steps[1], add_prefix_space: true }),
      'tokenizer_unsupported',
      'add_prefix_space',
    ],
    [
      'something left out',
      preTokenizer({ ...steps[0], behavior: 'Removed' }, steps[1]!),
      'tokenizer_unsupported',
      'leaves out',
    ],
    ['words', preTokenizer({ type: 'Whitespace' }, steps[1]!), 'tokenizer_unsupported', '"Whitespace"'],
    [
      'offsets without spaces',
      tokenizer({
        post_processor: { type: 'Sequence', processors: [{ ...processor[0], trim_offsets: true }, processor[1]] },
      }),
      'tokenizer_unsupported',
      'trim_offsets',
    ],
    [
      'a byte too few',
      tokenizer({ model: { ...bpe, vocab: without(bpe.vocab, '\u00c3') } }),
      'tokenizer_unsupported',
      '195',
    ],
    ['ends of words', tokenizer({ model: { ...bpe, end_of_word_suffix: '</w>' } }), 'tokenizer_unsupported', 'suffix'],
    ['a token with spaces', added({ lstrip: true, special: false }), 'tokenizer_unsupported', 'takes in spaces'],
    [
      'a token of other bytes',
      added({ content: '\u00e9', id: bpe.vocab['\u00e9'] }),
      'tokenizer_unsupported',
      'as bytes',
    ],
  ];

  it.each(variants)('is refused with %s', async (_, changes, code, message) => {
    const error = await refusal(convert(writeRouter(router, changes), { output: join(temporaryFolder(), 'm.gguf') }));
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) as unknown });
  });
});

/** The merges with it are never reached. */
function without(vocab: Readonly<Record<string, number>>, token: string): Record<string, number> {
  return Object.fromEntries(Object.entries(vocab).map(([known, id]) => [known === token ? `<${token}>` : known, id]));
}
