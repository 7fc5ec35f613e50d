import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import { ARCHITECTURES } from '../../../src/convert/architectures/index';
import { goldenModels, goldenRows } from '../../golden/checkpoint-fixture';
import { families } from '../../golden/family-checkpoints';

interface Manifest {
  readonly repository: string;
  readonly source: { readonly class: string };
  readonly shape: Readonly<Record<string, number>>;
  readonly labels: readonly string[] | null;
  readonly input: 'text' | 'pair';
  readonly supported: boolean;
  readonly proof: { readonly status: string; readonly golden?: string; readonly inputs?: number };
}

/** Golden logits of small models of a class, in the place of the model's own shape. */
const FAMILIES = 'test/golden/families.json';

const folder = resolve(__dirname, '../../../models');
const names = ['tinymodel1', 'tinybert-nli', 'bert-20news', 'llama-imdb', 'distilbert-768'];
const manifests = names.map((name) => {
  return [name, JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Manifest] as const;
});

describe('the manifests', () => {
  it('are all there and in the README', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.startsWith('default'));
    expect(files.sort()).toEqual(names.map((name) => `${name}.json`).sort());
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    for (const [name, { repository }] of manifests) {
      expect(readme).toContain(`${name}.json`);
      expect(readme).toContain(repository);
    }
  });

  it.each(manifests)('%s says truly whether its class converts', (_, { source, supported, proof }) => {
    expect(ARCHITECTURES.some(({ sourceClass }) => sourceClass === source.class)).toBe(supported);
    expect(proof.golden !== undefined).toBe(supported);
  });

  it.each(manifests.filter(([, { proof }]) => proof.golden === FAMILIES))(
    '%s has a family of its class in the golden file',
    (_, { source, proof }) => {
      const family = families().find(
        ({ config }) => (config['architectures'] as string[] | undefined)?.[0] === source.class,
      )!;
      expect(family.rows).toHaveLength(proof.inputs!);
    },
  );

  it.each(manifests.filter(([, { proof }]) => proof.golden !== FAMILIES))(
    '%s has the shapes of its golden model',
    async (name, manifest) => {
      const model = goldenModels().find((candidate) => candidate.name === name)!;
      expect(model.config).toMatchObject(manifest.shape);
      expect(model.inputs).toBe(`${manifest.input}s`);
      expect(manifest.proof.golden).toBe(`test/golden/${name}.logits.json`);
      expect(await goldenRows(model)).toHaveLength(manifest.proof.inputs!);
      if (manifest.labels !== null) expect(Object.values(model.config['id2label'] as object)).toEqual(manifest.labels);
    },
  );
});
