/**
 * An ONNX file (the protobuf message ModelProto of onnx.proto) as far as its weights need it: which tensors it holds and
 * where, and the nodes that say which weight each of them is. The tensors themselves are not read.
 */
import { EncoderError } from '../../errors';
import { GIT_LFS_ADVICE, POINTER_BYTES, isGitLfsPointer } from '../../support/git-lfs';
import { decodeUtf8, shown } from '../../support/json';
import { type Limits, limitExceeded } from '../../support/limits';
import type { SourceFile } from '../../support/source-file';
import { MAX_DIMENSION, MAX_TENSOR_RANK } from '../limits';
import { ByteCursor } from './byte-cursor';
import { type ProtobufField, readFields, readVarint } from './protobuf';
import { ReadWindow } from './read-window';

export interface OnnxTensor {
  readonly name: string;
  /** As SourceTensor has it; `ONNX type N` for what is none of those. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where its bytes lie: in the file itself, or in one beside it. Undefined where they are stored number by number. */
  readonly place: OnnxPlace | undefined;
}

export interface OnnxPlace {
  /** The name of the file beside this one. */
  readonly file: string | undefined;
  readonly offset: number;
  /** Undefined where a file beside this one has it to its end. */
  readonly length: number | undefined;
}

export interface OnnxNode {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Whether a Gemm takes its second input transposed. */
  readonly isTransposed: boolean;
  /** Dotted path of the PyTorch module that the node comes from, where PyTorch's newer exporter says it. */
  readonly module: string | undefined;
  /** The same by the node's name, as PyTorch's older exporter makes it: of a module's second use it ends in `_1`. */
  readonly scope: string | undefined;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
}

/** What TensorProto.data_type counts. */
const DTYPES: readonly (string | undefined)[] = [
  undefined,
  'F32',
  'U8',
  'I8',
  'U16',
  'I16',
  'I32',
  'I64',
  undefined,
  'BOOL',
  'F16',
  'F64',
  'U32',
  'U64',
  undefined,
  undefined,
  'BF16',
];

const WINDOW_BYTES = 2 ** 16;
/** A node of more bytes holds a constant, which is no product of weights. */
const MAX_NODE_BYTES = 2 ** 16;
/** What a field counts at least, so that empty ones cannot take for ever. */
const FIELD_COST = 32;
const MAX_VARINT_BYTES = 10;
/** Tag and length, at most. */
const MAX_HEADER_BYTES = 2 * MAX_VARINT_BYTES;

/** Of a file beside this one, as file systems have it. */
const MAX_FILE_NAME_BYTES = 255;
/** A name in a message. */
const SHOWN_CHARACTERS = 200;

/** Nodes that say what a weight is called, and the most inputs that one of them has. */
const NAMING_NODES = ['Add', 'Gemm', 'Identity', 'MatMul'];
const MAX_INPUTS = 3;
const QUANTIZED_NODE = /Integer$|^QLinear|QuantizeLinear$|NBits$/;

/** Throws `checkpoint_malformed`, `limit_exceeded`, and `dtype_unsupported` where weights are quantized or merged. */
export async function readOnnxGraph(file: SourceFile, limits: Limits): Promise<OnnxGraph> {
  const head = await file.read(0, Math.min(file.sizeBytes, POINTER_BYTES));
  if (isGitLfsPointer(head)) malformed(file, GIT_LFS_ADVICE);
  const walk = new MessageWalk(file, limits);
  const nodes: OnnxNode[] = [];
  const tensors: OnnxTensor[] = [];
  const beside = new Set<string>();
  for await (const part of walk.fields({ begin: 0, end: file.sizeBytes })) {
    if (part.number !== 7 || !part.isMessage) continue;
    for await (const field of walk.fields(part)) {
      if (!field.isMessage) continue;
      if (field.number === 1) {
        const node = field.end - field.begin > MAX_NODE_BYTES ? undefined : readNode(file, await walk.bytes(field));
        if (node !== undefined) nodes.push(node);
      } else if (field.number === 5) {
        if (tensors.length >= limits.tensorsPerFile) {
          throw limitExceeded(limits, 'tensorsPerFile', `${file.path} has at least ${tensors.length + 1} tensors`);
        }
        const tensor = await readTensor(file, walk, field);
        tensors.push(tensor);
        if (tensor.place?.file !== undefined) beside.add(tensor.place.file);
        if (beside.size > limits.shards) {
          throw limitExceeded(limits, 'shards', `${file.path} has its weights in at least ${beside.size} files`);
        }
      }
    }
  }
  if (nodes.length === 0) malformed(file, 'it has no graph');
  return { nodes, tensors };
}

