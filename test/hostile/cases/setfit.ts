/** Hand-made heads of scikit-learn: every opcode, arrays that are none, estimators made of one another. */
import type { Case } from '../case';
import { ODD_NUMBERS, type Random, damageBytes, jsonVariants } from '../random';
import { COLUMNS, SETFIT_SETTINGS, setFitFiles, soundHeads } from '../sound-setfit';
import { GLOBALS } from './torch';
import {
  type Attributes,
  type BuiltArray,
  LOGISTIC,
  arrayOpcodes,
  dictionary,
  floats,
  instance,
  list,
  logisticAttributes,
  multiOutput,
  sklearnFile,
} from '../../unit/convert/readers/sklearn-builder';
import { pickle, unicode } from '../../unit/convert/readers/torch-builder';

const ROWS = SETFIT_SETTINGS.labels.length;
/** More labels than a model can have. */
const MANY = 70_000;

type Add = (name: string, head: Uint8Array, expect?: Case['expect'], settings?: unknown) => void;

function logistic(changes: Attributes = {}, rows = ROWS): Buffer {
  return instance(LOGISTIC, { ...logisticAttributes(rows, COLUMNS), ...changes });
}

export function setFitCases(): Case[] {
  const cases: Case[] = [];
  const add: Add = (name, head, expect = 'refused', settings = SETFIT_SETTINGS) => {
    cases.push({ name: `setfit/${name}`, files: setFitFiles(head, settings), expect });
  };
  const sound = sklearnFile(logistic());
  add('sound', sound, 'accepted');
  soundHeads().forEach((head, index) => {
    add(`sound ${index}`, head, 'accepted', {});
    for (let part = 0; part < 24; part++)
      add(`head ${index} cut after ${part}/24`, head.subarray(0, (head.length * part) / 24));
  });
  for (let opcode = 0; opcode < 256; opcode++) {
    const name = `opcode 0x${opcode.toString(16).padStart(2, '0')}`;
    add(`${name} for a value`, sklearnFile(logistic({ verbose: pickle(opcode) })), 'any');
    add(`${name} behind it`, pickle(sklearnFile(logistic()).subarray(0, -1), opcode, '.'), 'any');
  }
  for (const name of [...GLOBALS, 'numpy\nload', 'joblib\nload', 'sklearn.svm._classes\nSVC', 'numpy\ndtype']) {
    add(`global ${name.replace('\n', '.')}`, sklearnFile(pickle(`c${name}\n`, unicode('touch /tmp/x'), 0x85, 'R')));
    add(`instance of ${name.replace('\n', '.')}`, sklearnFile(instance(name, {})));
  }
  for (const protocol of [0, 1, 255]) add(`protocol ${protocol}`, pickle(0x80, protocol, sound.subarray(2)));
  let count = 0;
  for (const settings of jsonVariants(SETFIT_SETTINGS)) add(`settings ${count++}`, sound, 'any', settings);
  arrays(add);
  estimators(add);
  return cases;
}

