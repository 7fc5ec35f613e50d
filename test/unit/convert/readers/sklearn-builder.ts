/** Heads of scikit-learn as joblib writes them, opcode by opcode, right by default and wrong wherever a test wants them to be. */
import { long, pickle, unicode } from './torch-builder';

export const LOGISTIC = 'sklearn.linear_model._logistic\nLogisticRegression';
const MULTI_OUTPUT = 'sklearn.multioutput\nMultiOutputClassifier';

/** The opcodes of values by the names of their attributes. */
export type Attributes = Readonly<Record<string, Uint8Array>>;

export interface BuiltArray {
  /** numpy's letter for the kind, and bytes or code points of an element. */
  readonly code?: string;
  readonly shape?: readonly (number | bigint)[];
  readonly order?: string;
  /** The opcodes of the byte order. */
  readonly byteOrder?: Uint8Array;
  /** What stands in the file behind the wrapper. */
  readonly data?: Uint8Array;
  /** Further attributes of the wrapper. */
  readonly more?: Attributes;
}

/** A whole file. */
export function sklearnFile(...parts: Uint8Array[]): Buffer {
  return pickle(0x80, 4, ...parts, '.');
}

export function dictionary(entries: Attributes): Buffer {
  const items = Object.entries(entries).flatMap(([name, value]) => [unicode(name), value]);
  return pickle('}(', ...items, 'u');
}

export function list(...items: Uint8Array[]): Buffer {
  return pickle('](', ...items, 'e');
}

/** `name`: module and class, by a line break. */
export function instance(name: string, attributes: Attributes): Buffer {
  return pickle(`c${name}\n)`, 0x81, dictionary(attributes), 'b');
}

/** One float of zero by default. */
export function arrayOpcodes(array: BuiltArray = {}): Buffer {
  const { code = 'f4', shape = [1], order = 'C', byteOrder = unicode('<'), more = {} } = array;
  const size = (code.startsWith('U') ? 4 : 1) * Number(code.slice(1)) * shape.map(Number).reduce((a, b) => a * b, 1);
  const { data = Buffer.alloc(size) } = array;
  const attributes = {
    subclass: pickle('cnumpy\nndarray\n'),
    shape: pickle('(', ...shape.map(long), 't'),
    order: unicode(order),
    dtype: pickle('cnumpy\ndtype\n', unicode(code), 0x89, 0x88, 0x87, 'R(K', 3, byteOrder, 'NNNtb'),
    ...more,
  };
  return pickle(instance('joblib.numpy_pickle\nNumpyArrayWrapper', attributes), data);
}

export function floats(values: readonly number[], shape: readonly number[]): BuiltArray {
  return { shape, data: Buffer.from(Float32Array.from(values).buffer) };
}

/** What a fitted LogisticRegression of `count` rows over `columns` values has; classes are 0, 1, ... */
export function logisticAttributes(count: number, columns: number): Record<string, Uint8Array> {
  const values = Array.from({ length: count * columns }, (_, index) => (((index * 37) % 61) - 30) / 32);
  const classes = Array.from({ length: Math.max(2, count) }, (_, index) => index);
  return {
    solver: unicode('lbfgs'),
    classes_: arrayOpcodes({ code: 'u1', shape: [classes.length], data: Buffer.from(classes) }),
    coef_: arrayOpcodes(floats(values, [count, columns])),
    intercept_: arrayOpcodes(floats(values.slice(0, count), [count])),
  };
}

export function multiOutput(...estimators: Uint8Array[]): Buffer {
  return instance(MULTI_OUTPUT, { estimators_: list(...estimators) });
}
