// ONNX files built field by field: how weights get their names and their orientation back, and what is refused.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { OnnxWeights } from '../../../../src/convert/readers/onnx-weights';
import { isEncoderError } from '../../../../src/errors';
import { resolveLimits } from '../../../../src/support/limits';
import { SourceFile } from '../../../../src/support/source-file';
import { temporaryFolder } from '../temp-folder';
import { type ReadTensor, readAll } from './format-fixtures';
import { type BuiltNode, type BuiltTensor, onnxFile } from './onnx-builder';
import { bytesField, field, integerField, varint } from './protobuf-builder';

type Others = Readonly<Record<string, Uint8Array>>;
type LimitsGiven = Parameters<typeof resolveLimits>[0];

async function read(bytes: Uint8Array, others: Others = {}, limits?: LimitsGiven): Promise<Map<string, ReadTensor>> {
  const path = join(temporaryFolder(), 'model.onnx');
  writeFileSync(path, bytes);
  const files = [await SourceFile.open(path, 'checkpoint_not_found')];
  try {
    const source = await OnnxWeights.open(files[0]!, resolveLimits(limits), async (name) => {
      if (!Object.hasOwn(others, name)) return undefined;
      const beside = join(dirname(path), name);
      writeFileSync(beside, others[name]!);
      files.push(await SourceFile.open(beside, 'checkpoint_not_found'));
      return files.at(-1);
    });
    return await readAll(source);
  } finally {
    for (const file of files) await file.close();
  }
}

async function refusal(bytes: Uint8Array, others?: Others, limits?: LimitsGiven): Promise<string> {
  const error = await read(bytes, others, limits).then(
    () => new Error('it was read'),
    (thrown: unknown) => thrown,
  );
  if (!isEncoderError(error)) throw error;
  return `${error.code}: ${error.message}`;
}

/** A product of a layer's input with the tensor `weight`, which no exporter's name says anything of. */
function product(weight: string, rest: Partial<BuiltNode> = {}): BuiltNode {
  return { type: 'MatMul', inputs: ['x', weight], output: `${weight}_output`, ...rest };
}

const MATRIX: BuiltTensor = { name: 'onnx::MatMul_12', shape: [3, 2], values: [1, 2, 3, 4, 5, 6] };
const BIAS: BuiltTensor = { name: 'a.layer.0.dense.bias', shape: [2], values: [7, 8] };
const ADDED: BuiltNode = { type: 'Add', inputs: [BIAS.name, `${MATRIX.name}_output`], output: 'y' };
/** MATRIX as PyTorch has it. */
const WEIGHT = { dtype: 'F32', shape: [2, 3], values: [1, 3, 5, 2, 4, 6] };

