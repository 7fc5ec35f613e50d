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
}

/** Throws `checkpoint_malformed`, `dtype_unsupported`, and `architecture_unsupported` for parts of other adapters. */
export function sortTensors(adapter: TensorSource, { kind, isDora }: AdapterConfig): SortedTensors {
  const modules = new Map<string, ModuleParts>();
  const whole = new Map<string, string>();
  const copies = new Set<string>();
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
      // A module that is trained whole has PEFT's wrapper in its name in old files, a bias beside a change its layer.
      const own = name.replace(/\.modules_to_save(?=\.)|\.base_layer(?=\.\w+$)/, '');
      whole.set(own, stored);
      if (/\.base_layer\.\w+$/.test(name)) copies.add(own);
    }
  }
  if (modules.size === 0) {
    const parts = kind === 'IA3' ? 'ia3_l' : 'lora_A and lora_B';
    throw new EncoderError('checkpoint_malformed', `the adapter holds no ${parts}, so it changes nothing`);
  }
  return { modules, whole, copies };
}

export function misfit({ file }: SourceTensor, reason: string): EncoderError {
  return new EncoderError('checkpoint_malformed', `${file} ${reason}`);
}
