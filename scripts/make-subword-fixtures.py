#!/usr/bin/env python3
"""Makes test/fixtures/tokenizers/subword-nmt: a small vocabulary of subword-nmt and what transformers' Python classes make of texts.

Makes test/fixtures/tokenizers/tweets too: texts as BertweetTokenizer normalizes them, and their ids.

Versions that made the committed files: transformers 5.18.0, emoji 2.16.0, regex 2026.9.29. The merges are learnt from test/golden/texts.json; of the symbols that
they make only the frequent ones are in the vocabulary, as in the published ones.
"""
import collections
import html.entities
import importlib
import json
import random
import tempfile
from pathlib import Path

import emoji
import transformers

from tokenizer_strings import escape
from tweet_texts import PIECES, tweet_texts

golden = importlib.import_module("make-golden")

OUT = Path(__file__).resolve().parent.parent / "test/fixtures/tokenizers/subword-nmt"
TWEETS = OUT.parent / "tweets"
MERGES, LEAST_COUNT, MAX_LENGTH = 700, 3, 24
NUM_TWEETS = 700
HARD_TWEETS = [
    "", " ", "SC has first two presumptive cases of coronavirus, DHEC confirms https://t.co/0cz1Yf8X3u via @postandcourier \U0001f622",
    "RT @user: I can't even… 😂😂😂😂😂 #mood #throw-back_thursday", "You're &amp; I'm &lt;3 &#128512; &hearts; we&rsquo;ll see",
    "call +1 (555) 123-4567 or 555.1234 at 5 p.m. or 6 a.m. cannot wait", "me@example.org a.b+c@x-y.co.uk http://a.b/(c(d)e)f). www.x.com/ x.com@y",
    ":-) (: D: >:( <3 8-P :'( =D ;) <:| x:p", "...... . . . -> <-- <b>bold</b> !!!!!!", "1,000.50 3/4 10:30 +5-6+ ½ No1 don't rock-n-roll 'quoted' _x_",
    "👩\u200d👩\u200d👧 👍🏽 🇩🇪 1️⃣ ❤️ ☺ ©™", "http:" + "(" * 3 + "a" + ")" * 2, "http://x.y/" + "(a" * 40, "http:a(" + "b.)" * 40 + "]", "İ.ſK httpſ:x 中文 привет",
]
HANDLED = {"content": "don't", "special": False, "lstrip": False, "rstrip": False, "single_word": False, "normalized": True}
HARD = [
    "", " ", "a", "z", "the", "the\nend", "the\n\nend \n", "one\r\ntwo", "tab\tand\x1cfour\x1dkinds\x1eof\x1fspace", "no\u00a0break\u3000wide\x85next",
    "zero\u200bwidth \ufeffmark", "<s> the </s>", "<s>the</s>the<pad><unk>", "the <mask>", "the<mask>end", " <mask> ", "<MASK>", "@@", "the@@ end@@", "@@the",
    "</w>", "the</w>", "qqqq", "\u00e9\u00e8 caf\u00e9", "e\u0301", "\U0001f600 \U0001f600\U0001f600", "\u4e2d\u6587 text", "UPPER lower MiXeD", "a-b_c.d,e", "x" * 120,
]
PAIRS = [("the end", "of the road"), ("", ""), ("one <mask>", "two\nthree"), ("the " * 30, "end"), ("end", "the " * 30),
         ("the " * 30, "of " * 30), ("the " * 31, "of " * 30), ("</s>", "<s>")]


def learn(words):
    """Merges in order, and how often each symbol is left in the words."""
    parts = {word: (*word[:-1], word[-1] + "</w>") for word in words}
    merges = []
    for _ in range(MERGES):
        counts = collections.Counter()
        for word, symbols in parts.items():
            for pair in zip(symbols, symbols[1:]):
                counts[pair] += words[word]
        if not counts:
            break
        best = max(counts, key=lambda pair: (counts[pair], pair))
        merges.append((*best, counts[best]))
        for word, symbols in parts.items():
            parts[word] = merge(symbols, best)
    left = collections.Counter()
    for word, symbols in parts.items():
        for symbol in symbols:
            left[symbol[:-4] if symbol.endswith("</w>") else symbol + "@@"] += words[word]
    return merges, left


def merge(symbols, pair):
    merged, index = [], 0
    while index < len(symbols):
        whole = tuple(symbols[index:index + 2]) == pair
        merged.append("".join(pair) if whole else symbols[index])
        index += 2 if whole else 1
    return tuple(merged)


def random_texts(rng, words, count):
    """Words of the texts, cut and joined, among white space and signs."""
    pieces = [*words, "\n", " ", "\t", "\x1c", "@@", "<mask>", "</s>", "\u00e9", "\U0001f600", "q", "."]
    for _ in range(count):
        text = ""
        for _ in range(rng.randrange(1, 12)):
            word = rng.choice(pieces)
            text += word[rng.randrange(len(word)):] if rng.random() < 0.3 else word
            text += rng.choice(["", " ", " ", "\n", "  "])
        yield text


