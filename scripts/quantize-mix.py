#!/usr/bin/env python3
"""Rewrites an F32 file of this package as one of llama.cpp's mixes, with ggml's own quantizers, to measure what it costs.

Usage: python scripts/quantize-mix.py F32.gguf OUT.gguf {q4_0,q5_0,q8_0,q4_k_m,q5_k_m,q6_k}
Takes the built library (npm run build), numpy 2.4.6 and gguf 0.19. Which tensor gets which type is llama.cpp v0.5.0's rule
for a file without `output.weight`; rows that are no multiple of 256 fall back as there. The figures are in
docs/decisions/0005-k-quants-are-read-and-not-written.md.
"""
import ctypes
import pathlib
import re
import sys

import numpy
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as Type, GGUFReader, GGUFValueType, GGUFWriter

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAYERS = {"q4_0": Type.Q4_0, "q5_0": Type.Q5_0, "q8_0": Type.Q8_0, "q4_k_m": Type.Q4_K, "q5_k_m": Type.Q5_K, "q6_k": Type.Q6_K}
JOINED = {"q4_k_m": Type.Q5_K, "q5_k_m": Type.Q6_K}
FALLBACK = {Type.Q4_K: Type.Q5_0, Type.Q5_K: Type.Q5_1, Type.Q6_K: Type.Q8_0}
MATRIX = re.compile(r"token_embd\.weight|blk\.(\d+)\.(attn_qkv|attn_output|ffn_up|ffn_down)\.weight")


def takes_more_bits(layer, layers):
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def type_of(match, mix, layers, columns):
    kind = match[2]
    chosen = LAYERS[mix]
    if mix in ("q4_k_m", "q5_k_m", "q6_k"):
        if kind is None or (kind == "ffn_down" and takes_more_bits(int(match[1]), layers)):
            chosen = Type.Q6_K
        elif kind == "attn_qkv":
            chosen = JOINED.get(mix, chosen)
    return chosen if columns % GGML_QUANT_SIZES[chosen][0] == 0 else FALLBACK[chosen]


def quantize(library, values, type):
    elements, size = GGML_QUANT_SIZES[type]
    rows, columns = values.shape
    stored = numpy.zeros((rows, columns // elements * size), numpy.uint8)
    library.ggml_quantize_chunk(int(type), values.ctypes.data, stored.ctypes.data, 0, rows, columns, None)
    return stored


def main():
    source, target, mix = sys.argv[1:]
    library = ctypes.CDLL(str(next((ROOT / "build-cmake" / "out").glob("libggml-encoder-*-ggml-base.so"))))
    pointer = ctypes.c_void_p
    library.ggml_quantize_chunk.argtypes = [ctypes.c_int, pointer, pointer, *[ctypes.c_int64] * 3, pointer]
    reader = GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    layers = reader.fields[f"{architecture}.block_count"].contents()
    writer = GGUFWriter(target, architecture)
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            is_array = field.types[0] == GGUFValueType.ARRAY
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=field.types[-1] if is_array else None)
    for tensor in reader.tensors:
        values = numpy.ascontiguousarray(tensor.data)
        match = MATRIX.fullmatch(tensor.name)
        if match is None:
            writer.add_tensor(tensor.name, values, raw_dtype=tensor.tensor_type)
        else:
            type = type_of(match, mix, layers, values.shape[1])
            writer.add_tensor(tensor.name, quantize(library, values, type), raw_dtype=type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
