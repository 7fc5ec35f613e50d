/** Arrays as numpy and joblib write them, with the types that heads of scikit-learn have. Nothing is aligned. */

/** The element types that are read: numpy's letter for the kind and the bytes of one element. */
const NUMBERS: Readonly<Record<string, (view: DataView, offset: number) => number>> = {
  f8: (view, offset) => view.getFloat64(offset, true),
  f4: (view, offset) => view.getFloat32(offset, true),
  i8: (view, offset) => Number(view.getBigInt64(offset, true)),
  i4: (view, offset) => view.getInt32(offset, true),
  i2: (view, offset) => view.getInt16(offset, true),
  i1: (view, offset) => view.getInt8(offset),
  u8: (view, offset) => Number(view.getBigUint64(offset, true)),
  u4: (view, offset) => view.getUint32(offset, true),
  u1: (view, offset) => view.getUint8(offset),
  b1: (view, offset) => view.getUint8(offset),
};

/** Bytes of one element of the type `code`, such as f8 or U12 (text of 12 code points); undefined for any other type. */
export function numpyElementBytes(code: string): number | undefined {
  if (Object.hasOwn(NUMBERS, code)) return Number(code.slice(1));
  const text = /^U(\d{1,4})$/.exec(code);
  return text === null ? undefined : 4 * Number(text[1]);
}

export class NumpyArray {
  constructor(
    readonly code: string,
    readonly shape: readonly number[],
    /** Little-endian; the first dimension varies fastest where `isFortran`. */
    private readonly bytes: Buffer,
    private readonly isFortran: boolean,
  ) {}

  get isText(): boolean {
    return this.code.startsWith('U');
  }

  get isFloat(): boolean {
    return this.code.startsWith('f');
  }

  /** Elements. */
  get length(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /** Row by row. Of texts NaN. */
  numbers(): Float64Array {
    const read = NUMBERS[this.code] ?? (() => NaN);
    const width = numpyElementBytes(this.code)!;
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    const values = new Float64Array(this.bytes.length / width);
    const [rows = 1, columns = 1] = this.shape;
    for (let i = 0; i < values.length; i++) {
      const place = this.isFortran && this.shape.length === 2 ? (i % columns) * rows + Math.floor(i / columns) : i;
      values[i] = read(view, place * width);
    }
    return values;
  }

  /** Of a list of texts; each is padded with zeros in the file. */
  texts(): string[] {
    const width = numpyElementBytes(this.code)!;
    return Array.from({ length: this.bytes.length / width }, (_, index) => {
      const points: number[] = [];
      for (let offset = index * width; offset < (index + 1) * width; offset += 4) {
        points.push(this.bytes.readUInt32LE(offset));
      }
      while (points.at(-1) === 0) points.pop();
      return String.fromCodePoint(...points.map((point) => (point <= 0x10ffff ? point : 0xfffd)));
    });
  }
}
