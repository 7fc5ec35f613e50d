// Files as people have them: what transformers 5 takes and makes something of that is well defined.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { type ConvertResult, convert } from '../../../src/convert/convert';
import { readGgufHead } from '../../../src/gguf/reader';
import { parseJson } from '../../../src/support/json';
import { type MicroOptions, type Tensors, counted, writeMicro } from './micro-checkpoint';
import { temporaryFolder } from './temp-folder';

function converted(micro: MicroOptions): Promise<ConvertResult> {
  return convert(writeMicro(micro), { output: join(temporaryFolder(), 'out.gguf') });
}

/** Warnings of the micro checkpoint with what is odd, beyond those without it. */
async function warningsOf(micro: MicroOptions): Promise<readonly string[]> {
  const plain = new Set((await converted({})).warnings);
  return (await converted(micro)).warnings.filter((warning) => !plain.has(warning));
}

describe('the class', () => {
  it('may be a plain string', async () => {
    expect(await warningsOf({ config: { architectures: 'BertForSequenceClassification' } })).toEqual([]);
  });

  it.each(['BertModel', 'BertForMaskedLM', 'BertForPreTraining'])(
    'may be that of the pretraining, %s, where the head of a classifier is there',
    async (name) => {
      const warnings = await warningsOf({ config: { architectures: [name] } });
      expect(warnings).toEqual([expect.stringContaining(name)]);
      expect(warnings[0]).toContain('BertForSequenceClassification');
    },
  );

  it.each<[string, (tensors: Tensors) => void]>([
    ['its last layer', (all) => delete all['classifier.weight']],
    ['the pooler', (all) => delete all['bert.pooler.dense.weight']],
  ])('is refused as what it says without %s', async (_, tensors) => {
    const attempt = converted({ config: { architectures: ['BertModel'] }, tensors });
    await expect(attempt).rejects.toMatchObject({ code: 'architecture_unsupported' });
    await expect(attempt).rejects.toThrow(/BertModel.*another head/);
  });
});

describe('tensors', () => {
  it('of other heads are passed over, and told', async () => {
    const warnings = await warningsOf({
      tensors: (all) => {
        all['lm_head.weight'] = counted(10, 4);
        all['qa_outputs.bias'] = counted(2);
        all['module.vocab_projector.bias'] = counted(10);
      },
    });
    expect(warnings).toEqual([
      'tensors of other heads are passed over, as in transformers: lm_head.weight, module.vocab_projector.bias, qa_outputs.bias',
    ]);
  });

  it('of a pooler that DistilBERT has no use for are passed over', async () => {
    const tensors = (all: Tensors) => (all['pooler.dense.bias'] = counted(4));
    const { warnings } = await converted({ family: 'distilbert', tensors });
    expect(warnings.join()).toContain('pooler.dense.bias');
  });

  it('that count positions are none', async () => {
    const ids = { dtype: 'I64', shape: [1, 16], data: new Uint8Array(128) };
    expect(await warningsOf({ tensors: (all) => (all['position_ids'] = ids) })).toEqual([]);
  });
});

describe('config.json', () => {
  it.each([0, 1e-13, 1e-20])('may have the epsilon %d', async (layer_norm_eps) => {
    const output = join(temporaryFolder(), 'out.gguf');
    await convert(writeMicro({ config: { layer_norm_eps } }), { output });
    const found = (await readGgufHead(output)).metadata.get('bert.attention.layer_norm_epsilon')?.value;
    expect(found).toBe(Math.fround(layer_norm_eps));
  });

  it('is read as Python reads it', async () => {
    const config = (text: string) => ({ files: { 'config.json': text } });
    const plain = JSON.stringify({
      architectures: ['BertForSequenceClassification'],
      model_type: 'bert',
      vocab_size: 10,
      hidden_size: 4,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      intermediate_size: 8,
      max_position_embeddings: 16,
    });
    const odd = plain.replace('{', '{"hidden_size": 12, "loss": NaN, "best": -Infinity, "worst": Infinity, ');
    const output = join(temporaryFolder(), 'out.gguf');
    await convert(writeMicro(config(odd)), { output });
    expect((await readGgufHead(output)).metadata.get('bert.embedding_length')?.value).toBe(4);
    await expect(converted(config(odd.replace('"loss": NaN', '"layer_norm_eps": NaN')))).rejects.toThrow(
      /layer_norm_eps/,
    );
  });

  it('is the only kind of file that may: JSON of others is strict', () => {
    for (const text of ['NaN', '[-Infinity]', '{"a":1,"a":2}']) {
      expect(() => parseJson(text, { what: 'x.json' })).toThrow(/not valid JSON/);
      expect(() => parseJson(text, { what: 'x.json', isOfPython: true })).not.toThrow();
    }
    expect(() => parseJson('Nan', { what: 'x.json', isOfPython: true })).toThrow(/not valid JSON/);
  });
});

describe('a vocabulary with more tokens than the embedding has rows', () => {
  const TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'b', '##c', 'd', 'e'];
  const withVocabulary = (text: string) => ({ files: { 'vocab.txt': text } });

  it('converts, and tells the first of them', async () => {
    const warnings = await warningsOf(withVocabulary(`${TOKENS.join('\n')}\nmore\nstill\n`));
    expect(warnings).toEqual([expect.stringMatching(/has 2 tokens .*"more" with the id 10, of 10 rows/)]);
  });

  it('may be one whose mark of the byte order makes a token of its own', async () => {
    const warnings = await warningsOf(withVocabulary(`\ufeff${TOKENS.join('\n')}\n`));
    expect(warnings).toEqual([expect.stringContaining('"[PAD]" with the id 10')]);
  });

  it('may have it from added tokens', async () => {
    const warnings = await warningsOf({ files: { 'added_tokens.json': '{"x": 8, "y": 9, "z": 10}' } });
    expect(warnings).toEqual([expect.stringMatching(/has a token .*"z" with the id 10/)]);
  });

  it('is refused where such a token stands around every text', async () => {
    const order = [...TOKENS.filter((token) => token !== '[SEP]'), 'f', '[SEP]'];
    const attempt = converted(withVocabulary(`${order.join('\n')}\n`));
    await expect(attempt).rejects.toThrow(/\[SEP\].*the id 10, but the embedding table has 10 rows/);
  });
});
