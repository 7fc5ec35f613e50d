/** What torch.save's pickle may say about weights: a dictionary of names to views into storages, each view checked. */
import { EncoderError } from '../../errors';
import { DEFAULT_LIMITS, type Limits, limitExceeded } from '../../support/limits';
import { MAX_DIMENSION, MAX_TENSOR_NAME_BYTES, MAX_TENSOR_RANK } from '../limits';
import type { ByteCursor } from './byte-cursor';
import { type PickleHost, type PickleValue, PickleDict, PickleObject, PickleTuple, readPickle } from './pickle';
import { type StateDict, type TorchStorage, type TorchView, malformed } from './torch-contents';

const STORAGES: ReadonlyMap<string, readonly [dtype: string, elementBytes: number]> = new Map([
  ['FloatStorage', ['F32', 4]],
  ['HalfStorage', ['F16', 2]],
  ['BFloat16Storage', ['BF16', 2]],
  ['DoubleStorage', ['F64', 8]],
  ['LongStorage', ['I64', 8]],
  ['IntStorage', ['I32', 4]],
  ['ShortStorage', ['I16', 2]],
  ['CharStorage', ['I8', 1]],
  ['ByteStorage', ['U8', 1]],
  ['BoolStorage', ['BOOL', 1]],
]);

/** What stands in the pickle for types that have no storage of their own, and for complex numbers. */
const LATER_TYPES = /^torch(\._utils\._rebuild_tensor_v3|\.Complex(Float|Double)Storage)$/;

/** Stride 0 repeats elements without storing them: a few bytes could claim terabytes. */
const MAX_EXPANDED_BYTES = 16 * 2 ** 20;
const MAX_EXPANSION = 4;

class StorageType extends PickleObject {
  readonly kind = 'storage type';
  constructor(
    readonly dtype: string,
    readonly elementBytes: number,
  ) {
    super();
  }
}

class Callable extends PickleObject {
  readonly kind = 'function';
  constructor(readonly name: 'OrderedDict' | '_rebuild_tensor_v2' | '_rebuild_parameter') {
    super();
  }
}

class Storage extends PickleObject implements TorchStorage {
  readonly kind = 'storage';
  readonly dtype: string;
  readonly elementBytes: number;
  constructor(
    { dtype, elementBytes }: StorageType,
    readonly key: string,
    readonly numElements: number,
  ) {
    super();
    this.dtype = dtype;
    this.elementBytes = elementBytes;
  }
}

class Tensor extends PickleObject {
  readonly kind = 'tensor';
  constructor(readonly view: TorchView) {
    super();
  }
}

/** The state dict that begins at `cursor`. Throws `checkpoint_malformed` or `limit_exceeded`; `path` is for messages. */
export function readStateDict(cursor: ByteCursor, path: string, limits: Limits = DEFAULT_LIMITS): StateDict {
  const host = new TorchHost(path);
  const value = readPickle(cursor, path, host, limits);
  if (!(value instanceof PickleDict)) {
    malformed(path, 'it holds no dictionary of weights; save it again with torch.save(model.state_dict(), path)');
  }
  if (value.entries.size > limits.tensorsPerFile) {
    throw limitExceeded(limits, 'tensorsPerFile', `${path} has ${value.entries.size} tensors`);
  }
  const views = new Map<string, TorchView>();
  for (const [name, entry] of value.entries) {
    if (typeof name !== 'string' || name === '' || /\p{Cc}/u.test(name)) malformed(path, 'a tensor has no plain name');
    if (Buffer.byteLength(name) > MAX_TENSOR_NAME_BYTES)
      malformed(path, `the name ${name.slice(0, 80)}... is too long`);
    if (!(entry instanceof Tensor)) {
      malformed(
        path,
        `the entry ${name} is no tensor, so this is more than the weights; save them alone with torch.save(model.state_dict(), path)`,
      );
    }
    views.set(name, entry.view);
  }
  return { views, storages: host.storages };
}

class TorchHost implements PickleHost {
  readonly protocols = [2];
  readonly writer = 'torch.save of plain weights';
  readonly advice = 'save them again with torch.save(model.state_dict(), path) or as safetensors';

  readonly storages = new Map<string, Storage>();

  constructor(private readonly path: string) {}

  global(module: string, name: string): PickleObject | undefined {
    if (module === 'collections' && name === 'OrderedDict') return new Callable(name);
    if (module === 'torch._utils' && (name === '_rebuild_tensor_v2' || name === '_rebuild_parameter')) {
      return new Callable(name);
    }
    if (LATER_TYPES.test(`${module}.${name}`)) {
      throw new EncoderError(
        'dtype_unsupported',
        `${this.path} holds a tensor of a type such as float8, uint16 or complex64; convert it to float and save the weights again`,
      );
    }
    const storage = module === 'torch' ? STORAGES.get(name) : undefined;
    return storage === undefined ? undefined : new StorageType(...storage);
  }

