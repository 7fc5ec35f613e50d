// Adapters beside their bases, against the logits that transformers gives once they are merged.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Classifier, CrossEncoder, convert } from 'ggml-encoder';

import {
  type AdapterModel,
  adapterModel,
  adapterModels,
  adapterPairs,
  addWrapped,
  causalAdapters,
  halved,
  writeAdapter,
  writeBase,
} from './golden/adapter-checkpoints';
import { causalModel, causalPairs, writeCausal } from './golden/causal-checkpoints';
import { checkpointFiles, smallTokenizer, writeFiles } from './golden/small-checkpoints';
import { runCli } from './support/cli-process';
import { type TinyTensor, temporaryFolder } from './unit/convert/temp-folder';

/** Largest |logit - transformers float32|. */
const BOUND = 5e-5;
/** Where that one's own rounding is up to 7e-5, beside float64. */
const WIDE_BOUNDS: Readonly<Record<string, number>> = { 'llama-patterns': 2e-4 };

function worstOf({ logits }: AdapterModel, results: readonly { readonly logits?: Float32Array }[]): number {
  expect(results).toHaveLength(logits.length);
  const differences = results.flatMap((result, row) =>
    logits[row]!.map((expected, label) => Math.abs(result.logits![label]! - expected)),
  );
  return Math.max(...differences);
}

const inputs = adapterPairs.map(([text, textPair]) => ({ text, textPair }));

describe.each(adapterModels)('$name', (model) => {
  it.each(['auto', 'portable'] as const)('has the logits of the merged model on %s kernels', async (kernels) => {
    const folder = writeAdapter(model, writeBase(model));
    const labels: string[] = [];
    await using classifier = await Classifier.load(folder, {
      cacheDir: temporaryFolder(),
      kernels,
      onWarning: ({ code }) => labels.push(code),
    });
    const results = await classifier.classify(inputs, { logits: true, specialTokens: 'parse' });
    expect(worstOf(model, results)).toBeLessThanOrEqual(WIDE_BOUNDS[model.name] ?? BOUND);
    const named = 'config.json' in model.adapterFiles;
    expect(classifier.info.labels).toEqual(named ? ['no', 'maybe', 'yes'] : ['LABEL_0', 'LABEL_1', 'LABEL_2']);
    expect(labels.includes('label_names_missing')).toBe(!named);
  });

  it('is read by how its base lies, whatever fan_in_fan_out says', async () => {
    const folder = writeAdapter(model, writeBase(model), {
      config: { fan_in_fan_out: model.adapterConfig['fan_in_fan_out'] !== true },
    });
    await using classifier = await Classifier.load(folder, { cacheDir: temporaryFolder(), labels: ['a', 'b', 'c'] });
    const results = await classifier.classify(inputs, { logits: true, specialTokens: 'parse' });
    expect(worstOf(model, results)).toBeLessThanOrEqual(WIDE_BOUNDS[model.name] ?? BOUND);
  });
});

