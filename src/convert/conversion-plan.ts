/** Everything about a conversion that is decided before the first tensor byte is read. */
import type { TensorType } from '../gguf/types';
import { type GgufLayout, type GgufTensorDeclaration, layoutGguf } from '../gguf/writer';
import type { HeadOptions } from './head-options';
import type { PlannedTensor } from './architectures/architecture';
import { type ModelFacts, fileMetadata, warningEntry } from './metadata';
import type { TensorSource } from './readers/tensor-source';
import { missedType, usualType } from './tensor-types';

export interface ConversionPlan {
  /** Type that was asked for, or that of most weights in matrices. */
  readonly type: string;
  /** In file order, one for each of `layout.tensors`. */
  readonly tensors: readonly PlannedTensor[];
  readonly layout: GgufLayout;
  readonly weights: TensorSource;
  readonly numParameters: number;
  readonly warnings: readonly string[];
}

export interface PlanOptions extends HeadOptions {
  readonly type?: TensorType | undefined;
  readonly labels?: readonly string[] | undefined;
}

/** `type`: as asked for; `declared`: one for each of the model's tensors. */
export function completePlan(
  weights: TensorSource,
  type: TensorType | undefined,
  facts: Omit<ModelFacts, 'numParameters' | 'requestedType'>,
  declared: readonly GgufTensorDeclaration[],
  warnings: string[],
): ConversionPlan {
  const { tensors } = facts.model;
  const numParameters = declared.reduce((sum, { ne }) => sum + ne.reduce((product, size) => product * size, 1), 0);
  const usual = usualType(tensors, declared);
  const requestedType = missedType(type, tensors, declared);
  const metadata = fileMetadata({ ...facts, numParameters, requestedType }, usual, warnings);
  const layout = layoutGguf([...metadata, ...(warnings.length === 0 ? [] : [warningEntry(warnings)])], declared);
  return { type: type ?? usual, tensors, layout, weights, numParameters, warnings };
}