  reduce(global: PickleValue, args: readonly PickleValue[]): PickleValue {
    if (!(global instanceof Callable)) malformed(this.path, 'unsafe: a call of something that is no known function');
    switch (global.name) {
      case 'OrderedDict':
        if (args.length !== 0) malformed(this.path, 'an OrderedDict is made with arguments');
        return new PickleDict();
      case '_rebuild_parameter':
        if (args.length !== 3 || !(args[0] instanceof Tensor)) malformed(this.path, 'a parameter without its tensor');
        return args[0];
      case '_rebuild_tensor_v2':
        return new Tensor(this.view(args));
    }
  }

  /** ('storage', type, key, device, elements); before PyTorch 1.6 one more, for views of storages, which was None. */
  persistent(id: PickleValue): PickleValue {
    const items = id instanceof PickleTuple ? id.items : [];
    const [tag, type, key, , numElements, view = null] = items;
    if (items.length < 5 || items.length > 6 || tag !== 'storage' || !(type instanceof StorageType) || view !== null) {
      malformed(this.path, 'a reference to something that is no storage');
    }
    if (typeof key !== 'string' || !/^\d{1,20}$/.test(key)) malformed(this.path, 'a storage without a number');
    if (!isCount(numElements) || !isCount(numElements * type.elementBytes)) {
      malformed(this.path, `the storage ${key} has ${String(numElements)} elements`);
    }
    const known = this.storages.get(key);
    if (known !== undefined) {
      if (known.dtype === type.dtype && known.numElements === numElements) return known;
      malformed(this.path, `the storage ${key} is described in two ways`);
    }
    const storage = new Storage(type, key, numElements);
    this.storages.set(key, storage);
    return storage;
  }

  /** A state dict carries its modules' version numbers as attributes; they do not matter here. */
  build(target: PickleValue): PickleValue {
    if (target instanceof PickleDict) return target;
    return malformed(this.path, 'unsafe: attributes are set on something that is no dictionary');
  }

  /** (storage, offset, size, strides, requires_grad, hooks[, metadata]) */
  private view(args: readonly PickleValue[]): TorchView {
    const [storage, offset, size, stride, , , metadata = new PickleDict()] = args;
    if (!(storage instanceof Storage) || args.length < 6 || args.length > 7) {
      malformed(this.path, 'a tensor without a storage');
    }
    const shape = size instanceof PickleTuple ? size.items : undefined;
    const strides = stride instanceof PickleTuple ? stride.items : undefined;
    const where = `a tensor in the storage ${storage.key}`;
    if (!isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length) {
      malformed(this.path, `${where} has no valid offset, size and strides`);
    }
    if (!(metadata instanceof PickleDict) || [...metadata.entries.values()].some((isSet) => isSet !== false)) {
      malformed(this.path, `${where} is to be negated or conjugated when it is read; save it again with .clone()`);
    }
    if (shape.length > MAX_TENSOR_RANK || shape.some((count) => count > MAX_DIMENSION)) {
      malformed(this.path, `${where} has the impossible size [${shape.join()}]`);
    }
    this.checkExtent(storage, offset, shape, strides, where);
    const { dtype, elementBytes } = storage;
    return { dtype, elementBytes, shape, strides, offset, storage: storage.key };
  }

  private checkExtent(
    storage: Storage,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
    where: string,
  ): void {
    // Doubles only ever round these sums and products up to 2^53 and beyond, where every comparison fails.
    const last = shape.reduce((sum, count, axis) => sum + Math.max(count - 1, 0) * strides[axis]!, offset);
    const end = shape.includes(0) ? offset : last + 1;
    if (end > storage.numElements) {
      malformed(this.path, `${where} reaches to element ${end} of ${storage.numElements}`);
    }
    if (shape.includes(0)) return;
    const { elementBytes } = storage;
    const sizeBytes = shape.reduce((product, count) => product * count, elementBytes);
    const limit = Math.max(MAX_EXPANDED_BYTES, MAX_EXPANSION * storage.numElements * elementBytes);
    if (sizeBytes > limit) {
      malformed(this.path, `${where} repeats its elements to ${sizeBytes} bytes; at most ${limit} are possible`);
    }
  }
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(values: readonly PickleValue[] | undefined): values is readonly number[] {
  return values !== undefined && values.every(isCount);
}
