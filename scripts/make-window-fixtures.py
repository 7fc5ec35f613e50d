#!/usr/bin/env python3
"""Makes test/fixtures/tokenizers/windows.tsv: overflowing tokens with a stride, as tokenizers 0.23.2 gives them.

Lines `text <string> .`, then lines `case <first> <second or -> <max_length> <stride> <strategy>` with the digest of the
ids of every window, the first one first. The tokenizer is wordpiece-uncased; the text that is not windowed takes at most
half of the room, for beyond that our rule is our own.
"""
import importlib
import random
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

fixtures = importlib.import_module("make-tokenizer-fixtures")

CASES = 160


def main():
    draw = random.Random(5)
    words = ["iron", "rusts", "in", "wet", "air", "leaves", "turn", "light", "into", "sugar", "unfathomable", "[SEP]",
             "naïve", "東京", "3,141", "don't", "🙂", "co-operate"]
    texts = [" ".join(draw.choices(words, k=k)) for k in (1, 2, 5, 9, 20, 60, 150, 400)] + [""]
    lines = [f"text\t{fixtures.escape(text.encode())}\t." for text in texts]
    tokenizer = fixtures.load("wordpiece-uncased")
    cases = 0
    while cases < CASES:
        first = draw.randrange(len(texts))
        second = draw.randrange(len(texts)) if draw.random() < 0.7 else None
        strategy = "only_second" if second is not None and draw.random() < 0.7 else "only_first"
        max_length = draw.choice([8, 16, 31, 64, 128])
        tokenizer.no_truncation()
        whole = [None if text is None else tokenizer.encode(texts[text], add_special_tokens=False)
                 for text in (first, second)]
        other = None if second is None else whole[0] if strategy == "only_second" else whole[1]
        other_length = 0 if other is None else len(other.ids)
        budget = max_length - (2 if second is None else 3)
        if other_length > budget // 2:
            continue
        stride = draw.randint(0, (budget - other_length) // 2)
        tokenizer.enable_truncation(max_length, stride=stride, strategy=strategy)
        # encode() of this version stops reading soon after the first window; what is done with whole texts is the rule.
        encoding = tokenizer.post_process(*whole)
        windows = [encoding, *encoding.overflowing]
        fields = ["case", first, "-" if second is None else second, max_length, stride, strategy]
        fields += [f"{fixtures.digest(window.ids):08x}" for window in windows]
        lines.append("\t".join(map(str, fields)))
        cases += 1
    fixtures.write("windows.tsv", lines)


if __name__ == "__main__":
    main()
