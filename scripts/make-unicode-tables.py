#!/usr/bin/env python3
"""Writes native/src/tokenizer/unicode_tables.inc by asking `tokenizers` 0.23.2 about every code point.

The library mixes several Unicode versions, so no Unicode release gives its classes; only canonical combining classes,
which never change once assigned, come from Python's unicodedata, and only for the marks that the library reorders.
"""
import sys
import unicodedata
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

ORACLE = "0.23.2"
OUT = Path(__file__).resolve().parent.parent / "native/src/tokenizer/unicode_tables.inc"
BLOCK = 128
FLAGS = ["removed", "to_space", "cjk", "nonspacing_mark", "whitespace", "punctuation", "word", "has_nfd", "has_lower"]
SURROGATES = range(0xD800, 0xE000)
HANGUL = range(0xAC00, 0xD7A4)


def scalars():
    return (c for c in range(0x110000) if c not in SURROGATES)


def bert(**flags):
    off = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return normalizers.BertNormalizer(**{**off, **flags}).normalize_str


def hangul_nfd(c):
    index = c - 0xAC00
    parts = [0x1100 + index // 588, 0x1161 + index % 588 // 28]
    return parts + ([0x11A7 + index % 28] if index % 28 else [])


def normalizer_classes():
    """Per code point: its flags (a set), its full canonical decomposition, its lower case."""
    clean, cjk, strip = bert(clean_text=True), bert(handle_chinese_chars=True), bert(strip_accents=True)
    nfd, lower = normalizers.NFD().normalize_str, bert(lowercase=True)
    flags, decompositions, lowered = {}, {}, {}
    for c in scalars():
        s, found = chr(c), set()
        cleaned = clean("x" + s + "y")
        if cleaned == "xy":
            found.add("removed")
        elif cleaned == "x y" and s != " ":
            found.add("to_space")
        else:
            assert cleaned == "x" + s + "y", hex(c)
        if cjk(s) == " " + s + " ":
            found.add("cjk")
        else:
            assert cjk(s) == s, hex(c)
        decomposed = nfd(s)
        if c in HANGUL:
            assert [ord(d) for d in decomposed] == hangul_nfd(c), hex(c)
            found.add("has_nfd")
        elif decomposed != s:
            found.add("has_nfd")
            decompositions[c] = [ord(d) for d in decomposed]
        elif strip("x" + s) == "x":
            found.add("nonspacing_mark")
        if lower(s) != s:
            found.add("has_lower")
            lowered[c] = [ord(d) for d in lower(s)]
        flags[c] = found
    assert max(map(len, decompositions.values())) <= 4 and max(map(len, lowered.values())) <= 2
    for c, parts in decompositions.items():
        assert not any(p in decompositions for p in parts), hex(c)
        kept = "".join(chr(p) for p in parts if "nonspacing_mark" not in flags[p])
        assert strip("x" + chr(c)) == "x" + kept, hex(c)
    return flags, decompositions, lowered


def add_splitting_classes(flags):
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    for c in scalars():
        words = [word for word, _ in split("x" + chr(c) + "y")]
        if words == ["x", "y"]:
            flags[c].add("whitespace")
        elif words == ["x", chr(c), "y"]:
            flags[c].add("punctuation")
        else:
            assert words == ["x" + chr(c) + "y"], hex(c)


def add_word_class(flags):
    """The regex classes that added tokens use: word characters, and white space (asserted to be the splitter's)."""

    def token_counts(added):
        tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
        tokenizer.add_tokens([added])
        result = []
        everything = [chr(c) + "\ufdd0" for c in scalars()]
        for start in range(0, len(everything), 65536):
            result += tokenizer.encode_batch_fast(everything[start : start + 65536])
        return [(1 in e.ids, len(e.ids)) for e in result]

    single = token_counts(AddedToken("\ufdd0", single_word=True, normalized=False))
    stripped = token_counts(AddedToken("\ufdd0", lstrip=True, normalized=False))
    for c, (matched, _), (_, count) in zip(scalars(), single, stripped):
        if not matched:
            flags[c].add("word")
        # U+FDD0 itself is the added token: the text holds it twice
        assert c == 0xFDD0 or (count == 1) == ("whitespace" in flags[c]), hex(c)
    flags[0xFDD0].discard("word")


def combining_classes(flags, decompositions):
    """Canonical combining class, 0 for marks newer than the library's tables; every pair of classes is tried."""
    nfd = normalizers.NFD().normalize_str
    low, high = "\u0334", "\u0345"  # the smallest class, 1, and the largest, 240
    classes = {}
    for c in scalars():
        s = chr(c)
        if c in decompositions or c in HANGUL:
            continue
        if nfd("x" + s + low) != "x" + s + low or nfd("x" + high + s) != "x" + high + s:
            classes[c] = unicodedata.combining(s)
            assert classes[c], hex(c)
    classes[ord(low)], classes[ord(high)] = 1, 240
    representatives = {value: chr(c) for c, value in classes.items()}
    for c, value in classes.items():
        for other, mark in representatives.items():
            text = "x" + mark + chr(c)
            assert (nfd(text) != text) == (other > value), hex(c)
    return classes


def write_numbers(lines, declaration, numbers, form="{}"):
    lines.append(declaration + " = {")
    line = "   "
    for number in numbers:
        item = " " + form.format(number) + ","
        if len(line) + len(item) > 118:
            lines.append(line)
            line = "   "
        line += item
    lines.append(line)
    lines.append("};")


def write_mappings(lines, name, mappings):
    """Code points in ascending order, and for each where its replacement begins in one pool (the last: the end)."""
    pool, offsets = [], []
    for c in sorted(mappings):
        offsets.append(len(pool))
        pool += mappings[c]
    offsets.append(len(pool))
    write_numbers(lines, f"constexpr uint32_t k{name}From[]", sorted(mappings), "{:#x}")
    write_numbers(lines, f"constexpr uint16_t k{name}Offsets[]", offsets)
    write_numbers(lines, f"constexpr uint32_t k{name}Pool[]", pool, "{:#x}")


def main():
    if tokenizers.__version__ != ORACLE:
        sys.exit(f"tokenizers {ORACLE} is wanted, {tokenizers.__version__} is installed")
    flags, decompositions, lowered = normalizer_classes()
    add_splitting_classes(flags)
    add_word_class(flags)
    classes = combining_classes(flags, decompositions)

    records, values = {}, []
    for c in range(0x110000):
        bits = sum(1 << i for i, name in enumerate(FLAGS) if name in flags.get(c, ()))
        values.append(records.setdefault((bits, classes.get(c, 0)), len(records)))
    blocks, index = {}, []
    for start in range(0, 0x110000, BLOCK):
        index.append(blocks.setdefault(tuple(values[start : start + BLOCK]), len(blocks)))
    assert len(records) <= 256 and len(blocks) <= 65536

    lines = [
        "// Generated by scripts/make-unicode-tables.py; do not edit. Included by unicode_tables.cc only.",
        f"// Oracle: tokenizers {ORACLE}; combining classes: Unicode {unicodedata.unidata_version} (unicodedata).",
        "// Flag bits: " + ", ".join(f"{1 << i} {name}" for i, name in enumerate(FLAGS)) + ".",
        "// clang-format off",
    ]
    write_numbers(lines, "constexpr uint16_t kRecordFlags[]", [bits for bits, _ in records])
    write_numbers(lines, "constexpr uint8_t kRecordClasses[]", [value for _, value in records])
    write_numbers(lines, "constexpr uint16_t kBlockIndex[]", index)
    write_numbers(lines, f"constexpr uint8_t kBlocks[][{BLOCK}]", ["{" + ",".join(map(str, b)) + "}" for b in blocks])
    write_mappings(lines, "Nfd", decompositions)
    write_mappings(lines, "Lower", lowered)
    lines.append("// clang-format on")
    OUT.write_text("\n".join(lines) + "\n", encoding="ascii")
    print(f"{len(records)} records, {len(blocks)} blocks, {len(decompositions)} + {len(lowered)} replacements")


if __name__ == "__main__":
    main()