function arrays(add: Add): void {
  const values = floats(new Array<number>(ROWS * COLUMNS).fill(0.5), [ROWS, COLUMNS]);
  const coef = (name: string, changes: BuiltArray, expect: Case['expect'] = 'refused') => {
    add(`weights ${name}`, sklearnFile(logistic({ coef_: arrayOpcodes({ ...values, ...changes }) })), expect);
  };
  coef('in the order of columns', { order: 'F' }, 'accepted');
  for (const order of ['', 'K', 'constructor']) coef(`in the order ${order}`, { order });
  const codes = ['', 'f', 'f2', 'f16', 'c8', 'O8', 'V4', 'M8', 'S1', 'U0', 'U1', 'U9999', 'U99999', 'i4', 'u1', 'b1'];
  for (const code of [...codes, '<f4', 'f4\0', '__proto__', 'toString']) coef(`of the type ${code}`, { code });
  for (const size of [0n, 1n, BigInt(COLUMNS + 1), 2n ** 31n, 2n ** 52n]) {
    coef(`of ${size} rows`, { shape: [size, COLUMNS] });
    coef(`of ${size} columns`, { shape: [ROWS, size] });
    coef(`of ${size} values`, { shape: [size] });
  }
  coef('of a negative size', { shape: [-ROWS, -COLUMNS] });
  coef('of no dimension', { shape: [] });
  coef('of three dimensions', { shape: [ROWS, COLUMNS, 1] });
  coef('cut', { data: values.data!.subarray(1) });
  coef('with a byte too many', { data: Buffer.concat([values.data!, Buffer.of(0)]) });
  coef('of big numbers', { code: 'f8', data: Buffer.from(new Float64Array(ROWS * COLUMNS).fill(1e300).buffer) });
  for (const value of [NaN, Infinity, -Infinity])
    coef(`of ${value}`, floats(new Array<number>(ROWS * COLUMNS).fill(value), [ROWS, COLUMNS]));
  for (const padding of [0, 1, 255]) {
    const data = Buffer.concat([Buffer.of(padding), Buffer.alloc(padding), values.data!]);
    const more = { numpy_array_alignment_bytes: pickle('K', 16) };
    coef(`behind ${padding} bytes`, { data, more }, 'accepted');
    coef(`behind fewer than ${padding} bytes`, { data: data.subarray(padding + 1), more });
  }
  const tower = Array.from({ length: 30 }, (_, level) => pickle('](h', level, 'h', level, 'e', 0x94));
  const orders: Readonly<Record<string, Uint8Array>> = {
    '>': unicode('>'),
    nothing: pickle('N'),
    'a list inside itself': pickle(']', 0x94, 'h', 0, 'a'),
    'a million lists by name': pickle('(]', 0x94, ...tower, 't'),
  };
  for (const [name, byteOrder] of Object.entries(orders)) coef(`in the byte order ${name}`, { byteOrder });
  const many = new Array<number>(MANY).fill(0);
  for (const [name, code] of Object.entries({ numbers: 'u1', texts: 'U1' })) {
    const classes_ = arrayOpcodes({ code, shape: [MANY] });
    add(
      `${MANY} classes that are ${name}`,
      sklearnFile(logistic({ classes_, coef_: arrayOpcodes(floats(many, [MANY, 1])) })),
    );
  }
  const classes = (
    name: string,
    array: BuiltArray,
    expect: Case['expect'] = 'any',
    settings: unknown = SETFIT_SETTINGS,
  ) => add(`classes ${name}`, sklearnFile(logistic({ classes_: arrayOpcodes(array) })), expect, settings);
  for (const point of [0, 0xd800, 0x10ffff, 0x110000, 0xffff_ffff])
    classes(`of the letter ${point}`, {
      code: 'U1',
      shape: [3],
      data: Buffer.from(Uint32Array.of(point, 65, 66).buffer),
    });
  // Classes count the names, from the end where they are negative.
  for (const value of [NaN, 0.5, -4, 3, Infinity, 2 ** 40])
    classes(`with ${value}`, floats([0, 1, value], [3]), 'refused');
  classes('with -1', floats([0, 1, -1], [3]), 'accepted');
  classes('with NaN and no names', floats([0, 1, NaN], [3]), 'any', {});
  classes('of long texts', { code: 'U9999', shape: [3], data: Buffer.alloc(3 * 4 * 9999, 'a\0\0\0') });
  add('intercepts of 2^20 rows', sklearnFile(logistic({ intercept_: arrayOpcodes({ shape: [2 ** 20] }) })));
  add('no intercepts', sklearnFile(logistic({ intercept_: arrayOpcodes({ shape: [0] }) })));
}

