/** The bases and adapters of scripts/make-adapter-fixtures.py as folders. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { decodeElements, encodeElements } from '../../src/convert/dtypes/dtypes';
import { type TinyTensor, temporaryFolder, writeSafetensors } from '../unit/convert/temp-folder';
import { encodeTorch } from './family-checkpoints';
import { type SmallModel, checkpointFiles, readFixtures, seededTensors, writeFiles } from './small-checkpoints';

/** The base, and the adapter beside it. */
export interface AdapterModel extends SmallModel {
  readonly adapterConfig: Readonly<Record<string, unknown>>;
  /** Shapes in the adapter, by PEFT's names. */
  readonly adapterTensors: Readonly<Record<string, readonly number[]>>;
  /** Further files of the adapter. */
  readonly adapterFiles: Readonly<Record<string, unknown>>;
  /** Of transformers, for each pair. */
  readonly logits: readonly (readonly number[])[];
}

/** An adapter of a language model of make-causal-reranker-fixtures.py. */
export interface CausalAdapter extends Pick<AdapterModel, 'name' | 'seed' | 'adapterConfig' | 'adapterTensors'> {
  /** The name of the base there. */
  readonly base: string;
  /** For each pair of that fixture, of its first call. */
  readonly logits: readonly number[];
}

const fixtures = readFixtures<AdapterModel, { readonly causal: readonly CausalAdapter[] }>('adapters');

export const { pairs: adapterPairs, models: adapterModels, causal: causalAdapters } = fixtures;

export function adapterModel(name: string): AdapterModel {
  return adapterModels.find((model) => model.name === name)!;
}

/** What is to be written otherwise. */
export interface AdapterChanges {
  /** Entries of adapter_config.json to replace. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Further files of the adapter by path. */
  readonly files?: Readonly<Record<string, unknown>>;
  /** Changes the adapter's tensors in place. */
  readonly tensors?: (tensors: Record<string, TinyTensor>) => void;
  /** Changes the base's tensors in place. */
  readonly baseTensors?: (tensors: Record<string, TinyTensor>) => void;
}

/** Writes the base into `folder`, a new one unless it is given, and returns it. */
export function writeBase(
  model: AdapterModel,
  { baseTensors }: AdapterChanges = {},
  folder = temporaryFolder(),
): string {
  writeFiles(folder, checkpointFiles(model, {}));
  const tensors = seededTensors(model, fixtures.scales);
  baseTensors?.(tensors);
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  return folder;
}

/** Writes the adapter into `folder`, a new one unless it is given, and returns it; its base is the folder `base`. */
export function writeAdapter(
  model: Pick<AdapterModel, 'name' | 'seed' | 'adapterConfig' | 'adapterTensors'> &
    Partial<Pick<AdapterModel, 'adapterFiles'>>,
  base: string | undefined,
  changes: AdapterChanges = {},
  folder = temporaryFolder(),
): string {
  mkdirSync(folder, { recursive: true });
  const { name, seed, adapterTensors, adapterConfig, adapterFiles } = model;
  writeFiles(folder, {
    ...adapterFiles,
    'adapter_config.json': { ...adapterConfig, base_model_name_or_path: base, ...changes.config },
    ...changes.files,
  });
  const tensors = seededTensors({ seed, tensors: adapterTensors }, fixtures.scales);
  changes.tensors?.(tensors);
  if (!name.endsWith('-bin')) {
    writeSafetensors(join(folder, 'adapter_model.safetensors'), tensors);
    return folder;
  }
  const stored = Object.entries(tensors).map(
    ([key, { shape, data }]) => [key, { shape, dtype: 'F32' as const, data }] as const,
  );
  writeFileSync(join(folder, 'adapter_model.bin'), encodeTorch(stored));
  return folder;
}

/**
 * The further names under which PEFT saves the biases of what is trained whole with `bias` `all`: the trained ones again,
 * in `modules` (`classifier` or nested, `classifier.dense`), and those of the modules that they were copied from.
 */
export function addWrapped(tensors: Record<string, TinyTensor>, modules: readonly string[]): void {
  for (const module of modules.map((name) => `base_model.model.${name}.`)) {
    const biases = Object.keys(tensors).filter((name) => name.startsWith(module) && name.endsWith('bias'));
    for (const stored of biases.filter((name) => !name.includes('modules_to_save'))) {
      const end = stored.slice(module.length);
      // The adapter's own name is left out where nothing stands behind it.
      tensors[`${module}modules_to_save.${end === 'bias' ? '' : 'default.'}${end}`] = tensors[stored]!;
      const { shape, data } = tensors[stored]!;
      tensors[`${module}original_module.${end}`] = { shape, data: new Uint8Array(data.length) };
    }
  }
}

/** The tensor rounded to bf16. */
export function halved({ shape, data }: TinyTensor): TinyTensor {
  return { shape, dtype: 'BF16', data: encodeElements('bf16', decodeElements('F32', data)) };
}