describe('a matrix without a name', () => {
  it.each<[string, readonly BuiltNode[]]>([
    ['the bias that is added', [product(MATRIX.name), ADDED]],
    ['the bias on either side', [product(MATRIX.name), { ...ADDED, inputs: [...ADDED.inputs].reverse() }]],
    ['the name of the product', [product(MATRIX.name, { name: '/a/layer.0/dense/MatMul' })]],
    [
      'the modules around it',
      [
        product(MATRIX.name, {
          metadata: { 'pkg.torch.onnx.name_scopes': "['', 'a', 'a.layer.0.dense', 'linear_3']" },
        }),
      ],
    ],
    // ALBERT's layers are one, whose products have names of their own each.
    ['its bias before the name of the product', [product(MATRIX.name, { name: '/a/layer.0/dense_1/MatMul' }), ADDED]],
    [
      'a copy of an equal bias',
      [{ type: 'Identity', inputs: ['a.norm.bias'], output: BIAS.name }, product(MATRIX.name), ADDED],
    ],
  ])('has that of %s', async (_, nodes) => {
    const tensors = await read(
      onnxFile(nodes, [MATRIX, { ...BIAS, name: nodes[0]!.inputs[0] === 'a.norm.bias' ? 'a.norm.bias' : BIAS.name }]),
    );
    expect(tensors.get('a.layer.0.dense.weight')).toEqual(WEIGHT);
    expect(tensors.get('a.layer.0.dense.bias')).toEqual({ dtype: 'F32', shape: [2], values: [7, 8] });
  });

  it('of a Gemm is as the Gemm says', async () => {
    const gemm = { type: 'Gemm', inputs: ['x', MATRIX.name, BIAS.name], name: '/a/layer.0/dense/Gemm' };
    const turned = await read(onnxFile([{ ...product(MATRIX.name), ...gemm }], [MATRIX]));
    expect(turned.get('a.layer.0.dense.weight')).toEqual(WEIGHT);
    const scaled = { ...product(MATRIX.name), ...gemm, scales: { alpha: 0.5, beta: 1 } };
    expect(await refusal(onnxFile([scaled], [MATRIX]))).toMatch(/^dtype_unsupported: .*a scale into its products/);
    const unscaled = { ...scaled, scales: { alpha: 1, beta: 1 } };
    expect((await read(onnxFile([unscaled], [MATRIX]))).get('a.layer.0.dense.weight')).toEqual(WEIGHT);
    const byBias = await read(onnxFile([{ ...product(MATRIX.name), ...gemm, name: 'Gemm_3' }], [MATRIX, BIAS]));
    expect(byBias.get('a.layer.0.dense.weight')).toEqual(WEIGHT);
    const asItIs = await read(
      onnxFile([{ ...product(MATRIX.name), ...gemm, attributes: { transA: 0, transB: 1 } }], [MATRIX]),
    );
    expect(asItIs.get('a.layer.0.dense.weight')).toEqual({ dtype: 'F32', shape: [3, 2], values: MATRIX.values });
  });

  it('may be there twice, but not with other values', async () => {
    const scope = (name: string) => product(name, { name: '/a/dense/MatMul' });
    const twin = { ...MATRIX, name: 'onnx::MatMul_13' };
    const twice = await read(onnxFile([scope(MATRIX.name), scope(twin.name)], [MATRIX, twin]));
    expect([...twice]).toEqual([['a.dense.weight', WEIGHT]]);
    const other = { ...twin, values: [1, 2, 3, 4, 5, 7] };
    expect(await refusal(onnxFile([scope(MATRIX.name), scope(twin.name)], [MATRIX, other]))).toMatch(
      /^tensor_missing: .*whether onnx::MatMul_12 or onnx::MatMul_13 is a\.dense\.weight in PyTorch; use the checkpoint/,
    );
    // The second begins four bytes behind the first: to compare thousands of such would read a file thousands of times.
    const lying = (name: string, offset: string) => {
      return { ...MATRIX, name, storage: { location: 'data', offset, length: '24' } };
    };
    const nodes = [scope(MATRIX.name), scope(twin.name)];
    const others = { data: Buffer.alloc(28) };
    expect((await read(onnxFile(nodes, [lying(MATRIX.name, '0'), lying(twin.name, '4')]), others)).size).toBe(1);
    const many = Array.from({ length: 3 }, (_, index) => `onnx::MatMul_${index}`);
    const overlapping = many.map((name, index) => lying(name, String(index % 2 === 0 ? 0 : 4)));
    expect((await read(onnxFile(many.map(scope), overlapping), others)).size).toBe(1);
    overlapping.push({ ...lying('onnx::MatMul_3', '2') });
    expect(await refusal(onnxFile([...many, 'onnx::MatMul_3'].map(scope), overlapping), others)).toMatch(
      /^checkpoint_malformed: .*tensors lie on top of each other/,
    );
  });

  it('that nothing names is refused, and constants are left out', async () => {
    const nodes = [product(MATRIX.name, { name: 'MatMul_12' })];
    expect(await refusal(onnxFile(nodes, [MATRIX, BIAS]))).toMatch(
      /^tensor_missing: .*what 1 of its matrices are called in PyTorch \(onnx::MatMul_12\); use the checkpoint/,
    );
    const constants = [
      { name: 'val_3', shape: [], values: [0.5] },
      { name: 'onnx::MatMul_13', shape: [1, 3, 2], values: MATRIX.values },
    ];
    const others = [product('onnx::MatMul_13'), product('/a/dense/Transpose_output')];
    expect([...(await read(onnxFile(others, [...constants, BIAS]))).keys()]).toEqual([BIAS.name]);
  });
});

describe('a matrix with its name', () => {
  const named = { ...MATRIX, name: 'a.h.0.dense.weight' };

  it('is as PyTorch has it where the graph turns it', async () => {
    const turn = { type: 'Transpose', inputs: [named.name], output: 'turned' };
    const tensors = await read(onnxFile([turn, product('turned')], [named]));
    expect(tensors.get(named.name)).toEqual({ dtype: 'F32', shape: [3, 2], values: MATRIX.values });
  });

  it('is turned where a product takes it as it is, unless PyTorch does so too', async () => {
    expect((await read(onnxFile([product(named.name)], [named]))).get(named.name)).toEqual(WEIGHT);
    const first = { ...MATRIX, name: 'a.h.0.attn.c_attn.weight' };
    const gemm = product(first.name, { type: 'Gemm', attributes: { transB: 0 } });
    expect((await read(onnxFile([gemm], [first]))).get(first.name)).toMatchObject({ shape: [3, 2] });
  });
});

