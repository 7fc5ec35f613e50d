/** An adapter's tensors by what they belong to: modules with the parts that change them, and whole tensors of the model. */
import { EncoderError } from '../../errors';
import { type SourceTensor, type TensorSource, requireFloats } from '../readers/tensor-source';
import type { AdapterConfig } from './adapter-config';

const PREFIX = 'base_model.model.';
const PARTS: readonly (readonly [pattern: RegExp, part: keyof ModuleParts, kind: AdapterConfig['kind']])[] = [
  [/^(.+)\.lora_A\.weight$/, 'a', 'LORA'],
  [/^(.+)\.lora_B\.weight$/, 'b', 'LORA'],
  [/^(.+)\.lora_embedding_A$/, 'embeddingA', 'LORA'],
  [/^(.+)\.lora_embedding_B$/, 'embeddingB', 'LORA'],
  [/^(.+)\.lora_magnitude_vector(?:\.weight)?$/, 'magnitude', 'LORA'],
  [/^(.+)\.ia3_l$/, 'factors', 'IA3'],
];
/** What else PEFT's tensors are called; a tensor whose name ends otherwise is one of the model's own. */
const OTHER_PARTS = /\.(lora_\w+|ia3_\w+|\w*_magnitude_vector|oft_\w+|vera_\w+|token_adapter)(\.\w+)*$/;

/** Names in the adapter. */
export interface ModuleParts {
  a?: string;
  b?: string;
  embeddingA?: string;
  embeddingB?: string;
  magnitude?: string;
  factors?: string;
}

export interface SortedTensors {
  /** By the names of the modules. */
  readonly modules: ReadonlyMap<string, ModuleParts>;
  /** Names in the adapter by names in the model. */
  readonly whole: ReadonlyMap<string, string>;
  /** Those of the latter that PEFT saved of the base's, beside what changes them. */
  readonly copies: ReadonlySet<string>;
  /** Names in the adapter of what it holds twice: a tensor of `whole`, and PEFT's other name for it. */
  readonly duplicates: readonly (readonly [stored: string, duplicate: string])[];
}

/** Throws `checkpoint_malformed`, `dtype_unsupported`, and `architecture_unsupported` for parts of other adapters. */
export function sortTensors(adapter: TensorSource, { kind, isDora }: AdapterConfig): SortedTensors {
  const modules = new Map<string, ModuleParts>();
  const others: string[] = [];
  for (const stored of adapter.names()) {
    const tensor = adapter.find(stored)!;
    if (!stored.startsWith(PREFIX)) throw misfit(tensor, `holds ${stored}; names begin with ${PREFIX} in PEFT's files`);
    const name = stored.slice(PREFIX.length);
    requireFloats(stored, tensor);
    const found = PARTS.find(
      ([pattern, part, of]) => pattern.test(name) && of === kind && (part !== 'magnitude' || isDora),
    );
    if (found !== undefined) {
      const [, module] = found[0].exec(name)!;
      modules.set(module!, { ...modules.get(module!), [found[1]]: stored });
    } else if (OTHER_PARTS.test(name)) {
      throw new EncoderError(
        'architecture_unsupported',
        `${tensor.file} holds ${stored}, which is no part of ${isDora ? 'a DoRA' : kind === 'IA3' ? 'an IA3' : 'a plain LoRA'}`,
      );
    } else {
      others.push(stored);
    }
  }
  if (modules.size === 0) {
    const parts = kind === 'IA3' ? 'ia3_l' : 'lora_A and lora_B';
    throw new EncoderError('checkpoint_malformed', `the adapter holds no ${parts}, so it changes nothing`);
  }
  return { modules, ...sortWhole(adapter, others) };
}

/**
 * PEFT computes with the copy of a module that is trained whole, saved under the module's name, in old files under that of
 * its wrapper. With `bias` `all` that copy's biases are there under both, and those of the module that it was made of.
 */
function sortWhole(adapter: TensorSource, others: readonly string[]): Omit<SortedTensors, 'modules'> {
  const whole = new Map<string, string>();
  const copies = new Set<string>();
  const duplicates: (readonly [string, string])[] = [];
  const [plain, wrapped, unused] = [0, 1, 2].map((kind) => others.filter((stored) => wrapping(stored) === kind));
  for (const stored of plain!) {
    // A bias beside a change has its layer in its name.
    const name = stored.slice(PREFIX.length);
    const own = name.replace(/\.base_layer(?=\.\w+$)/, '');
    whole.set(own, stored);
    if (own !== name) copies.add(own);
  }
  for (const stored of wrapped!) {
    const names = unwrapped(stored.slice(PREFIX.length));
    const own = names.find((name) => whole.has(name));
    if (own === undefined) whole.set(names[0]!, stored);
    else duplicates.push([whole.get(own)!, stored]);
  }
  for (const stored of unused!) {
    if (unwrapped(stored.slice(PREFIX.length)).some((name) => whole.has(name))) continue;
    throw misfit(
      adapter.find(stored)!,
      `holds ${stored}, which was not trained, and not what was trained in its place`,
    );
  }
  return { whole, copies, duplicates };
}

function wrapping(stored: string): 0 | 1 | 2 {
  return stored.includes('.original_module.') ? 2 : stored.includes('.modules_to_save.') ? 1 : 0;
}

/** A module's names without PEFT's wrapper in them, behind which the adapter's own name may stand. */
function unwrapped(name: string): string[] {
  const rest = name.replaceAll('.original_module.', '.');
  return [rest.replaceAll('.modules_to_save.', '.'), rest.replace(/\.modules_to_save\.\w+(?=\.)/g, '')];
}

const COMPARED_BYTES = 1 << 20;

/**
 * Throws `checkpoint_malformed` for duplicates that differ, of which nothing says what was trained: PEFT saves such a file, and
 * cannot load it, where one module that is trained whole lies in another.
 */
export async function checkDuplicates(adapter: TensorSource, duplicates: SortedTensors['duplicates']): Promise<void> {
  for (const [stored, copy] of duplicates) {
    const [own, other] = [adapter.find(stored)!, adapter.find(copy)!];
    let isSame = own.dtype === other.dtype && own.shape.join() === other.shape.join();
    for (let offset = 0; isSame && offset < own.sizeBytes; offset += COMPARED_BYTES) {
      const length = Math.min(COMPARED_BYTES, own.sizeBytes - offset);
      const [bytes, others] = [await adapter.read(stored, offset, length), await adapter.read(copy, offset, length)];
      isSame = bytes.equals(others);
    }
    if (!isSame) throw misfit(own, `holds ${stored} and ${copy}, which PEFT saves alike and which differ`);
  }
}

export function misfit({ file }: SourceTensor, reason: string): EncoderError {
  return new EncoderError('checkpoint_malformed', `${file} ${reason}`);
}
