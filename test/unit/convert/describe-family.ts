/** Families of families.json described from their configuration and shapes alone; no file is written. */
import { findArchitecture } from '../../../src/convert/architectures';
import type { EncoderModel, TensorIndex } from '../../../src/convert/architectures/architecture';
import { ConfigReader } from '../../../src/convert/config';
import type { JsonObject } from '../../../src/support/json';
import { type Family, families } from '../../golden/family-checkpoints';

export type Shapes = Readonly<Record<string, readonly number[]>>;

export const ALL_FAMILIES = families();

export function family(name: string): Family {
  const found = ALL_FAMILIES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`families.json has no ${name}`);
  return found;
}

export function indexOf(tensors: Shapes): TensorIndex {
  return {
    names: () => Object.keys(tensors),
    find: (name) => {
      const shape = tensors[name];
      return shape && { shape, dtype: 'F32', file: 'model.safetensors' };
    },
  };
}

/** `changes`: entries of config.json to replace. */
export function describeModel({ config, tensors: own }: Family, changes: object, tensors: Shapes = own): EncoderModel {
  const reader = new ConfigReader({ ...config, ...changes } as JsonObject, 'config.json');
  return findArchitecture(reader).describe(reader, indexOf(tensors));
}
