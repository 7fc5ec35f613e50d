/** Language models that are no rerankers, or whose templates and modules ask for what is not supported. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { readGgufHead } from '../../../src/gguf/reader';
import { convert } from '../../../src/convert/convert';
import { type CausalChanges, causalModel, writeCausal } from '../../golden/causal-checkpoints';
import { smallTokenizer } from '../../golden/small-checkpoints';
import { writeMicro } from './micro-checkpoint';
import { floats, temporaryFolder } from './temp-folder';

const plain = causalModel('qwen3-turns');
const saved = causalModel('qwen3-saved');
const TEMPLATE = 'chat_template.jinja';
const BOTH = '{{ messages[-2].content }} / {{ messages[-1].content }}';

const LONG = `{% set x = "${'a'.repeat(20_000)}" %}`;

function listOf(element: string): string {
  return `[${Array<string>(300).fill(element).join(',')}]`;
}

/** v0 holds numbers, each further one the list before it over and over. */
function listsInLists(levels: number): string {
  const set = (level: number) => `{% set v${level} = ${listOf(level === 0 ? '1' : `v${level - 1}`)} %}`;
  return Array.from({ length: levels + 1 }, (_, level) => set(level)).join('');
}

async function converted(model = plain, changes: CausalChanges = {}) {
  return convert(writeCausal(model, changes), { output: join(temporaryFolder(), 'out.gguf') });
}

async function refusal(changes: CausalChanges, model = plain): Promise<string> {
  return converted(model, changes).then(
    () => 'converted',
    (error: unknown) => {
      const { code, message } = error as { code: string; message: string };
      return `${code}: ${message}`;
    },
  );
}

describe('a chat template', () => {
  it.each([
    ['trims', '{{ messages[0].content | trim }} {{ messages[1].content }}'],
    ['replaces', '{{ messages[0].content }} {{ messages[1].content | replace("ae", "e") }}'],
    ['escapes', '{{ messages[0].content | tojson }} {{ messages[1].content }}'],
    ['cuts', '{{ messages[0].content[:3000] }} {{ messages[1].content }}'],
    ['looks for a word', `${BOTH}{% if "weather" in messages[1].content %}!{% endif %}`],
    ['looks at the beginning', `${BOTH}{% if messages[0].content.startswith("Task:") %}!{% endif %}`],
    ['splits', '{{ messages[0].content }} {{ messages[1].content.split("</think>")[-1] }}'],
    ['compares', `${BOTH}{% if messages[0].content == messages[1].content %}!{% endif %}`],
    ['counts', `${BOTH}{% if messages[1].content | length > 700 %}!{% endif %}`],
    ['asks whether there is a text', `${BOTH}{% if messages[1].content %}!{% endif %}`],
    ['changes the prompt', `{% if messages[2] %}{{ messages[0].content | lower }}{% endif %}${BOTH}`],
  ])('that %s is refused', async (_, template) => {
    expect(await refusal({ files: { [TEMPLATE]: template } })).toMatch(/^tokenizer_unsupported: .*depends on them/);
  });

  it('that writes lists out is refused', async () => {
    const template = '{# "type" #}{{ messages[0].content }} {{ messages[1].content }}';
    expect(await refusal({ files: { [TEMPLATE]: template } })).toMatch(
      /^tokenizer_unsupported: .*no text \(ArrayValue\)/,
    );
  });

  it.each([
    ['no end', '{% for i in range(1000000000) %}x{% endfor %}', 'counts from 0'],
    [
      'loops in loops',
      `{% for i in range(2000) %}${'{% for j in range(2000) %}'.repeat(3)}${'{% endfor %}'.repeat(4)}`,
      'steps',
    ],
    ['endless recursion', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}', 'does not take'],
    [
      'a text that doubles',
      `{% set n = namespace(s="x") %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}`,
      'characters',
    ],
    [
      'a list that doubles',
      `{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}`,
      'elements',
    ],
    ['lists in lists in lists', `${listsInLists(4)}{{ v4 }}`, 'without end'],
    ['lists in lists that are compared', `${listsInLists(4)}{{ v4 == "" }}`, 'without end'],
    [
      'a list that a namespace makes longer',
      `{% set n = namespace(a=1) %}{% set list = ${listOf('n')} %}{% set n.a = ${listOf('1')} %}{{ list }}`,
      'a namespace into a list',
    ],
    ['a list in a list in a list', `{% set v = [] %}${'{% set v = [v] %}'.repeat(40)}`, 'into one another'],
    ['a text that multiplies in a filter', `${LONG}{{ x | replace("a", x) | length }}`, 'at once'],
    ['a text that multiplies in a method', `${LONG}{{ x.replace("a", x) | length }}`, 'at once'],
    ['a text between letters', `${LONG}{{ x | join(x) | length }}`, 'at once'],
    ['a wide margin', `${LONG}{{ x | indent(100000, true) | length }}`, 'at once'],
    ['a wide margin in JSON', `${listsInLists(0)}{{ v0 | tojson(indent=100000) | length }}`, 'at once'],
    ['a size beyond all use', `{#${'x'.repeat(30_000)}#}${BOTH}`, 'characters'],
    ['an open block', '{% if x %}', 'cannot be read'],
    ['an unknown filter', '{{ messages | shuffle }}', 'shuffle'],
    ['the time of day', `{{ strftime_now("%Y") }}${BOTH}`, 'time of day'],
    ['an exception', '{{ raise_exception("only users") }}', 'only users'],
    ['no place for a document', '{{ messages[0].content }}', 'document'],
    [
      'no place for these roles',
      '{% for m in messages %}{% if m.role == "user" %}{{ m.content }}{% endif %}{% endfor %}',
      'query',
    ],
    ['too many places', BOTH.repeat(9), 'more than 16 times'],
    [
      'a prompt that it takes at times',
      `{% if messages[0].role == "system" and messages[0].content != "go" %}{{ raise_exception("no") }}{% endif %}${BOTH}`,
      'some prompts',
    ],
  ])('with %s is refused', async (_, template, message) => {
    const start = performance.now();
    const told = await refusal({ files: { [TEMPLATE]: template } });
    expect(told).toMatch(/^tokenizer_unsupported: the chat template .*chat_template\.jinja is not supported/);
    expect(told).toContain(message);
    expect(performance.now() - start).toBeLessThan(30_000);
  });

  it('is found in either file, by itself or as the default of several', async () => {
    const config = (template: unknown) => ({
      files: { [TEMPLATE]: undefined, 'tokenizer_config.json': { ...plain.tokenizerConfig, chat_template: template } },
    });
    expect(await refusal(config('{{ nothing }}'))).toContain('tokenizer_config.json');
    expect(await refusal(config([{ name: 'other', template: BOTH }]))).toMatch(/^checkpoint_malformed: .*default/);
    const parts = '{{ messages[-2].content[0].text }} / {{ messages[-1].content[0].text }}';
    expect(await refusal(config([{ name: 'default', template: parts }]))).toBe('converted');
    expect(await refusal({ files: { [TEMPLATE]: BOTH } })).toBe('converted');
  });
});

