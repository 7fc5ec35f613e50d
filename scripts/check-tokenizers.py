#!/usr/bin/env python3
"""Compares the native tokenizer with Hugging Face's on hard strings and on every code point, live.

    scripts/check-tokenizers.py train <folder> [size]     vocabularies from this machine's text, and all pipelines
    scripts/check-tokenizers.py strings <folder> [name]   21,600 hard strings and 2,400 pairs per tokenizer
    scripts/check-tokenizers.py sweep <folder> [name]     every scalar value

Needs `npm run build:tests` for the program enc_tokenize, and the packages that tokenizer_pipelines.py names.
"""
import importlib
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

from tokenizer_pipelines import PIPELINES, build, mpnet, train_vocabularies
from tokenizer_strings import Maker, escape, hard_strings

fixtures = importlib.import_module("make-tokenizer-fixtures")
PROGRAM = fixtures.ROOT / "build-cmake/out/enc_tokenize"
NO_TEXT = struct.pack("<I", 0xFFFFFFFF)


def train(folder, size):
    folder.mkdir(parents=True, exist_ok=True)
    lines = list(fixtures.corpus())
    Random(1).shuffle(lines)
    base = train_vocabularies(lines[:150000], size)
    (folder / "vocabularies.json").write_text(json.dumps(base))
    write_pipelines(folder, base)


def write_pipelines(folder, base):
    for name in PIPELINES:
        (folder / f"{name}.json").write_text(build(name, base).to_str(), encoding="utf-8")
    wordpiece = (fixtures.OUT / "wordpiece-uncased/vocab.txt").read_text("utf-8").split("\n")[:-1]
    (folder / "mpnet.json").write_text(mpnet([w for w in wordpiece if w != "[PAD]"]).to_str(), encoding="utf-8")


def native(path, texts, mode="parse"):
    """[(ids, type ids)] of (text, pair or None) in bytes."""
    with tempfile.TemporaryFile() as file:
        for text, pair in texts:
            file.write(struct.pack("<I", len(text)) + text)
            file.write(NO_TEXT if pair is None else struct.pack("<I", len(pair)) + pair)
        file.seek(0)
        data = subprocess.run([PROGRAM, path, mode], stdin=file, stdout=subprocess.PIPE, check=True).stdout
    results, at = [], 0
    while at < len(data):
        (count,) = struct.unpack_from("<i", data, at)
        numbers = struct.unpack_from(f"<{2 * count}i", data, at + 4)
        results.append((list(numbers[:count]), list(numbers[count:])))
        at += 4 + 8 * count
    assert len(results) == len(texts)
    return results


def compare(path, texts):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    wrong = 0
    for start in range(0, len(texts), 65536):
        part = texts[start : start + 65536]
        inputs = [
            fixtures.text_of(text) if pair is None else (fixtures.text_of(text), fixtures.text_of(pair))
            for text, pair in part
        ]
        # The fast form gives a pair without post-processor wrong segments.
        has_pairs = any(pair is not None for _, pair in part)
        expected = (tokenizer.encode_batch if has_pairs else tokenizer.encode_batch_fast)(inputs)
        for (text, pair), encoding, (ids, type_ids) in zip(part, expected, native(path, part)):
            if encoding.ids == ids and encoding.type_ids == type_ids:
                continue
            wrong += 1
            if wrong <= 3:
                print(f"  {escape(text)!s} | {'' if pair is None else escape(pair)}")
                print(f"    wanted {[tokenizer.id_to_token(i) for i in encoding.ids][:40]}\n    got    "
                      f"{[tokenizer.id_to_token(i) for i in ids][:40]}")
    print(f"{path.stem}: {wrong} of {len(texts)} differ", flush=True)
    return wrong


def special_strings(path, words):
    contents = [t["content"] for t in json.loads(path.read_text("utf-8"))["added_tokens"]] or ["<s>"]
    contents += ["<s>", "</s>", "<unk>", "\u2581", "\u2581\u2581", "<0x0A>", "``", "''"]
    maker = Maker("added", words)
    for _ in range(1200):
        item = lambda: maker.pick(["", " ", "  ", "\n"]) + maker.pick(contents) + maker.pick(["", " ", "\t", "a", "\u0301"])
        yield maker.pick([lambda: maker.sprinkle(item), lambda: maker.run(item, 1, 4)])().encode()


def strings(path):
    words = fixtures.vocabulary_words()
    texts = [data for _, data in hard_strings(words, "live", 900)] + list(special_strings(path, words))
    random = Random("pairs")
    pairs = [(random.choice(texts), random.choice(texts)) for _ in range(2400)]
    return compare(path, [(text, None) for text in texts] + pairs)


def sweep(path):
    characters = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    return compare(path, [(f"{c} xA{c}b {c}{c}1e{c}\u0301 '{c}".encode(), None) for c in characters])


def main():
    command, folder = sys.argv[1], Path(sys.argv[2])
    if command == "train":
        return train(folder, int(sys.argv[3]) if len(sys.argv) > 3 else 16000)
    if command == "rebuild":
        return write_pipelines(folder, json.loads((folder / "vocabularies.json").read_text()))
    paths = sorted(p for p in folder.glob("*.json") if p.stem != "vocabularies")
    paths = [p for p in paths if len(sys.argv) < 4 or p.stem in sys.argv[3:]]
    wrong = sum({"strings": strings, "sweep": sweep}[command](path) for path in paths)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
