#!/usr/bin/env python3
"""Writes native/src/tokenizer/unicode_tables.inc by asking `tokenizers` 0.23.2 about every code point.

The library mixes several Unicode versions, so no Unicode release gives its classes; only canonical combining classes,
which never change once assigned, come from Python's unicodedata, and only for the marks that the library reorders; and
grapheme break properties come from the `regex` package as far as the library does not show its clusters.
"""
import io
import sys
import unicodedata
from pathlib import Path

import tokenizers
import regex
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

ORACLE = "0.23.2"
REGEX = "2026.9.29"
OUT = Path(__file__).resolve().parent.parent / "native/src/tokenizer/unicode_tables.inc"
BLOCK = 128
FLAGS = [
    "removed", "to_space", "cjk", "nonspacing_mark", "whitespace", "punctuation", "word", "has_nfd", "has_lower",
    "letter", "number", "upper", "lower", "mark", "combining", "has_nfkd", "digit", "symbol", "composes",
]  # fmt: skip
CLUSTER = [
    "other", "cr", "lf", "control", "extend", "zwj", "regional_indicator", "prepend", "spacing_mark", "l", "v", "t",
    "lv", "lvt", "pictographic", "extend_linker", "extend_conjunct", "consonant",
]  # fmt: skip
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


def add_regex_classes(flags):
    """The classes of Oniguruma, which Split and Replace patterns ask for."""
    names = {"letter": r"\p{L}", "number": r"\p{N}", "upper": r"[\p{Lu}\p{Lt}]", "lower": r"\p{Ll}", "mark": r"\p{M}",
             "symbol": r"[\p{P}\p{S}]"}
    for name, pattern in names.items():
        replace = normalizers.Replace(Regex(pattern), "").normalize_str
        for c in scalars():
            if replace(chr(c)) == "":
                flags[c].add(name)
    space = normalizers.Replace(Regex(r"\s"), "").normalize_str
    for c in scalars():
        assert (space(chr(c)) == "") == ("whitespace" in flags[c]), hex(c)
        assert "letter" in flags[c] or not flags[c] & {"upper", "lower"}


def check_splitters(flags):
    """That the other pre-tokenizers and normalizers mean the same classes; what is left gets a flag."""
    white, whitespace = pre_tokenizers.WhitespaceSplit().pre_tokenize_str, pre_tokenizers.Whitespace().pre_tokenize_str
    punctuation, digits = pre_tokenizers.Punctuation("removed").pre_tokenize_str, pre_tokenizers.Digits().pre_tokenize_str
    strip, lower = normalizers.Strip().normalize_str, normalizers.Lowercase().normalize_str
    accents, bert_lower = normalizers.StripAccents().normalize_str, bert(lowercase=True)
    for c in scalars():
        s = chr(c)
        assert (len(white("x" + s + "y")) == 2) == ("whitespace" in flags[c]), hex(c)
        assert (strip(s) == "") == ("whitespace" in flags[c]), hex(c)
        assert (len(punctuation("x" + s + "y")) == 2) == ("punctuation" in flags[c]), hex(c)
        assert lower(s) == bert_lower(s), hex(c)
        words = [word for word, _ in whitespace("x" + s + "y")]
        expected = ["x" + s + "y"] if "word" in flags[c] else ["x", "y"] if "whitespace" in flags[c] else ["x", s, "y"]
        assert words == expected, hex(c)
        if len(digits("x" + s + "y")) == 3:
            flags[c].add("digit")
        if accents(s) == "":
            flags[c].add("combining")
        else:
            assert accents(s) == s, hex(c)


def compatibility(flags, decompositions):
    """Full compatibility decompositions where they differ from the canonical ones."""
    nfkd = normalizers.NFKD().normalize_str
    found = {}
    for c in scalars():
        if c in HANGUL:
            assert [ord(d) for d in nfkd(chr(c))] == hangul_nfd(c), hex(c)
            continue
        parts = [ord(d) for d in nfkd(chr(c))]
        if parts == decompositions.get(c, [c]):
            continue
        found[c] = parts
        flags[c].add("has_nfkd")
    assert max(map(len, found.values())) <= 18
    return found


def compositions(flags, decompositions):
    """(first, second) -> composed. Every canonical pair that NFC joins; Hangul is arithmetic."""
    nfc, nfd = normalizers.NFC().normalize_str, normalizers.NFD().normalize_str
    pairs = {}
    for c in decompositions:
        if nfc(nfd(chr(c))) != chr(c):
            continue
        # The last step of the composition: a shorter form of all but the last code point, and that one.
        whole = nfd(chr(c))
        first = nfc(whole[:-1])
        assert len(first) == 1 and nfc(first + whole[-1]) == chr(c), hex(c)
        pairs[ord(first), ord(whole[-1])] = c
        flags[ord(whole[-1])].add("composes")
    return pairs


def cluster_classes(flags):
    """Grapheme_Cluster_Break with the extra classes that the emoji and conjunct rules ask for."""
    names = {"cr": "CR", "lf": "LF", "control": "Control", "extend": "Extend", "zwj": "ZWJ",
             "regional_indicator": "Regional_Indicator", "prepend": "Prepend", "spacing_mark": "SpacingMark", "l": "L",
             "v": "V", "t": "T", "lv": "LV", "lvt": "LVT"}
    is_in = {name: regex.compile(r"\p{GCB=%s}" % value).match for name, value in names.items()}
    shown = Joins()
    classes = {}
    for c in scalars():
        s = chr(c)
        found = [name for name in names if is_in[name](s)]
        assert len(found) <= 1
        name = found[0] if found else "other"
        if name in ("extend", "spacing_mark") and not shown.after_letter(s):
            name = "other"  # newer than the library's tables
        assert shown.after_letter(s) == (name in ("extend", "spacing_mark", "zwj")), hex(c)
        assert shown.after_prepend(s) == (name == "prepend"), hex(c)
        if name == "other" and shown.before_zwj(s):
            name = "pictographic"
        elif name == "other" and shown.before_linker(s):
            name = "consonant"
        elif name == "extend" and shown.links(s):
            name = "extend_linker"
        elif name == "extend" and shown.before_linker(KA + s):
            name = "extend_conjunct"
        classes[c] = CLUSTER.index(name)
    return classes