describe('an adapter', () => {
  const model = adapterModel('roberta-masked');

  it.each([
    ['bert-bare', ['classifier']],
    ['roberta-masked', ['classifier']],
    ['roberta-masked', ['classifier.dense', 'classifier.out_proj']],
    ['distilbert-bin', ['pre_classifier', 'classifier']],
    ['deberta-v2', ['pooler.dense', 'classifier']],
  ] as const)(
    'is trained whole in its head, whose biases PEFT saves under three names: %s %j',
    async (name, modules) => {
      const own = adapterModel(name);
      const added: string[] = [];
      const folder = writeAdapter(own, writeBase(own), {
        config: { bias: 'all', modules_to_save: [...modules] },
        tensors: (tensors) => {
          const before = Object.keys(tensors);
          addWrapped(tensors, modules);
          added.push(...Object.keys(tensors).filter((key) => !before.includes(key)));
        },
      });
      expect(added.filter((key) => key.includes('.original_module.')).length).toBeGreaterThan(0);
      await using classifier = await Classifier.load(folder, { cacheDir: temporaryFolder(), labels: ['a', 'b', 'c'] });
      const results = await classifier.classify(inputs, { logits: true, specialTokens: 'parse' });
      expect(worstOf(own, results)).toBeLessThanOrEqual(BOUND);
    },
  );

  it('may be of an old version, which saved a head under the name of its wrapper alone', async () => {
    const folder = writeAdapter(model, writeBase(model), {
      tensors: (tensors) => {
        for (const [name, tensor] of Object.entries(tensors)) {
          if (!name.includes('.classifier.')) continue;
          tensors[name.replace('.classifier.', '.classifier.modules_to_save.')] = tensor;
          tensors[name.replace('.classifier.', '.classifier.original_module.')] = tensor;
          Reflect.deleteProperty(tensors, name);
        }
      },
    });
    await using classifier = await Classifier.load(folder, { cacheDir: temporaryFolder(), labels: ['a', 'b', 'c'] });
    const results = await classifier.classify(inputs, { logits: true, specialTokens: 'parse' });
    expect(worstOf(model, results)).toBeLessThanOrEqual(BOUND);
  });

  it('is merged into the base that the caller names', async () => {
    const folder = writeAdapter(model, 'org/not-on-this-machine');
    const output = join(temporaryFolder(), 'merged.gguf');
    await convert(folder, { output, base: writeBase(model) });
    await using classifier = await Classifier.load(output, { labels: ['a', 'b', 'c'] });
    expect(
      worstOf(model, await classifier.classify(inputs, { logits: true, specialTokens: 'parse' })),
    ).toBeLessThanOrEqual(BOUND);
  });

  it('takes its labels from the command line', async () => {
    const folder = writeAdapter(model, writeBase(model));
    const output = join(temporaryFolder(), 'named.gguf');
    const named = await runCli(['convert', folder, '-o', output, '--labels', 'no, maybe,yes']);
    expect(named.code).toBe(0);
    await using classifier = await Classifier.load(output);
    expect(classifier.info.labels).toEqual(['no', 'maybe', 'yes']);
    const { code, stderr } = await runCli(['convert', folder, '-o', `${output}.2`, '--labels', 'no,yes']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--labels.*3 labels/)]);
  });

  it('goes with its own tokenizer where it was saved with one', async () => {
    const base = writeBase(model);
    const folder = writeAdapter(model, base, {
      files: {
        'tokenizer.json': { ...smallTokenizer, post_processor: null },
        'tokenizer_config.json': model.tokenizerConfig,
      },
    });
    await using own = await Classifier.load(folder, { cacheDir: temporaryFolder(), labels: ['a', 'b', 'c'] });
    await using bases = await Classifier.load(writeAdapter(model, base), {
      cacheDir: temporaryFolder(),
      labels: ['a', 'b', 'c'],
    });
    const [withoutSpecial, withSpecial] = [await own.classify('rain'), await bases.classify('rain')];
    expect(withSpecial.tokens).toBe(withoutSpecial.tokens + 2);
  });

  it('is converted anew when its base changes, and not otherwise', async () => {
    const cacheDir = temporaryFolder();
    const base = writeBase(model);
    const folder = writeAdapter(model, base);
    const phases: string[] = [];
    const load = async (options = {}) => {
      phases.length = 0;
      const onProgress = ({ phase }: { readonly phase: string }) => phases.push(phase);
      await using classifier = await Classifier.load(folder, {
        cacheDir,
        onProgress,
        labels: ['a', 'b', 'c'],
        ...options,
      });
      return (await classifier.classify('rain', { logits: true })).logits!;
    };
    const first = await load();
    expect(phases).toContain('write');
    expect(await load()).toEqual(first);
    expect(phases).not.toContain('write');
    const other = writeBase(model, {
      baseTensors: (tensors) => (tensors['roberta.embeddings.LayerNorm.bias']!.data[3]! ^= 1),
    });
    expect(await load({ base: other })).not.toEqual(first);
    expect(phases).toContain('write');
    rmSync(base, { recursive: true });
    await expect(load()).rejects.toMatchObject({ code: 'checkpoint_not_found' });
  });
});

