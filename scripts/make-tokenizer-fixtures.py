#!/usr/bin/env python3
"""Makes test/fixtures/tokenizers. Versions that made the committed files: tokenizers 0.23.2 (ids), 0.22.2
(truncation), Python 3.11 (Unicode 14). `train` makes new vocabularies, other ones each time, out of the text of the
machine it runs on; `cases`, `sweep` and `truncation` give the same bytes anywhere from the committed vocabularies.
"""
import glob
import gzip
import itertools
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from random import Random

from tokenizer_strings import CLASS_SIZE, escape, hard_strings

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "test/fixtures/tokenizers"
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
FULL_IDS = 15  # strings of a class whose ids are written out
VARIANTS = {
    "wordpiece-uncased": {"size": 7100, "lowercase": True, "alphabet": 1300},
    "wordpiece-cased": {"size": 8000, "lowercase": False, "alphabet": 1500},
}


def catalogue_messages(path):
    """The translated messages of one gettext .mo file."""
    data = Path(path).read_bytes()
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    count, _, table = struct.unpack(order + "3I", data[8:20])
    for i in range(count):
        size, start = struct.unpack(order + "2I", data[table + 8 * i : table + 8 * i + 8])
        text = data[start : start + size]
        if not text.startswith(b"Project-Id") and not text.startswith(b"\n"):
            yield text.replace(b"\0", b"\n").decode("utf-8", "ignore")


def corpus():
    """Lines of English (package descriptions, documentation) and of every language with message catalogues."""
    for path in sorted(glob.glob("/usr/share/locale/*/LC_MESSAGES/*.mo")):
        for message in catalogue_messages(path):
            yield from message.split("\n")
    available = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=True).stdout
    for line in available.decode("utf-8", "ignore").split("\n"):
        if line.startswith("Description"):
            yield line.partition(": ")[2]
    for path in sorted(glob.glob("/usr/share/doc/*/*")):
        name = path.rsplit("/", 1)[1]
        if name.startswith(("README", "NEWS", "changelog.Debian")) and Path(path).is_file():
            data = Path(path).read_bytes()
            text = gzip.decompress(data) if name.endswith(".gz") else data
            yield from text.decode("utf-8", "ignore").split("\n")[:400]


def train():
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    lines = [line for line in corpus() if line.strip()]
    for name, variant in VARIANTS.items():
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=variant["lowercase"])
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        tokenizer.train_from_iterator(
            lines,
            trainers.WordPieceTrainer(
                vocab_size=variant["size"],
                limit_alphabet=variant["alphabet"],
                special_tokens=SPECIALS,
                show_progress=False,
            ),
        )
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS]:0 $A:0 [SEP]:0",
            pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
            special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
        )
        write_tokenizer(name, tokenizer)


def write_tokenizer(name, tokenizer):
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    assert len(vocabulary) == VARIANTS[name]["size"] and [token for token, _ in vocabulary[:5]] == SPECIALS
    config = {
        "clean_up_tokenization_spaces": True,
        "cls_token": "[CLS]",
        "do_lower_case": VARIANTS[name]["lowercase"],
        "mask_token": "[MASK]",
        "model_max_length": 512,
        "pad_token": "[PAD]",
        "sep_token": "[SEP]",
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "tokenizer_class": "BertTokenizerFast",
        "unk_token": "[UNK]",
    }
    (folder / "tokenizer.json").write_text(tokenizer.to_str() + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "vocab.txt").write_text("".join(token + "\n" for token, _ in vocabulary), encoding="utf-8")


# --- expectations ------------------------------------------------------------------------------------------------


def text_of(data):
    """What a tokenizer is given for bytes that need not be UTF-8."""
    return data.decode("utf-8", "replace")


def digest(numbers):
    return zlib.crc32(struct.pack(f"<{len(numbers)}i", *numbers))


def join(numbers):
    return " ".join(map(str, numbers))


def load(name):
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(OUT / name / "tokenizer.json"))


def vocabulary_words():
    words = set()
    for name in VARIANTS:
        words |= {w for w in (OUT / name / "vocab.txt").read_text("utf-8").split("\n") if w.isalpha()}
    return sorted(words)


