/** Which type each tensor of the file gets. */
import { GGML_TYPES, type TensorType, ggmlType } from '../gguf/types';
import type { GgufTensorDeclaration } from '../gguf/writer';
import type { PlannedTensor } from './architectures/architecture';
import type { TensorSource } from './readers/tensor-source';

/** Matrices as `type`, or as f16 where their rows are no whole blocks of it, which a warning says; the rest as f32. */
export function declareTensors(
  planned: readonly PlannedTensor[],
  type: TensorType,
  warnings: string[],
): GgufTensorDeclaration[] {
  const wanted = ggmlType(type);
  const narrow: string[] = [];
  const tensors = planned.map(({ name, shape, storage }) => {
    const ne = [...shape].reverse();
    if (storage === 'exact') return { name, ne, type: ggmlType('f32') };
    if (ne[0]! % wanted.blockSize === 0) return { name, ne, type: wanted };
    narrow.push(name);
    return { name, ne, type: ggmlType('f16') };
  });
  warnOf(
    narrow,
    `f16 in the file: their rows are no multiple of ${wanted.blockSize}, which ${wanted.name} needs; on the CPU, ` +
      'linear layers are rounded to q8_0 when they are loaded',
    warnings,
  );
  return tensors;
}

/** One warning for all tensors of a kind, the first few named. */
function warnOf(names: readonly string[], fact: string, warnings: string[]): void {
  if (names.length === 0) return;
  const shown = names.slice(0, 3).join(', ') + (names.length > 3 ? ', ...' : '');
  warnings.push(`${names.length} tensors are ${fact} (${shown})`);
}

/** `type`, if it was asked for and some matrices are f16 instead. */
export function missedType(
  type: TensorType | undefined,
  planned: readonly PlannedTensor[],
  declared: readonly GgufTensorDeclaration[],
): TensorType | undefined {
  const isMissed = planned.some(({ storage }, index) => storage === 'matrix' && declared[index]!.type.name !== type);
  return isMissed ? type : undefined;
}

/** The type of most weights in matrices; of all tensors where there are no matrices. */
export function usualType(planned: readonly PlannedTensor[], declared: readonly GgufTensorDeclaration[]): string {
  const counts = new Map<string, number>();
  planned.forEach(({ storage, shape }, index) => {
    if (storage === 'exact') return;
    const { name } = declared[index]!.type;
    counts.set(name, (counts.get(name) ?? 0) + shape.reduce((product, size) => product * size, 1));
  });
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'f32';
}

/** Matrices as their sources are stored, everything else as f32. A matrix of parts with different types is widened. */
export function keepTypes(
  planned: readonly PlannedTensor[],
  weights: TensorSource,
  warnings: string[],
): GgufTensorDeclaration[] {
  const mixed = { f16: [] as string[], f32: [] as string[] };
  const tensors = planned.map(({ name, shape, sources, storage }) => {
    const ne = [...shape].reverse();
    if (storage === 'exact') return { name, ne, type: ggmlType('f32') };
    const types = new Set(sources.map((source) => weights.find(source)!.dtype.toLowerCase()));
    const [type, ...others] = types;
    const kept = GGML_TYPES.find((known) => known.name === type);
    if (others.length === 0 && kept !== undefined) return { name, ne, type: kept };
    const wide = widerType(types);
    mixed[wide].push(name);
    return { name, ne, type: ggmlType(wide) };
  });
  for (const wide of ['f16', 'f32'] as const) {
    warnOf(mixed[wide], `${wide}: the parts that they are made of have different types`, warnings);
  }
  return tensors;
}

/** What holds values of all these types: f16 for quantized ones, whose own error is far larger than its rounding. */
function widerType(types: ReadonlySet<string>): 'f16' | 'f32' {
  return types.has('f32') || types.has('bf16') ? 'f32' : 'f16';
}
