#!/usr/bin/env python3
"""Makes test/fixtures/tokenizers/pipelines.json.br and test/golden/tokenizers.json: small tokenizers with every pipeline of
tokenizer_pipelines.py, strings, and digests of the ids that Hugging Face's tokenizers give.

    scripts/check-tokenizers.py train <folder> 2500
    scripts/make-pipeline-fixtures.py <folder>

Versions that made the committed files: tokenizers 0.23.2, Python 3.11. Needs Node for the compression.
"""
import hashlib
import importlib
import json
import struct
import subprocess
import sys
from pathlib import Path

from tokenizer_strings import CLASS_SIZE, hard_strings

live = importlib.import_module("check-tokenizers")
fixtures = live.fixtures

PACKED = fixtures.OUT / "pipelines.json.br"
GOLDEN = fixtures.ROOT / "test/golden/tokenizers.json"
COMPRESS = """
const { brotliCompressSync, constants } = require('node:zlib');
const data = require('node:fs').readFileSync(0);
const params = { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: data.length };
process.stdout.write(brotliCompressSync(data, { params }));
"""

# The planes with characters, and the tags; the rest is one kind and left to `check-tokenizers.py sweep`.
SWEPT = [(0x0, 0xD800), (0xE000, 0x20000), (0xE0000, 0xE1000)]
SWEEP_TEXT = 64
SWEEP_CHUNK = 4096
STRINGS_PER_CLASS = 40


def digest(encodings):
    """Over the count, the ids and the type ids of each."""
    sha = hashlib.sha256()
    for encoding in encodings:
        ids = encoding.ids
        sha.update(struct.pack(f"<{1 + 2 * len(ids)}i", len(ids), *ids, *encoding.type_ids))
    return sha.hexdigest()[:12]


def classes():
    """{class: strings}; the hard strings, thinned, that are text."""
    out = {}
    for name, data in hard_strings(fixtures.vocabulary_words()):
        out.setdefault(name, []).append(data)
    step = CLASS_SIZE // STRINGS_PER_CLASS
    return {name: [fixtures.text_of(data) for data in strings[::step]] for name, strings in out.items()}


def sweep_texts():
    """(first code point of a chunk, its texts)."""
    for first, end in SWEPT:
        for start in range(first, end, SWEEP_CHUNK):
            texts = []
            for begin in range(start, min(start + SWEEP_CHUNK, end), SWEEP_TEXT):
                texts.append("".join(f"{chr(c)} xA{chr(c)}b{chr(c)}\u0301 " for c in range(begin, begin + SWEEP_TEXT)))
            yield start, texts


def main():
    from tokenizers import Tokenizer

    fixtures.require("0.23.2")
    folder = Path(sys.argv[1])
    paths = sorted(path for path in folder.glob("*.json") if path.stem != "vocabularies")
    words = fixtures.vocabulary_words()
    strings = classes()
    packed = {"strings": strings, "added": {}, "tokenizers": {}}
    golden = {}
    for path in paths:
        tokenizer = Tokenizer.from_file(str(path))
        added = [data.decode("utf-8") for data in live.special_strings(path, words)][:240]
        every = [text for texts in strings.values() for text in texts]
        packed["added"][path.stem] = added
        packed["tokenizers"][path.stem] = json.loads(path.read_text("utf-8"))
        golden[path.stem] = {
            "classes": {name: digest(tokenizer.encode_batch(texts)) for name, texts in strings.items()},
            "added": digest(tokenizer.encode_batch(added)),
            "pairs": digest(tokenizer.encode_batch(list(zip(every, every[::-1])))),
            "sweep": {f"{start:x}": digest(tokenizer.encode_batch(texts)) for start, texts in sweep_texts()},
        }
        print(path.stem, flush=True)
    data = json.dumps(packed, ensure_ascii=False, separators=(",", ":")).encode()
    PACKED.write_bytes(subprocess.run(["node", "-e", COMPRESS], input=data, capture_output=True, check=True).stdout)
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