describe('values', () => {
  const nodes = [product('x')];

  it('lie in raw_data, in a list of floats, or beside the file', async () => {
    const beside = { location: 'model.onnx_data', offset: '4', length: '8' };
    for (const storage of ['raw', 'floats', beside] as const) {
      const others = { 'model.onnx_data': Buffer.from(Float32Array.of(0, 7, 8, 9).buffer) };
      const tensors = await read(onnxFile(nodes, [{ ...BIAS, storage, packedShape: storage === 'raw' }]), others);
      expect(tensors.get(BIAS.name)).toEqual({ dtype: 'F32', shape: [2], values: [7, 8] });
    }
  });

  it('of other types are not looked at', async () => {
    const positions = { name: 'a.position_ids', shape: [1, 2], values: [0, 1], type: 7, storage: 'numbers' } as const;
    expect((await read(onnxFile(nodes, [positions]))).get('a.position_ids')).toEqual({
      dtype: 'I64',
      shape: [1, 2],
      values: [],
    });
  });

  it.each<[string, Partial<BuiltTensor>, RegExp]>([
    ['in a list of numbers', { type: 10, storage: 'numbers' }, /^checkpoint_malformed: .*stored number by number/],
    ['fewer than the shape says', { values: [7] }, /^checkpoint_malformed: .*\(F32 \[2\]\) has 4 bytes/],
    ['more than the shape says', { values: [7, 8, 9] }, /^checkpoint_malformed: .*\(F32 \[2\]\) has 12 bytes/],
    ['of a shape that cannot be', { shape: [-2] }, /^checkpoint_malformed: .*impossible shape \[-2\]/],
    ['of a shape beyond all files', { shape: [2 ** 31 - 1, 2 ** 31 - 1, 2] }, /^checkpoint_malformed: .*has 8 bytes/],
    [
      'of nine dimensions in one field',
      { shape: Array<number>(9).fill(1), packedShape: true },
      /more than 8 dimensions/,
    ],
    [
      'of a million dimensions',
      { shape: Array<number>(1_000_000).fill(1), packedShape: true },
      /^checkpoint_malformed: .*more than 8 dimensions/,
    ],
    ['of nine dimensions', { shape: Array<number>(9).fill(1) }, /^checkpoint_malformed: .*more than 8 dimensions/],
    [
      'in a file that is not there',
      { storage: { location: 'other' } },
      /^checkpoint_not_found: .*in other, which is not beside it/,
    ],
    [
      'in a folder above',
      { storage: { location: '../model.onnx_data' } },
      /^checkpoint_malformed: .*no file beside it/,
    ],
    [
      'in a file that no folder can have',
      { storage: { location: 'x'.repeat(256) } },
      /^checkpoint_malformed: .*no file beside it/,
    ],
    ['in no file', { storage: { location: '..' } }, /^checkpoint_malformed: .*no file beside it/],
    ['at no place', { storage: { location: 'data', offset: '-1' } }, /^checkpoint_malformed: .*at no place of data/],
    [
      'behind the end',
      { storage: { location: 'data', offset: '4', length: '8' } },
      /^checkpoint_malformed: .*ends at byte 12/,
    ],
    ['of another length', { storage: { location: 'data', length: '4' } }, /^checkpoint_malformed: .*has 4 bytes/],
  ])('%s are refused', async (_, wrong, message) => {
    expect(await refusal(onnxFile(nodes, [{ ...BIAS, ...wrong }]), { data: Buffer.alloc(8) })).toMatch(message);
  });
});

