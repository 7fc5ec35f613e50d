/** A tf_model.h5 as a source of PyTorch tensors: Keras's lists of layers and weights followed, matrices transposed. */
import { EncoderError } from '../../errors';
import { DEFAULT_LIMITS, type Limits, limitExceeded } from '../../support/limits';
import type { SourceFile } from '../../support/source-file';
import { type KerasWeight, torchWeight } from './keras-names';
import { reverseAxes } from './elements';
import { Hdf5Tree } from './hdf5';
import type { Hdf5Dataset } from './hdf5-dataset';
import { LastTensor } from './last-tensor';
import { type SourceTensor, TensorTable } from './tensor-source';

interface KerasTensor extends SourceTensor {
  readonly isTransposed: boolean;
  readonly dataset: Hdf5Dataset;
}

export class KerasWeights extends TensorTable<KerasTensor> {
  private readonly reordered: LastTensor;

  private constructor(
    private readonly tree: Hdf5Tree,
    tensors: ReadonlyMap<string, KerasTensor>,
    limits: Limits,
  ) {
    super(tensors);
    this.reordered = new LastTensor(limits);
  }

  /** Throws `checkpoint_malformed`, `limit_exceeded` or `dtype_unsupported`, naming the file and the weight. */
  static async open(file: SourceFile, limits: Limits = DEFAULT_LIMITS): Promise<KerasWeights> {
    const tree = await Hdf5Tree.open(file, limits);
    const tensors = new Map<string, KerasTensor>();
    const add = ({ name, shape, isTransposed }: KerasWeight, dataset: Hdf5Dataset) => {
      if (tensors.has(name)) malformed(file, `two of its weights are called ${name} in PyTorch`);
      if (tensors.size >= limits.tensorsPerFile) {
        throw limitExceeded(limits, 'tensorsPerFile', `${file.path} has at least ${tensors.size + 1} tensors`);
      }
      const { dtype, sizeBytes } = dataset;
      tensors.set(name, { dtype, shape, sizeBytes, file: file.path, isTransposed, dataset });
    };
    const layers = await readNames(tree, '', 'layer_names');
    if (layers === undefined) {
      malformed(file, 'it has no layer_names; save the model with TFAutoModel...save_pretrained, not with model.save');
    }
    for (const layer of layers) {
      // In a shard what is called a layer is a weight.
      const single = layer.includes('/') ? tree.dataset(layer) : undefined;
      if (single !== undefined) {
        add(torchWeight(layer.split('/')[0]!, layer, single.shape), single);
        continue;
      }
      const weights = await readNames(tree, layer, 'weight_names');
      if (weights === undefined) malformed(file, `it has no weight_names for the layer ${layer}`);
      for (const weight of weights) {
        const dataset = tree.dataset(`${layer}/${weight}`);
        if (dataset === undefined) malformed(file, `it lists ${weight} in the layer ${layer} but does not hold it`);
        add(torchWeight(layer, weight, dataset.shape), dataset);
      }
    }
    return new KerasWeights(tree, tensors, limits);
  }

  protected async readPiece(name: string, tensor: KerasTensor, offset: number, length: number): Promise<Buffer> {
    const { dataset, isTransposed, sizeBytes } = tensor;
    if (!isTransposed && typeof dataset.storage === 'number') return this.tree.read(dataset, offset, length);
    return this.reordered.slice(name, sizeBytes, [offset, length], async () => {
      const stored = await this.tree.read(dataset, 0, sizeBytes);
      return isTransposed ? reverseAxes(stored, tensor.shape, dataset.elementBytes) : stored;
    });
  }
}

/** A list of names; Keras cuts lists over 64 KiB into name0, name1, ... */
async function readNames(tree: Hdf5Tree, group: string, attribute: string): Promise<string[] | undefined> {
  const whole = await tree.text(group, attribute);
  if (whole !== undefined) return whole;
  const parts: string[][] = [];
  for (;;) {
    const part = await tree.text(group, `${attribute}${parts.length}`);
    if (part === undefined) return parts.length === 0 ? undefined : parts.flat();
    parts.push(part);
  }
}

function malformed(file: SourceFile, reason: string): never {
  throw new EncoderError(
    'checkpoint_malformed',
    `${file.path} is not a TensorFlow checkpoint of transformers: ${reason}`,
  );
}