describe.each(causalAdapters)('$name, of a language model', (adapter) => {
  const base = causalModel(adapter.base);
  const { tokenizerConfig, postProcessor } = base;

  async function worst(folder: string): Promise<number> {
    await using reranker = await CrossEncoder.load(folder, { cacheDir: temporaryFolder(), onWarning: () => undefined });
    const { prompt } = base.expected.calls[0]!;
    const options = { specialTokens: 'parse', logits: true, ...(prompt === null ? {} : { prompt }) } as const;
    const results = await reranker.predict(causalPairs, options);
    return Math.max(...results.map(({ logits }, index) => Math.abs(logits![0]! - adapter.logits[index]!)));
  }

  it('scores as the merged model does, by what its base says', async () => {
    expect(await worst(writeAdapter(adapter, writeCausal(base)))).toBeLessThanOrEqual(BOUND);
  });

  it("scores by what lies beside the adapter, as sentence-transformers saves it, and without the adapter's task", async () => {
    const bare = writeCausal(base, {
      files: Object.fromEntries(Object.keys(base.files).map((path) => [path, undefined])),
    });
    const { 'config.json': none, ...files } = checkpointFiles({ ...base, tokenizerConfig, postProcessor }, {});
    expect(none).toBeDefined();
    const config = 'modules.json' in files ? { task_type: null } : {};
    const folder = writeAdapter(adapter, bare, { config });
    writeFiles(folder, files);
    expect(await worst(folder)).toBeLessThanOrEqual(BOUND);
  });
});

// What PEFT saves beside a change of embeddings, in the adapter's type: it is read into the matrix that both tables are.
it.each([
  ['causal-embeddings', 'model.embed_tokens'],
  ['causal-vocabulary', 'lm_head'],
])("%s with a copy of the base's matrix counts on it for both tied tables", async (name, module) => {
  const adapter = causalAdapters.find((one) => one.name === name)!;
  const base = causalModel(adapter.base);
  const logits = async (folder: string) => {
    await using reranker = await CrossEncoder.load(folder, { cacheDir: temporaryFolder(), onWarning: () => undefined });
    const results = await reranker.predict(causalPairs, { specialTokens: 'parse', logits: true });
    return results.map((result) => result.logits![0]!);
  };
  const table = 'model.embed_tokens.weight';
  let copy!: TinyTensor;
  const rounded = writeCausal(base, { tensors: (tensors) => (copy = tensors[table] = halved(tensors[table]!)) });
  const expected = await logits(writeAdapter(adapter, rounded));
  const folder = writeAdapter(adapter, writeCausal(base), {
    tensors: (tensors) => (tensors[`base_model.model.${module}.base_layer.weight`] = copy),
  });
  expect(await logits(folder)).toEqual(expected);
  expect(await logits(writeAdapter(adapter, writeCausal(base)))).not.toEqual(expected);
});

describe('an adapter of a language model', () => {
  const adapter = causalAdapters.find(({ name }) => name === 'causal-embeddings')!;
  const convertTo = (folder: string) => convert(folder, { output: join(temporaryFolder(), 'out.gguf') });

  it('is refused on a base that is none', async () => {
    const base = causalModel(adapter.base);
    const folder = writeCausal(base, { config: { architectures: ['Qwen3ForSequenceClassification'] } });
    await expect(convertTo(writeAdapter(adapter, folder))).rejects.toMatchObject({
      code: 'architecture_unsupported',
      message: expect.stringContaining('its base is none') as unknown,
    });
  });

  it('is refused where it would change a tied matrix too', async () => {
    const folder = writeAdapter(adapter, writeCausal(causalModel(adapter.base)), {
      config: { ensure_weight_tying: true },
    });
    await expect(convertTo(folder)).rejects.toThrow(/ensure_weight_tying is set/);
  });
});
