#!/usr/bin/env python3
"""Makes texts/sentences.json out of the project's own sentences (test/golden/sentences.txt), joined to wanted lengths.
Deterministic. Lengths are in tokens of the benchmark's tokenizer, specials included. tokenizers 0.23 made the committed file.
"""
import json
import pathlib
import random

from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent / "test"
MIXED, LONG, SHORTEST, LONGEST = 512, 32, 8, 512
# Of exp(normal): a median of 40 tokens with a long tail, which comes to a mean of about 60 within the two limits.
LOG_MEDIAN, LOG_DEVIATION = 3.77, 0.85

tokenizer = Tokenizer.from_file(str(TESTS / "fixtures" / "tokenizers" / "wordpiece-uncased" / "tokenizer.json"))
tokenizer.no_truncation()


def length(text):
    return len(tokenizer.encode(text).ids)


def main():
    sentences = (TESTS / "golden" / "sentences.txt").read_text(encoding="utf-8").split("\n")
    sentences = [sentence.split() for sentence in sentences if sentence.strip()]
    chance = random.Random(20261122)

    def take(tokens):
        """Whole sentences in random order until there are enough words; the last one is cut between words."""
        words = []
        while length(" ".join(words)) < tokens:
            words += chance.choice(sentences)
        while length(" ".join(words)) > tokens:
            words.pop()
        return " ".join(words)

    def take_exactly(tokens):
        """Full stops, one token each, fill the place that the next word did not fit into."""
        text = take(tokens)
        return text + "." * (tokens - length(text))

    targets = [min(LONGEST, max(SHORTEST, round(chance.lognormvariate(LOG_MEDIAN, LOG_DEVIATION)))) for _ in range(MIXED - 2)]
    mixed = [take(tokens) for tokens in [*targets, SHORTEST, LONGEST]]
    chance.shuffle(mixed)
    texts = {
        "short": "The ferry leaves the northern harbour every morning at seven, unless the wind is strong.",
        "query": "when does the ferry leave the harbour in the morning",
        "mixed": mixed,
        "long": [take_exactly(LONGEST) for _ in range(LONG)],
    }
    path = HERE / "texts" / "sentences.json"
    path.write_text(json.dumps(texts, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    lengths = sorted(map(length, mixed))
    print(f"{path.name}: {path.stat().st_size} bytes; mixed {lengths[0]} to {lengths[-1]} tokens, mean {sum(lengths) / MIXED:.1f}, "
          f"median {lengths[MIXED // 2]}; long {sorted(map(length, texts['long']))[::LONG - 1]}; short {length(texts['short'])}")


if __name__ == "__main__":
    main()