describe('a file', () => {
  it.each<[string, BuiltNode, RegExp]>([
    [
      'quantized',
      product('w', { type: 'MatMulInteger' }),
      /^dtype_unsupported: .*quantized \(MatMulInteger\); use the plain/,
    ],
    [
      'quantized in blocks',
      product('w', { type: 'MatMulNBits', domain: 'com.microsoft' }),
      /^dtype_unsupported: .*quantized/,
    ],
    ['of quantized inputs', product('w', { type: 'DynamicQuantizeLinear' }), /^dtype_unsupported: .*quantized/],
    [
      'optimized',
      product('w', { type: 'Attention', domain: 'com.microsoft' }),
      /^dtype_unsupported: .*optimized for ONNX Runtime \(com\.microsoft\.Attention\)/,
    ],
  ])('that is %s is refused', async (_, node, message) => {
    expect(await refusal(onnxFile([node], [BIAS]))).toMatch(message);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', Buffer.alloc(0), /^checkpoint_malformed: .*it has no graph/],
    ['text', Buffer.from('no model'), /^checkpoint_malformed: /],
    [
      'a pointer of Git LFS',
      Buffer.from('version https://git-lfs.github.com/spec/v1\n'),
      /^checkpoint_malformed: .*git lfs pull/,
    ],
    [
      'a message that is cut',
      onnxFile([product('w')], [BIAS]).subarray(0, -3),
      /^checkpoint_malformed: .*ends outside its message/,
    ],
    ['a field of an unknown kind', field(7, 3, Buffer.alloc(0)), /^checkpoint_malformed: .*unknown wire type 3/],
    [
      'a length of 2^64 - 1',
      Buffer.concat([varint(7 * 8 + 2), varint(-1)]),
      /^checkpoint_malformed: .*ends outside its message/,
    ],
    ['a number without end', Buffer.alloc(20, 0xff), /^checkpoint_malformed: .*more than ten bytes/],
  ])('of %s is refused', async (_, bytes, message) => {
    expect(await refusal(bytes)).toMatch(message);
  });

  it('whose weights an optimizer has multiplied is refused', async () => {
    const fused = { ...MATRIX, name: `${MATRIX.name}_fused` };
    const gemm = product(fused.name, { type: 'Gemm', name: '/a/dense/Gemm', attributes: { transB: 1 } });
    expect(await refusal(onnxFile([gemm], [fused]))).toMatch(
      /^dtype_unsupported: .*merged weights \(onnx::MatMul_12_fused\); use the plain/,
    );
  });

  it("may hold a module's constants beside its parameters", async () => {
    const constant = { name: 'a.lifted_tensor_0', shape: [], values: [0.5] };
    expect([...(await read(onnxFile([product('w')], [constant, BIAS]))).keys()]).toEqual([BIAS.name]);
  });

  it('has names of any length, which messages cut', async () => {
    const long = 'n'.repeat(100_000);
    const node = (rest: Partial<BuiltNode>) => [product('w', rest)];
    for (const bytes of [
      onnxFile([product('w'.repeat(60_000))], [{ ...MATRIX, name: 'w'.repeat(60_000) }]),
      onnxFile(node({ type: `${long.slice(0, 60_000)}Integer` }), []),
      onnxFile(node({ domain: `com.microsoft.${long.slice(0, 60_000)}` }), []),
      onnxFile(node({}), [{ ...BIAS, name: `a.${long}`, shape: [-1] }]),
      onnxFile(node({}), [{ ...BIAS, name: `a.${long}`, shape: [3] }]),
      onnxFile(node({}), [{ ...BIAS, name: `a.${long}`, storage: 'numbers' }]),
      onnxFile(node({}), [{ ...BIAS, name: `a.${long}`, storage: { location: long } }]),
      onnxFile(node({}), [{ ...BIAS, name: `a.${long}`, storage: { location: 'data', offset: 'x' } }]),
      onnxFile(node({}), [{ ...BIAS, name: `${long}_fused` }]),
    ]) {
      expect((await refusal(bytes)).length).toBeLessThan(1000);
    }
  });

  it('may have constants in its nodes, and parts of other versions', async () => {
    const later = Buffer.concat([
      integerField(99, 3),
      bytesField(98, 'x'),
      field(97, 5, Buffer.alloc(4)),
      field(96, 1, Buffer.alloc(8)),
    ]);
    const constant = product('w', { type: 'Constant', name: 'x'.repeat(100_000) });
    const bytes = Buffer.concat([later, onnxFile([constant, product('w')], [BIAS]), later]);
    expect([...(await read(bytes, {}, { onnxGraphBytes: 2000 })).keys()]).toEqual([BIAS.name]);
  });

  it('has as many tensors and as many bytes beside them as the limits say', async () => {
    const bytes = onnxFile([product('w')], [BIAS, { ...BIAS, name: 'a.b' }]);
    expect(await refusal(bytes, {}, { tensorsPerFile: 1 })).toMatch(/^limit_exceeded: .*tensorsPerFile is 1/);
    const data = Array.from({ length: 3 }, (_, index) => {
      return { ...BIAS, name: `a.b${index}`, storage: { location: `data${index}`, length: '8' } };
    });
    expect(await refusal(onnxFile([product('w')], data), {}, { shards: 2 })).toMatch(
      /^limit_exceeded: .*weights in at least 3 files; the limit shards is 2/,
    );
    expect(await refusal(bytes, {}, { onnxGraphBytes: 300 })).toMatch(/^limit_exceeded: .*onnxGraphBytes is 300/);
    // Empty fields, of two bytes each, take time without taking room.
    const empty = Buffer.concat([bytes, ...Array<Buffer>(10_000).fill(bytesField(1, ''))]);
    expect(await refusal(empty, {}, { onnxGraphBytes: 200_000 })).toMatch(/^limit_exceeded: .*onnxGraphBytes/);
  });
});