KA, VIRAMA, NUKTA_KA = "\u0915", "\u094d", "\u0958"


class Joins:
    """The library's own clusters, seen through a charsmap that replaces short ones by what their first character
    maps to: a mark that survives stands in a longer cluster."""

    def __init__(self):
        model = io.BytesIO()
        lines = (f"some text, number {i} of many" for i in range(200))
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=lines, model_writer=model, vocab_size=60, hard_vocab_limit=False, minloglevel=2)
        proto = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
        self.normalize = normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap).normalize_str
        self.replace = normalizers.Precompiled(charsmap({"x": "y"})).normalize_str

    def after_letter(self, c):
        return c != "x" and self.replace("x" + c) == "y"

    def survives(self, text):
        return self.normalize(text + "\u0300").endswith("\u0300")

    def after_prepend(self, before):
        return self.survives(before + NUKTA_KA)

    def links(self, between):
        return self.survives(KA + between + NUKTA_KA)

    def before_linker(self, before):
        return self.survives(before + VIRAMA + NUKTA_KA)

    def before_zwj(self, before):
        return self.survives(before + "\u200d\u203c")


def charsmap(mappings):
    """A precompiled charsmap with single-character keys in ASCII: a double array and the replacements."""
    units, pool = [0] * 512, b""
    units[0] = 256 << 10  # the root's children stand at 256 ^ byte, the leaves at 0 ^ 0 of their own blocks
    for number, (key, value) in enumerate(sorted(mappings.items())):
        node = 256 ^ ord(key)
        units.extend([0] * 256)
        base = len(units) - 256
        units[node] = ((base ^ node) << 10) | 1 << 8 | ord(key)
        units[base] = 1 << 31 | len(pool)
        pool += value.encode() + b"\0"
    data = b"".join(unit.to_bytes(4, "little") for unit in units)
    return len(data).to_bytes(4, "little") + data + pool


def write_numbers(lines, declaration, numbers, form="{}"):
    """Without spaces, and decimal where `form` is not given: the file is in the package."""
    lines.append(declaration + " = {")
    line = ""
    for number in numbers:
        item = form.format(number) + ","
        if len(line) + len(item) > 118:
            lines.append(line)
            line = ""
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
    write_numbers(lines, f"constexpr uint32_t k{name}From[]", sorted(mappings))
    write_numbers(lines, f"constexpr uint16_t k{name}Offsets[]", offsets)
    write_numbers(lines, f"constexpr uint32_t k{name}Pool[]", pool)


def main():
    if (tokenizers.__version__, regex.__version__) != (ORACLE, REGEX):
        sys.exit(f"tokenizers {ORACLE} and regex {REGEX} are wanted")
    flags, decompositions, lowered = normalizer_classes()
    add_splitting_classes(flags)
    add_word_class(flags)
    classes = combining_classes(flags, decompositions)
    add_regex_classes(flags)
    check_splitters(flags)
    compatible = compatibility(flags, decompositions)
    pairs = compositions(flags, decompositions)
    clusters = cluster_classes(flags)

    records, values = {}, []
    for c in range(0x110000):
        bits = sum(1 << i for i, name in enumerate(FLAGS) if name in flags.get(c, ()))
        record = (bits, classes.get(c, 0), clusters.get(c, 0))
        values.append(records.setdefault(record, len(records)))
    blocks, index = {}, []
    for start in range(0, 0x110000, BLOCK):
        index.append(blocks.setdefault(tuple(values[start : start + BLOCK]), len(blocks)))
    assert len(records) <= 256 and len(blocks) <= 65536

    lines = [
        "// Generated by scripts/make-unicode-tables.py; do not edit. Included by unicode_tables.cc only.",
        f"// Oracle: tokenizers {ORACLE}; combining classes: Unicode {unicodedata.unidata_version} (unicodedata).",
        "// Flag bits: the order of enum Flag. Clusters: the order of enum class Cluster.",
        "// clang-format off",
    ]
    write_numbers(lines, "constexpr uint32_t kRecordFlags[]", [record[0] for record in records])
    write_numbers(lines, "constexpr uint8_t kRecordClasses[]", [record[1] for record in records])
    write_numbers(lines, "constexpr uint8_t kRecordClusters[]", [record[2] for record in records])
    write_numbers(lines, "constexpr uint16_t kBlockIndex[]", index)
    write_numbers(lines, f"constexpr uint8_t kBlocks[][{BLOCK}]", ["{" + ",".join(map(str, b)) + "}" for b in blocks])
    write_mappings(lines, "Nfd", decompositions)
    write_mappings(lines, "Lower", lowered)
    write_mappings(lines, "Nfkd", compatible)
    ordered = sorted(pairs)
    write_numbers(lines, "constexpr uint64_t kComposeFrom[]", [a << 32 | b for a, b in ordered])
    write_numbers(lines, "constexpr uint32_t kComposeTo[]", [pairs[pair] for pair in ordered])
    lines.append("// clang-format on")
    OUT.write_text("\n".join(lines) + "\n", encoding="ascii")
    print(f"{len(records)} records, {len(blocks)} blocks, {len(decompositions)} + {len(lowered)} + {len(compatible)} "
          f"replacements, {len(pairs)} compositions")


if __name__ == "__main__":
    main()