function readNode(file: SourceFile, bytes: Buffer): OnnxNode | undefined {
  const inputs: string[] = [];
  const texts: Record<number, string> = {};
  let isTransposed = false;
  let isScaled = false;
  let module: string | undefined;
  for (const [number, field] of readFields(bytes, named(file))) {
    if (number === 1 && inputs.length < MAX_INPUTS) inputs.push(text(file, field));
    // Of the outputs the first, of the others the last.
    else if (number === 2) texts[2] ??= text(file, field);
    else if (number === 3 || number === 4 || number === 7) texts[number] = text(file, field);
    else if (number === 5) {
      const { isTransposition, isScaling } = readAttribute(file, field);
      isTransposed ||= isTransposition;
      isScaled ||= isScaling;
    } else if (number === 9) module ??= moduleOf(file, field);
  }
  const { 2: output = '', 3: name = '', 4: type = '', 7: domain = '' } = texts;
  if (QUANTIZED_NODE.test(type)) {
    unsupported(file, `its weights are quantized (${cut(type)})`);
  }
  if (domain.startsWith('com.microsoft')) {
    unsupported(file, `it was optimized for ONNX Runtime (${cut(`${domain}.${type}`)}), which merges weights`);
  }
  if (type === 'Gemm' && isScaled) unsupported(file, 'an optimizer has put a scale into its products');
  return NAMING_NODES.includes(type)
    ? { type, inputs, output, isTransposed, module, scope: scopeOfName(name) }
    : undefined;
}

/** Of the numbers among a Gemm's attributes that which says that it takes its second input transposed, and those that scale. */
function readAttribute(file: SourceFile, field: ProtobufField): { isTransposition: boolean; isScaling: boolean } {
  const attribute = message(file, field);
  const name = text(file, attribute.get(1));
  const isScale = name === 'alpha' || name === 'beta';
  return { isTransposition: name === 'transB' && attribute.get(3) === 1, isScaling: isScale && attribute.get(2) !== 1 };
}

/** PyTorch's older exporter calls the product of a linear layer `/bert/encoder/layer.0/output/dense/MatMul`. */
function scopeOfName(name: string): string | undefined {
  const path = name.split('/').slice(1, -1).join('.');
  return path === '' ? undefined : path;
}

/** PyTorch's newer exporter lists the modules around a node: `['', 'model', 'model.layers.0', 'linear']`. */
function moduleOf(file: SourceFile, field: ProtobufField): string | undefined {
  const entry = message(file, field);
  if (text(file, entry.get(1)) !== 'pkg.torch.onnx.name_scopes') return undefined;
  const scope = /'([^']*)', '[^']*'\]$/.exec(text(file, entry.get(2)))?.[1];
  return scope === '' ? undefined : scope;
}

async function readTensor(file: SourceFile, walk: MessageWalk, whole: FileField): Promise<OnnxTensor> {
  const shape: number[] = [];
  const external: Record<string, string> = {};
  let name = '';
  let type = 0;
  let isExternal = false;
  let place: OnnxPlace | undefined;
  for await (const field of walk.fields(whole)) {
    const { number, begin, end, isMessage, value } = field;
    if (number === 1) {
      if (isMessage && end - begin > MAX_TENSOR_RANK * MAX_VARINT_BYTES) tooManyDimensions(file);
      const dimensions = isMessage ? new ByteCursor(await walk.bytes(field), named(file)) : undefined;
      if (dimensions === undefined) shape.push(value);
      while (dimensions !== undefined && dimensions.remaining > 0) shape.push(readVarint(dimensions));
      if (shape.length > MAX_TENSOR_RANK) tooManyDimensions(file);
    } else if (number === 2) type = value;
    else if (number === 8) name = text(file, await walk.bytes(field));
    // Floats in a list of their own lie as they do in raw_data.
    else if (isMessage && (number === 9 || number === 4))
      place = { file: undefined, offset: begin, length: end - begin };
    else if (number === 13) {
      const entry = message(file, await walk.bytes(field));
      external[text(file, entry.get(1))] = text(file, entry.get(2));
    } else if (number === 14) isExternal = value === 1;
  }
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0 || size > MAX_DIMENSION)) {
    malformed(file, `${shown(name, SHOWN_CHARACTERS)} has the impossible shape [${shape.join()}]`);
  }
  // So onnxslim calls weights that it has multiplied by what their product was.
  if (name.endsWith('_fused')) unsupported(file, `an optimizer has merged weights (${cut(name)})`);
  const dtype = DTYPES[type] ?? `ONNX type ${type}`;
  return { name, dtype, shape, place: isExternal ? externalPlace(file, name, external) : place };
}