describe('a language model', () => {
  it('without the words yes and no is refused', async () => {
    const characters = Object.keys((smallTokenizer['model'] as { vocab: Record<string, number> }).vocab);
    const vocab = Object.fromEntries(
      characters.filter((token) => token.length === 1 || token.startsWith('<|')).map((token, id) => [token, id]),
    );
    const added = (smallTokenizer['added_tokens'] as { content: string; id: number }[]).filter(
      ({ content }) => content in vocab,
    );
    const tokenizer = { ...smallTokenizer, model: { type: 'BPE', vocab, merges: [] }, added_tokens: added };
    const told = await refusal({ files: { 'tokenizer.json': { ...tokenizer, post_processor: plain.postProcessor } } });
    expect(told).toMatch(/^architecture_unsupported: .*"yes" and "no"/);
  });

  it('has its own head, or that of its embeddings where they are one', async () => {
    const untied = await refusal({ config: { tie_word_embeddings: false } });
    expect(untied).toMatch(/^tensor_missing: .*lm_head\.weight/);
    const { shape } = { shape: plain.tensors['model.embed_tokens.weight']! };
    const other = { shape, data: floats(...Array<number>(shape[0]! * shape[1]!).fill(0.5)) };
    const differing = await refusal({ tensors: (tensors) => (tensors['lm_head.weight'] = other) });
    expect(differing).toMatch(/^architecture_unsupported: .*lm_head\.weight/);
    const same = await refusal({
      tensors: (tensors) => (tensors['lm_head.weight'] = tensors['model.embed_tokens.weight']!),
    });
    expect(same).toBe('converted');
  });

  it('is refused for what no logits can be bent or multiplied by', async () => {
    const cap = await refusal({ config: { final_logit_softcapping: 0 } }, causalModel('gemma2-turns'));
    expect(cap).toMatch(/^checkpoint_malformed: .*final_logit_softcapping/);
    const granite = causalModel('granite-texts');
    expect(await refusal({ config: { residual_multiplier: 0.001 } }, granite)).toMatch(
      /^architecture_unsupported: .*residual_multiplier/,
    );
    expect(await refusal({ config: { logits_scaling: 0 } }, granite)).toMatch(
      /^checkpoint_malformed: .*logits_scaling/,
    );
  });

  it('keeps the rows of both tokens where their logits are capped, and one where they are not', async () => {
    const rows = async (changes: CausalChanges, name: string) => {
      const path = join(temporaryFolder(), 'out.gguf');
      await convert(writeCausal(causalModel(name), changes), { output: path });
      const { tensors } = await readGgufHead(path);
      return tensors.find((tensor) => tensor.name === 'cls.output.weight')!.ne;
    };
    expect(await rows({}, 'gemma2-turns')).toEqual([48, 2]);
    expect(await rows({ config: { final_logit_softcapping: null } }, 'gemma2-turns')).toEqual([48, 1]);
    expect(await rows({}, 'gemma2-saved-one-token')).toEqual([48, 1]);
    expect(await rows({}, 'gemma3-saved-turns')).toEqual([48, 1]);
  });
});

