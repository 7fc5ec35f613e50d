/**
 * What joblib.dump writes of fitted scikit-learn estimators, as data: their classes' names and attributes. Nothing in the
 * file is run; classes outside the list of the caller are refused by name.
 */
import { EncoderError } from '../../errors';
import { shown } from '../../support/json';
import type { Limits } from '../../support/limits';
import { MAX_DIMENSION } from '../limits';
import { ByteCursor } from './byte-cursor';
import { NumpyArray, numpyElementBytes } from './numpy-array';
import {
  PickleBytes,
  PickleDict,
  type PickleHost,
  PickleObject,
  PickleTuple,
  type PickleValue,
  readPickle,
} from './pickle';

/** An object of scikit-learn. */
export class Estimator extends PickleObject {
  readonly kind = 'estimator';
  attributes: ReadonlyMap<unknown, PickleValue> = new Map();

  constructor(readonly className: string) {
    super();
  }
}

/** An array among an estimator's attributes. */
export class ArrayValue extends PickleObject {
  readonly kind = 'array';
  constructor(readonly array: NumpyArray) {
    super();
  }
}

/** What an estimator may be made of beside itself. */
const NUMPY_CLASSES: ReadonlyMap<string, string> = new Map([
  ['numpy.ndarray', 'ndarray'],
  ['numpy.dtype', 'dtype'],
  ['numpy.core.multiarray.scalar', 'scalar'],
  ['numpy._core.multiarray.scalar', 'scalar'],
  ['joblib.numpy_pickle.NumpyArrayWrapper', 'wrapper'],
  ['sklearn.externals.joblib.numpy_pickle.NumpyArrayWrapper', 'wrapper'],
]);

class ClassName extends PickleObject {
  readonly kind = 'class';
  constructor(
    readonly name: string,
    readonly isEstimator: boolean,
  ) {
    super();
  }
}

class ElementType extends PickleObject {
  readonly kind = 'element type';
  constructor(readonly code: string) {
    super();
  }
}

/** Stands for an array whose bytes follow in the file. */
class ArrayWrapper extends PickleObject {
  readonly kind = 'array wrapper';
}

/** A number of numpy's own types; none that matters is kept as one. */
class Scalar extends PickleObject {
  readonly kind = 'number';
}

/**
 * The estimator in `bytes`. `classes`: the full names of the classes that may occur; `supported`: those of them
 * that people know, for messages. Throws `architecture_unsupported` for
 * any other class, `checkpoint_malformed`, and `limit_exceeded`.
 */
export function readEstimator(
  bytes: Buffer,
  path: string,
  classes: ReadonlySet<string>,
  supported: readonly string[],
  limits: Limits,
): Estimator {
  if (bytes[0] !== 0x80) {
    throw new EncoderError(
      'checkpoint_malformed',
      `${path} is no plain pickle; if it was written with compress=..., save it again with joblib.dump(model_head, path)`,
    );
  }
  const cursor = new ByteCursor(bytes, `${path}, pickle`);
  const value = readPickle(cursor, path, new SklearnHost(path, classes, supported), limits);
  cursor.end();
  if (value instanceof Estimator) return value;
  throw new EncoderError('checkpoint_malformed', `${path} holds no estimator of scikit-learn`);
}

class SklearnHost implements PickleHost {
  readonly protocols = [2, 3, 4, 5];
  readonly writer = 'joblib.dump of a fitted estimator';
  readonly advice = 'save it again with joblib.dump(model_head, path)';

  constructor(
    private readonly path: string,
    private readonly classes: ReadonlySet<string>,
    private readonly supported: readonly string[],
  ) {}

  global(module: string, name: string): PickleObject {
    const fullName = `${module}.${name}`;
    if (this.classes.has(fullName)) return new ClassName(fullName, true);
    const known = NUMPY_CLASSES.get(fullName);
    if (known !== undefined) return new ClassName(known, false);
    throw new EncoderError(
      'architecture_unsupported',
      `${this.path} needs ${shown(fullName, 120)}; nothing was run; supported heads are made of ` +
        this.supported.join(', '),
    );
  }

  instance(type: PickleValue, args: readonly PickleValue[]): PickleValue {
    if (!(type instanceof ClassName) || args.length !== 0) return this.fail('an instance of no known class');
    if (type.isEstimator) return new Estimator(type.name);
    return type.name === 'wrapper' ? new ArrayWrapper() : this.fail(`an instance of ${type.name}`);
  }

  reduce(callee: PickleValue, args: readonly PickleValue[]): PickleValue {
    const name = callee instanceof ClassName ? callee.name : '';
    if (name === 'dtype' && typeof args[0] === 'string') return new ElementType(args[0]);
    if (name === 'scalar' && args[0] instanceof ElementType && args[1] instanceof PickleBytes) return new Scalar();
    return this.fail('unsafe: a call of something that is no known function');
  }

  build(target: PickleValue, state: PickleValue, following: ByteCursor): PickleValue {
    if (target instanceof ElementType) return this.littleEndian(target, state);
    if (!(state instanceof PickleDict)) return this.fail('attributes that are no dictionary');
    if (target instanceof ArrayWrapper) return new ArrayValue(this.readArray(state.entries, following));
    if (!(target instanceof Estimator)) return this.fail('attributes of something that has none');
    target.attributes = state.entries;
    return target;
  }

  /** (version, byte order, subtype, names, fields, size, alignment, flags) */
  private littleEndian(type: ElementType, state: PickleValue): ElementType {
    const order = state instanceof PickleTuple ? state.items[1] : undefined;
    if (order === '<' || order === '|') return type;
    // Of anything else there may be more than can be shown: a list can hold itself.
    const found = typeof order === 'string' ? shown(order, 20) : 'unknown';
    return this.fail(`an array in the byte order ${found}; save it on a little-endian machine`);
  }

  private readArray(attributes: ReadonlyMap<unknown, PickleValue>, following: ByteCursor): NumpyArray {
    const [shape, order, type] = ['shape', 'order', 'dtype'].map((name) => attributes.get(name));
    const sizes = shape instanceof PickleTuple ? shape.items : [];
    const code = type instanceof ElementType ? type.code : '';
    const width = numpyElementBytes(code);
    if (width === undefined) return this.fail(`an array of the type ${shown(code, 20)}`);
    if (
      !(shape instanceof PickleTuple) ||
      sizes.length > 2 ||
      !sizes.every(isSize) ||
      (order !== 'C' && order !== 'F')
    ) {
      return this.fail('an array without a shape of up to two sizes and an order');
    }
    // What joblib 1.1 and later put in front, so that the elements can be mapped into memory.
    if (isSize(attributes.get('numpy_array_alignment_bytes'))) following.skip(following.u8());
    const length = sizes.reduce((product, size) => product * size, width);
    return new NumpyArray(code, sizes, following.take(length), order === 'F');
  }

  private fail(reason: string): never {
    throw new EncoderError('checkpoint_malformed', `${this.path}: it holds ${reason}`);
  }
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_DIMENSION;
}
