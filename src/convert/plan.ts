/** The conversion of a checkpoint folder: from what it says to the file's tensors and their types. */
import type { TensorType } from '../gguf/types';
import type { GgufTensorDeclaration } from '../gguf/writer';
import type { PlannedTensor } from './architectures/architecture';
import type { CheckpointFiles } from './checkpoint';
import { type ConversionPlan, type PlanOptions, completePlan } from './conversion-plan';
import { type TensorSource, requireFloats } from './readers/tensor-source';
import { declareTensors } from './tensor-types';
import { describeCheckpoint } from './checkpoint-description';

export async function planConversion(checkpoint: CheckpointFiles, options: PlanOptions): Promise<ConversionPlan> {
  const { facts, weights, assumptions = [], ...described } = await describeCheckpoint(checkpoint, options);
  const { model, tokenizer } = facts;
  const open = assumptions.filter((assumption) => assumption !== undefined);
  const ofModel = [...(model.assumptions ?? []), ...(model.passedOver === undefined ? [] : [model.passedOver])];
  const warnings = [...open, ...ofModel, ...tokenizer.warnings];
  const declared = declareFloats(model.tensors, weights, options.type, warnings);
  warnings.push(...(described.warnings ?? []));
  return completePlan(weights, options.type, { name: checkpoint.name, ...facts }, declared, warnings);
}

/** Throws for weights that are no floats. */
function declareFloats(
  tensors: readonly PlannedTensor[],
  weights: TensorSource,
  type: TensorType | undefined,
  warnings: string[],
): readonly GgufTensorDeclaration[] {
  for (const name of tensors.flatMap(({ sources, twins = [] }) => [...sources, ...twins])) {
    const tensor = weights.find(name);
    if (tensor !== undefined) requireFloats(name, tensor);
  }
  return declareTensors(tensors, type ?? ownType(weights, tensors), warnings);
}

/** The type that loses nothing: f16 or bf16 when every matrix has it, else f32. */
function ownType(weights: TensorSource, tensors: readonly PlannedTensor[]): TensorType {
  const matrices = tensors.filter(({ storage }) => storage === 'matrix').flatMap(({ sources }) => sources);
  const dtypes = new Set(matrices.map((name) => weights.find(name)?.dtype));
  const [only] = dtypes;
  if (dtypes.size > 1) return 'f32';
  return only === 'F16' ? 'f16' : only === 'BF16' ? 'bf16' : 'f32';
}