describe('modules.json with a LogitScore', () => {
  const SCORE = '1_LogitScore/config.json';
  const [transformer, score] = saved.files['modules.json'] as Record<string, unknown>[];
  const settings = saved.files['sentence_bert_config.json'] as Record<string, unknown>;
  const tokens = saved.files[SCORE] as Record<string, unknown>;

  const ofTransformer: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ transformer_task: 'any-to-any' }, 'any-to-any'],
    [{ transformer_task: null }, 'feature-extraction'],
    [{ module_output_name: 'logits' }, 'LogitScore reads'],
    [{ modality_config: {} }, 'neither text nor messages'],
    [{ modality_config: { message: { method: 'generate', method_output_name: 'logits' } } }, 'forward'],
    [{ modality_config: { message: { method: 'forward', method_output_name: 'logits', format: 'x' } } }, 'format'],
    [{ processing_kwargs: { text: { max_length: 12 } } }, 'text.max_length'],
    [{ processing_kwargs: { chat_template: { continue_final_message: true } } }, 'continue_final_message'],
    [{ config_kwargs: { tie_word_embeddings: false } }, 'tie_word_embeddings'],
    [{ tokenizer_args: { model_max_length: 20 } }, 'model_max_length'],
  ];
  const cases: readonly (readonly [path: string, content: unknown, code: string, message: string])[] = [
    [SCORE, undefined, 'checkpoint_not_found', 'LogitScore'],
    [SCORE, { ...tokens, true_token_id: null }, 'checkpoint_malformed', 'true_token_id'],
    [SCORE, { ...tokens, true_token_id: 'yes' }, 'checkpoint_malformed', 'true_token_id'],
    [SCORE, { ...tokens, false_token_id: -1 }, 'checkpoint_malformed', 'false_token_id'],
    [SCORE, { ...tokens, false_token_id: 1_000_000 }, 'checkpoint_malformed', 'vocab_size'],
    [SCORE, { ...tokens, temperature: 2 }, 'checkpoint_malformed', 'temperature'],
    [SCORE, { ...tokens, module_input_name: 'scores' }, 'checkpoint_malformed', 'scores'],
    ['modules.json', [transformer], 'architecture_unsupported', 'no LogitScore'],
    ['modules.json', [score, transformer], 'architecture_unsupported', 'LogitScore, Transformer'],
    ['modules.json', [transformer, { ...score, path: '' }], 'checkpoint_malformed', 'folder of its own'],
    ['modules.json', [transformer, { ...score, path: '../x' }], 'checkpoint_malformed', '../x'],
    ['config_sentence_transformers.json', {}, 'architecture_unsupported', 'model_type is absent'],
    ['chat_template.jinja', undefined, 'architecture_unsupported', 'no chat template'],
    ...ofTransformer.map(
      ([change, message]) => ['sentence_bert_config.json', { ...settings, ...change }, 'any', message] as const,
    ),
  ];

  it.each(cases)('is refused where it asks for something else: %s %j', async (path, content, code, message) => {
    const told = await refusal({ files: { [path]: content } }, saved);
    expect(told).toMatch(
      code === 'any' ? /^(architecture_unsupported|checkpoint_malformed): / : new RegExp(`^${code}: `),
    );
    expect(told).toContain(message);
  });

  it('converts as it was saved, and not with a classifier', async () => {
    expect(await refusal({}, saved)).toBe('converted');
    const folder = writeMicro({ files: { 'modules.json': JSON.stringify([transformer, score]) } });
    const attempt = convert(folder, { output: join(temporaryFolder(), 'out.gguf') });
    await expect(attempt).rejects.toMatchObject({ code: 'architecture_unsupported' });
    await expect(attempt).rejects.toThrow('LogitScore');
  });
});