function estimators(add: Add): void {
  const binary = () => logistic({}, 1);
  const attributes = Object.keys(logisticAttributes(ROWS, COLUMNS));
  for (const name of attributes) {
    const rest = Object.entries(logisticAttributes(ROWS, COLUMNS)).filter(([own]) => own !== name);
    add(
      `without ${name}`,
      sklearnFile(instance(LOGISTIC, Object.fromEntries(rest))),
      name === 'solver' ? 'accepted' : 'refused',
    );
    for (const [what, value] of Object.entries({ nothing: pickle('N'), 'a number': pickle('K', 1), 'a list': list() }))
      add(`${name} is ${what}`, sklearnFile(logistic({ [name]: value })), name === 'solver' ? 'accepted' : 'refused');
  }
  for (const value of ['multinomial', 'ovr', 'warn', '__proto__'])
    add(`multi_class is ${value}`, sklearnFile(logistic({ multi_class: unicode(value) })), 'any');
  add('several labels', sklearnFile(multiOutput(binary(), binary(), binary())), 'accepted');
  add('no label', sklearnFile(multiOutput()));
  add('an estimator inside itself', sklearnFile(multiOutput(multiOutput(binary()))));
  // What stands once in the file may not be asked for as often as it is named.
  const times = (count: number, part = pickle('h', 0)) => Buffer.alloc(count * part.length, part);
  const large = pickle(instance(LOGISTIC, logisticAttributes(1, 16_000)), 0x94);
  for (const count of [1, 2, 1000, MANY]) {
    add(`one estimator ${1 + count} times`, sklearnFile(multiOutput(large, times(count))), 'refused', {});
    const sharing = times(
      count,
      pickle(
        `c${LOGISTIC}
)`,
        0x81,
        'h',
        0,
        'b',
      ),
    );
    const first = pickle(`c${LOGISTIC}\n)`, 0x81, dictionary(logisticAttributes(1, 16_000)), 0x94, 'b');
    add(`the attributes of one estimator in ${1 + count}`, sklearnFile(multiOutput(first, sharing)), 'refused', {});
  }
  add('a million estimators', sklearnFile(multiOutput(pickle('N', 0x94), times(1_000_000))));
  add('of attributes that are a list', sklearnFile(pickle(`c${LOGISTIC}\n)`, 0x81, ']b')));
  add(
    'built a thousand times',
    sklearnFile(logistic(), ...Array.from({ length: 1000 }, () => pickle('}b'))),
    'refused',
  );
  add('written with compress', Buffer.from('789c0300', 'hex'));
  add('a class alone', sklearnFile(pickle(`c${LOGISTIC}\n`)));
  add('an array alone', sklearnFile(arrayOpcodes()));
  add('nothing', Buffer.alloc(0));
  add(
    'a gigabyte of arrays in a few bytes',
    sklearnFile(arrayOpcodes({ code: 'f8', shape: [2n ** 30n], data: Buffer.alloc(64) })),
  );
}

/** A head with one to four places damaged, or made anew of parts that do not belong together. */
export function mutateHead(heads: readonly Buffer[], random: Random): Buffer {
  if (random.chance(2)) return damageBytes(random.pick(heads), random);
  const rows = random.pick([1, 2, ROWS, 8]);
  const part = (): Uint8Array => {
    const table = logisticAttributes(random.pick([1, ROWS]), random.pick([1, COLUMNS]));
    return random.chance(3) ? oddArray(random) : random.pick(Object.values(table));
  };
  const table = logisticAttributes(rows, COLUMNS);
  for (let edits = random.below(3); edits >= 0; edits--) {
    const name = random.pick(Object.keys(table));
    if (random.chance(6)) Reflect.deleteProperty(table, name);
    else table[name] = part();
  }
  const estimator = instance(LOGISTIC, table);
  const whole = random.chance(2)
    ? estimator
    : multiOutput(estimator, logistic({}, 1), logistic({}, random.pick([1, ROWS])));
  const file = sklearnFile(whole);
  return random.chance(4) ? damageBytes(file, random) : file;
}

function oddArray(random: Random): Buffer {
  const shape = Array.from({ length: random.below(4) }, () => random.pick([1, ROWS, COLUMNS, 0, 100]));
  const code = random.pick(['f4', 'f8', 'i8', 'i4', 'u1', 'b1', 'U3', 'U0', 'f2']);
  const length = shape.reduce((product, size) => product * size, code.startsWith('U') ? 12 : 8);
  const data = Buffer.alloc(random.chance(3) ? random.below(length + 1) : length, random.below(256));
  const claimed = random.chance(6) ? [...shape.slice(1), BigInt.asIntN(64, random.pick(ODD_NUMBERS))] : shape;
  return arrayOpcodes({ code, shape: claimed, order: random.pick(['C', 'F', 'C', 'K']), data });
}