def load(folder, name, **settings):
    for file in ("vocab.txt", "bpe.codes"):
        (Path(folder) / file).write_bytes((OUT / file).read_bytes())
    settings = {"tokenizer_class": name, "model_max_length": MAX_LENGTH, **settings}
    (Path(folder) / "tokenizer_config.json").write_text(json.dumps(settings))
    (Path(folder) / "config.json").write_text(json.dumps({"model_type": "roberta"}))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert type(tokenizer).__name__ == name, type(tokenizer)
    return tokenizer


def encode(tokenizer, item, parses):
    texts = [item] if isinstance(item, str) else item.values()
    return tokenizer(*texts, truncation=True, split_special_tokens=not parses)["input_ids"]


def encode_all(tokenizer, inputs):
    return {mode: [encode(tokenizer, item, mode == "parse") for item in inputs] for mode in ("parse", "text")}


def write_tweets():
    """Texts and what is made of them; their ids, with a word that was added to the vocabulary; and the normalizer's block."""
    TWEETS.mkdir(parents=True, exist_ok=True)
    # Each kind of piece, and all signs of ASCII by themselves.
    texts = [*HARD_TWEETS, *(" ".join(pieces) for pieces in PIECES.values()), "".join(chr(c) + " " for c in range(128)), *tweet_texts(random.Random(1), NUM_TWEETS)]
    rng = random.Random(2)
    inputs = [text if rng.random() < 0.8 else {"text": text, "textPair": rng.choice(texts)} for text in texts]
    inputs += ["I don't know", "don't @you <mask> don't!", "<s>:)</s>http://a.bc", "<mask>'s", "it<mask>'s "]
    with tempfile.TemporaryDirectory() as folder:
        decoder = {str(id): {**HANDLED, "content": content, "special": True, "normalized": False} for id, content in enumerate(("<s>", "<pad>", "</s>", "<unk>"))}
        tokenizer = load(folder, "BertweetTokenizer", normalization=True)
        size = len(tokenizer)
        settings = {"normalization": True, "added_tokens_decoder": {**decoder, str(size - 1): {**HANDLED, "content": "<mask>", "special": True}, str(size): HANDLED}}
        adding = load(folder, "BertweetTokenizer", **settings)
    assert len(adding) == size + 1
    lines = []
    for text in texts:
        # A surrogate, which an entity may name, cannot be written; U+FFFF stands for it.
        normalized = "".join("\uffff" if 0xD800 <= ord(c) < 0xE000 else c for c in tokenizer.normalizeTweet(text))
        lines.append(escape(text.encode()) + "\t" + escape(normalized.encode()) + "\n")
    (TWEETS / "texts.tsv").write_text("".join(lines), encoding="utf-8")
    cases = {"settings": settings, "inputs": inputs, "ids": encode_all(tokenizer, inputs), "idsWithAdded": encode_all(adding, inputs)["parse"]}
    (TWEETS / "cases.json").write_text(json.dumps(cases) + "\n", encoding="utf-8")
    names = {chr(c): name for c in range(0x110000) if (name := emoji.demojize(chr(c))) != chr(c)}
    block = {"type": "TweetNormalizer", "emoji": names, "entities": html.entities.name2codepoint}
    (TWEETS / "normalizer.json").write_text(json.dumps(block, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    print(len(texts), "tweets,", sum(text != tokenizer.normalizeTweet(text) for text in texts), "changed")


def main():
    texts, _ = golden.make_texts()
    words = collections.Counter(word for text in texts for word in text.split())
    merges, left = learn(words)
    lines = [f"{symbol} {count}\n" for symbol, count in left.most_common() if count >= LEAST_COUNT]
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "vocab.txt").write_text("".join(lines), encoding="utf-8", newline="\n")
    # The last line and the one with a word alone merge nothing.
    codes = "".join(f"{a} {b} {count}\n" for a, b, count in merges)
    (OUT / "bpe.codes").write_text("#version: 0.2\n" + codes + "t h 9", encoding="utf-8", newline="\n")
    inputs = [*HARD, *texts[:40], *random_texts(random.Random(1), sorted(words), 300), *({"text": text, "textPair": pair} for text, pair in PAIRS)]
    cases = {"maxLength": MAX_LENGTH, "inputs": inputs, "ids": {}}
    transformers.logging.set_verbosity_error()
    for name in ("PhobertTokenizer", "BertweetTokenizer"):
        with tempfile.TemporaryDirectory() as folder:
            tokenizer = load(folder, name)
        cases["ids"][name] = encode_all(tokenizer, inputs)
        known = {symbol for symbol in tokenizer.get_vocab()}
        made = {(a + b)[:-4] if b.endswith("</w>") else a + b + "@@" for a, b, _ in merges}
        print(name, len(tokenizer), "tokens,", len(made - known), "of", len(made), "merges make what the vocabulary lacks,",
              sum(ids.count(3) for ids in cases["ids"][name]["parse"]), "unknown")
    (OUT / "cases.json").write_text(json.dumps(cases) + "\n", encoding="utf-8")
    write_tweets()


if __name__ == "__main__":
    main()