def write(name, lines):
    (OUT / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def require(version):
    import tokenizers

    if tokenizers.__version__ != version:
        sys.exit(f"this needs tokenizers {version}; {tokenizers.__version__} is installed")


NORMALIZERS = list(itertools.product((True, False), (True, False), (None, True, False), (True, False)))


def bert_normalizer(clean, cjk, strip, lower):
    from tokenizers import normalizers

    return normalizers.BertNormalizer(clean_text=clean, handle_chinese_chars=cjk, strip_accents=strip, lowercase=lower)


def cases():
    """hard-strings.tsv: class, string, digest of the ids (uncased, cased), for the first of a class the ids as well.
    normalizer.tsv: clean_text, handle_chinese_chars, strip_accents, lowercase, class, digest of the results."""
    require("0.23.2")
    tokenizers = [load(name) for name in VARIANTS]
    strings = list(hard_strings(vocabulary_words()))
    lines = []
    for number, (name, data) in enumerate(strings):
        ids = [tokenizer.encode(text_of(data)).ids for tokenizer in tokenizers]
        fields = [name, escape(data)] + [f"{digest(i):08x}" for i in ids]
        if number % CLASS_SIZE < FULL_IDS:
            fields += map(join, ids)
        lines.append("\t".join(fields))
    write("hard-strings.tsv", lines)

    lines = []
    for flags in NORMALIZERS:
        normalize = bert_normalizer(*flags).normalize_str
        for name in dict.fromkeys(name for name, _ in strings):
            crc = 0
            for data in (data for other, data in strings if other == name):
                crc = zlib.crc32(normalize(text_of(data)).encode() + b"\n", crc)
            lines.append("\t".join([json.dumps(flag) for flag in flags] + [name, f"{crc:08x}"]))
    write("normalizer.tsv", lines)
    added_tokens()


# --- added tokens ------------------------------------------------------------------------------------------------

# content, and which of single_word, lstrip, rstrip, normalized, special it has
ADDED = [
    ("<l>", "l"), ("<r>", "r"), ("<b>", "lrs"), ("<w>", "w"), ("<wb>", "wlrs"), ("<N>", "ns"), ("HeLLo", "n"),
    ("\u00dcn\u00ef", "ln"), ("ab", ""), ("abc", ""), ("a b", ""), ("a  b", "ns"), ("\u65e5", "n"), ("X", "wn"),
    ("\u00e9", "wr"), ("<y[SEP]z", ""), ("\t\t", ""), ("  ", "n"), ("<l><r>", "lr"), ("q", ""),
]  # fmt: skip
ADDED_FLAGS = {"single_word": "w", "lstrip": "l", "rstrip": "r", "normalized": "n", "special": "s"}


def added_tokens():
    """added-tokens.json and .tsv: text, ids parsed, ids with special tokens taken as text, whether one was parsed."""
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

    letters = list("abcdehlnouxyz<>[]q.,!") + ["\u65e5", "\u672c", "\u00e9"]
    vocabulary = SPECIALS + letters + ["##" + c for c in "abcehlnouxyzq"] + ["hello", "un", "##ello", "ab", "sep", "q"]
    vocabulary = list(dict.fromkeys(vocabulary))
    tokenizer = Tokenizer(models.WordPiece({token: i for i, token in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(SPECIALS)
    for content, letters in ADDED:
        token = AddedToken(content, **{name: letter in letters for name, letter in ADDED_FLAGS.items()})
        (tokenizer.add_special_tokens if "s" in letters else tokenizer.add_tokens)([token])
    (OUT / "added-tokens.json").write_text(tokenizer.to_str() + "\n", encoding="utf-8")
    tokenizer = Tokenizer.from_file(str(OUT / "added-tokens.json"))

    special_ids = {tokenizer.token_to_id(token) for token in SPECIALS if token != "[UNK]"}
    special_ids |= {tokenizer.token_to_id(entry[0]) for entry in ADDED if "s" in entry[1]}
    parts = [entry[0] for entry in ADDED] + [entry[0].lower() for entry in ADDED]
    parts += ["[SEP]", "[CLS]", "[MASK]", "[sep]", "hello", "HELLO"] + list("abcx<>.!_1")
    parts += [" "] * 12 + ["  ", "\t", "\n", "\u00a0", "\u3000", "\u0301", "\0", "\u65e5", "\u672c", "\u0130", "\u200d"]
    random = Random("added tokens")
    lines = []
    for _ in range(1500):
        text = "".join(random.choice(parts) for _ in range(random.randint(0, 12)))
        tokenizer.encode_special_tokens = False
        parsed = tokenizer.encode(text).ids
        tokenizer.encode_special_tokens = True
        as_text = tokenizer.encode(text).ids
        found = any(i in special_ids for i in parsed[1:-1])
        lines.append("\t".join([escape(text.encode()), join(parsed), join(as_text), str(int(found))]))
    write("added-tokens.tsv", lines)


# --- every code point --------------------------------------------------------------------------------------------

SWEEP_CHUNK = 4096
SWEEP_NORMALIZERS = [(True, True, None, True), (False, False, True, False), (False, True, False, True)]


def sweep():
    """sweep.tsv: first code point of a chunk, then digests over the chunk: ids of `xA{c}b {c}` (uncased, cased), the
    three SWEEP_NORMALIZERS' text, BertPreTokenizer's words, and ids of added tokens beside the character."""
    require("0.23.2")
    from tokenizers import Tokenizer, pre_tokenizers

    tokenizers = [load(name) for name in VARIANTS]
    normalize = [bert_normalizer(*flags).normalize_str for flags in SWEEP_NORMALIZERS]
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    added = Tokenizer.from_file(str(OUT / "added-tokens.json"))
    lines = []
    for start in range(0, 0x110000, SWEEP_CHUNK):
        characters = [chr(c) for c in range(start, start + SWEEP_CHUNK) if not 0xD800 <= c < 0xE000]
        if not characters:
            continue
        digests = []
        texts = [f"xA{c}b {c}" for c in characters]
        for tokenizer in tokenizers:
            digests.append(digest([i for e in tokenizer.encode_batch_fast(texts) for i in e.ids]))
        for function in normalize:
            texts_with_marks = (f"xA{c}b {c}\U0001d165{c}\U0001d16d{c}" for c in characters)
            digests.append(zlib.crc32("".join(function(text) + "\n" for text in texts_with_marks).encode()))
        digests.append(zlib.crc32("".join(w + "\n" for text in texts for w, _ in split(text)).encode()))
        beside = added.encode_batch_fast([f"{c}<w>{c}<l>{c}" for c in characters])
        digests.append(digest([i for e in beside for i in e.ids]))
        lines.append("\t".join([f"{start:x}"] + [f"{d:08x}" for d in digests]))
    write("sweep.tsv", lines)


# --- pairs and truncation ----------------------------------------------------------------------------------------


def truncation():
    """truncation.tsv: lines `text <string> .`, then lines `case <tokenizer> <first> <second or -> <max_length> <strategy>
    <side>` with the number of ids, digests of ids and type ids, and whether it was cut; or `error`."""
    require("0.22.2")
    random = Random("truncation")
    kinds = ("english", "multilingual", "cjk", "code")
    strings = [data for name, data in hard_strings(vocabulary_words()) if name in kinds]
    texts = [b"", b" ", b"a", b"a b", b"a b c d e"] + random.sample(strings, 45)
    texts += [b" ".join(random.sample(strings, 6)) for _ in range(10)]
    lines = ["text\t" + escape(data) + "\t." for data in texts]  # no line ends in white space
    tokenizers = {name: load(name) for name in VARIANTS}
    for _ in range(2400):
        name = random.choice(list(VARIANTS))
        tokenizer = tokenizers[name]
        first = random.randrange(len(texts))
        second = random.randrange(len(texts)) if random.random() < 0.8 else None
        pair = None if second is None else text_of(texts[second])
        tokenizer.no_truncation()
        whole = len(tokenizer.encode(text_of(texts[first]), pair).ids)
        specials = 2 if second is None else 3
        least = specials + 1
        max_length = max(least, random.choice([least, least + 1, random.randint(least, 40), 512,
                                               random.randint(least, whole + 4), whole - random.randint(0, 9)]))
        strategy = random.choice(["longest_first", "longest_first", "only_first", "only_second"])
        side = random.choice(["right", "left"])
        fields = ["case", name, first, "-" if second is None else second, max_length, strategy, side]
        tokenizer.enable_truncation(max_length, strategy=strategy, direction=side)
        try:
            e = tokenizer.encode(text_of(texts[first]), pair)
            fields += [len(e.ids), f"{digest(e.ids):08x}", f"{digest(e.type_ids):08x}", int(len(e.ids) < whole)]
        except Exception:
            fields += ["error"]
        lines.append("\t".join(map(str, fields)))
    write("truncation.tsv", lines)


if __name__ == "__main__":
    {"train": train, "cases": cases, "sweep": sweep, "truncation": truncation}[sys.argv[1]]()