function externalPlace(file: SourceFile, name: string, entries: Readonly<Record<string, string>>): OnnxPlace {
  const { location = '', offset, length } = entries;
  const isName = /^[^/\\\0]+$/.test(location) && location !== '.' && location !== '..';
  if (!isName || Buffer.byteLength(location) > MAX_FILE_NAME_BYTES) {
    malformed(
      file,
      `${shown(name, SHOWN_CHARACTERS)} lies in ${shown(location, SHOWN_CHARACTERS)}, which is no file beside it`,
    );
  }
  const numberOf = (digits: string) => {
    const number = /^\d+$/.test(digits) ? Number(digits) : NaN;
    if (!Number.isSafeInteger(number))
      malformed(file, `${shown(name, SHOWN_CHARACTERS)} lies at no place of ${location}`);
    return number;
  };
  return {
    file: location,
    offset: numberOf(offset ?? '0'),
    length: length === undefined ? undefined : numberOf(length),
  };
}

/** A field of a message in the file: the place of its bytes, or the number that it is. */
interface FileField {
  readonly number: number;
  readonly begin: number;
  readonly end: number;
  /** True for what has bytes. */
  readonly isMessage: boolean;
  readonly value: number;
}

/** Messages of a file that may be far larger than memory: fields are found by their lengths, and read when asked for. */
class MessageWalk {
  private readonly window: ReadWindow;
  private cost = 0;

  constructor(
    private readonly file: SourceFile,
    private readonly limits: Limits,
  ) {
    this.window = new ReadWindow(file, WINDOW_BYTES);
  }

  async *fields({ begin, end }: Pick<FileField, 'begin' | 'end'>): AsyncGenerator<FileField> {
    for (let at = begin; at < end;) {
      this.pay(FIELD_COST);
      const cursor = new ByteCursor(await this.window.read(at, Math.min(MAX_HEADER_BYTES, end - at)), named(this.file));
      const tag = readVarint(cursor);
      const wire = tag % 8;
      if (![0, 1, 2, 5].includes(wire)) cursor.fail(`a field has the unknown wire type ${wire} at byte ${at}`);
      const value = wire === 0 || wire === 2 ? readVarint(cursor) : 0;
      const from = at + cursor.offset;
      const to = from + [0, 8, value, 0, 0, 4][wire]!;
      if (!Number.isSafeInteger(to) || to < from || to > end) {
        cursor.fail(`a field at byte ${at} ends outside its message; the download may be incomplete`);
      }
      yield { number: Math.floor(tag / 8), begin: from, end: to, isMessage: wire === 2, value };
      at = to;
    }
  }

  async bytes({ begin, end }: FileField): Promise<Buffer> {
    this.pay(end - begin);
    return this.window.read(begin, end - begin);
  }

  private pay(bytes: number): void {
    this.cost += bytes;
    if (this.cost <= this.limits.onnxGraphBytes) return;
    throw limitExceeded(this.limits, 'onnxGraphBytes', `${this.file.path} has more bytes beside its tensors`);
  }
}

function message(file: SourceFile, field: ProtobufField | undefined): Map<number, ProtobufField> {
  return new Map(Buffer.isBuffer(field) ? readFields(field, named(file)) : []);
}

function text(file: SourceFile, field: ProtobufField | undefined): string {
  return Buffer.isBuffer(field) ? decodeUtf8(field, named(file)) : '';
}

/** For messages: a name may be megabytes. */
export function cut(name: string): string {
  return name.slice(0, SHOWN_CHARACTERS);
}

function tooManyDimensions(file: SourceFile): never {
  malformed(file, `a tensor has more than ${MAX_TENSOR_RANK} dimensions`);
}

function named(file: SourceFile): string {
  return `${file.path}, as an ONNX file`;
}

function unsupported(file: SourceFile, reason: string): never {
  throw new EncoderError(
    'dtype_unsupported',
    `${file.path}: ${reason}; use the plain f32 or f16 export, or the checkpoint that it was made from`,
  );
}

export function malformed(file: SourceFile, reason: string): never {
  throw new EncoderError('checkpoint_malformed', `${file.path} is not a valid ONNX file: ${reason}`);
}
