#!/usr/bin/env python3
"""Makes test/unit/convert/fixtures/blocks.json: ggml's block types, quantized and read back by ggml itself.

Takes the built library (npm run build) and numpy 2.4.6. Usage: python scripts/make-block-fixtures.py
"""
import base64
import ctypes
import json
import pathlib

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "test" / "unit" / "convert" / "fixtures" / "blocks.json"
# Number, elements and bytes of a block.
TYPES = {
    "Q4_0": (2, 32, 18),
    "Q4_1": (3, 32, 20),
    "Q5_0": (6, 32, 22),
    "Q5_1": (7, 32, 24),
    "Q8_0": (8, 32, 34),
    "Q2_K": (10, 256, 84),
    "Q3_K": (11, 256, 110),
    "Q4_K": (12, 256, 144),
    "Q5_K": (13, 256, 176),
    "Q6_K": (14, 256, 210),
}
# Where the f16 factors of a block stand, so that random blocks have finite ones.
FACTORS = {"Q2_K": (80, 82), "Q3_K": (108,), "Q6_K": (208,), "Q4_1": (0, 2), "Q5_1": (0, 2), "Q4_K": (0, 2), "Q5_K": (0, 2)}


def text(array):
    return base64.b64encode(numpy.ascontiguousarray(array).tobytes()).decode("ascii")


def values(rng):
    """One row for each way of being awkward: zeros, one value, ties, halves of a step, both signs at the extreme."""
    rows = rng.normal(0, 1, (4, 256)).astype(numpy.float32) * numpy.float32([0.02, 1, 1e4, 1e-9])[:, None]
    rows[1, :32] = 0
    rows[1, 32:64] = numpy.arange(-16, 16) * 0.5
    rows[1, 64:96] = numpy.where(numpy.arange(32) % 2 == 0, 1, -1)
    rows[1, 96:128] = 3
    rows[1, 128:160] = numpy.arange(32) / 16
    rows[1, 160:192] = 0
    rows[1, 165] = -0.125
    return rows


def main():
    library = ctypes.CDLL(str(next((ROOT / "build-cmake" / "out").glob("libggml-encoder-*-ggml-base.so"))))
    pointer = ctypes.c_void_p
    library.ggml_quantize_chunk.argtypes = [ctypes.c_int, pointer, pointer, *[ctypes.c_int64] * 3, pointer]
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    rng = numpy.random.default_rng(11)
    rows = values(rng)
    result = {"values": text(rows), "types": {}}
    for name, (number, elements, size) in TYPES.items():
        count = len(rows) if elements == 32 else 1
        stored = numpy.zeros(count * rows.shape[1] // elements * size, numpy.uint8)
        library.ggml_quantize_chunk(number, rows.ctypes.data, stored.ctypes.data, 0, count, rows.shape[1], None)
        noise = rng.integers(0, 256, (256 // elements, size), numpy.uint8)
        for at in FACTORS.get(name, (0,)):
            noise[:, at : at + 2] = rng.normal(0, 1, len(noise)).astype(numpy.float16)[:, None].view(numpy.uint8)
        stored = numpy.concatenate([stored, noise.reshape(-1)])
        decoded = numpy.zeros(stored.size // size * elements, numpy.float32)
        decode = getattr(library, f"dequantize_row_{name.lower().replace('_k', '_K')}")
        decode.argtypes = [pointer, pointer, ctypes.c_int64]
        decode(stored.ctypes.data, decoded.ctypes.data, decoded.size)
        # The rows' own blocks come first; the rest is noise that only a reader meets.
        result["types"][name] = {"stored": text(stored), "decoded": text(decoded)}
    OUT.write_text(json.dumps(result, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
