#!/usr/bin/env python3
"""Makes test/golden/{texts,*.logits}.json: logits of Python transformers for the checkpoints of test/golden/models.json.

Versions that made the committed files: torch 2.13.0 (CPU), transformers 5.18.0, tokenizers 0.23.2, numpy 2.4.6.
Weights are not stored: each element is a function of the model's seed, the tensor's name and the element's index,
written once here and once in test/golden/checkpoint-fixture.ts.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy
import tokenizers
import torch
import transformers
from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "test/golden"
TOKENIZER = ROOT / "test/fixtures/tokenizers/wordpiece-uncased"

HARD = [
    "",
    " ",
    "\t\n",
    "a",
    "?!...",
    "Ünïcödé çàfé naïve Ångström – “quotes” … ﬁne",
    "ÄÖÜ straße STRASSE İstanbul ıslık ΣΊΣΥΦΟΣ",
    "日本語の文章と中文字符在一起 한국어 텍스트",
    "مرحبا بالعالم שלום עולם हिन्दी में एक वाक्य ภาษาไทย",
    "🙂👩‍👩‍👧‍👦🏳️‍🌈 emoji 👍🏽 and ZWJ",
    "e\u0301 vs é, a\u0323\u0302 vs ậ, \u1112\u1161\u11ab vs 한",
    "zero\u200bwidth\u200djoin\u00adsoft\ufeffbom\u0085next",
    "𠀀𠀁𪚥 plane two 𝕸𝖆𝖙𝖍 letters",
    "tabs\tand\r\nnew\u2028lines\u2029and\u3000wide\u00a0spaces",
    "CamelCaseWords snake_case kebab-case http://example.org/a?b=c#d me@example.org",
    "x" * 101 + " " + "y" * 100,
    "1,234.56 €, 3×4≠13, ½ ² ³ №5, 99%",
    "control \u0001\u0002\u0007 characters \u0000 inside \ufffd",
    "don't can't we'll they've I'm o'clock",
    "aaaa bbbb aaaa bbbb aaaa bbbb",
]


def make_texts():
    sentences = (GOLDEN / "sentences.txt").read_text(encoding="utf-8").split("\n")[:-1]
    n = len(sentences)

    def passage(start, count):
        return " ".join(sentences[(start + 7 * i) % n] for i in range(count))

    texts = list(sentences) + HARD
    texts += [passage(i, 2 + i % 4) for i in range(n)]
    texts += [passage(i, 40) for i in range(3)]
    texts += [passage(3 * i + 1, 9 + i) for i in range(200 - len(texts))]
    pairs = [[sentences[i], sentences[(i * 5 + 3) % n]] for i in range(n)]
    pairs += [[HARD[i], HARD[-1 - i]] for i in range(len(HARD))]
    pairs += [[sentences[i], sentences[i]] for i in range(0, 20)]
    pairs += [[sentences[i], passage(i + 1, 3 + i % 5)] for i in range(0, 60, 2)]
    pairs += [[passage(i, 3 + i % 5), sentences[-1 - i]] for i in range(0, 30)]
    pairs += [[passage(0, 40), sentences[4]], [sentences[4], passage(0, 40)], [passage(1, 40), passage(2, 44)]]
    pairs += [["", sentences[0]], [sentences[0], ""]]
    pairs += [[passage(i, 2), passage(i + 30, 2)] for i in range(200 - len(pairs))]
    assert len(texts) == 200 and len(pairs) == 200
    return texts, pairs


def reranker_pairs(long):
    """Pairs that are hard to read as one text: empty, too long on either side, with white space and rare characters."""
    return [
        ["how do plants make food", "Leaves turn light into sugar."],
        ["how do plants make food", "Iron rusts in wet air."],
        ["how do plants make food", ""],
        ["", "Leaves turn light into sugar."],
        ["short", long],
        [long, "short"],
        [long, long[::-1]],
        ["  spaces \n", "\n\nlines\n\n"],
        ["Ünïcödé e\u0301 \u212b", "漢字 かな 😀 \u200b\u00a0 x"],
    ]


def pipeline_tokenizer(name):
    """tokenizer.json of that name from test/fixtures/tokenizers/pipelines.json.br, which Node unpacks."""
    unpack = "process.stdout.write(require('zlib').brotliDecompressSync(require('fs').readFileSync(process.argv[1])))"
    packed = TOKENIZER.parent / "pipelines.json.br"
    text = subprocess.run(["node", "-e", unpack, str(packed)], check=True, capture_output=True).stdout
    return json.loads(text)["tokenizers"][name]


def random_unit(seed, name, count):
    """float64 in [-1, 1), exact multiples of 2^-23: mulberry32 of a counter, seeded by FNV-1a of 'seed:name'."""
    state = 0x811C9DC5
    for byte in f"{seed}:{name}".encode():
        state = ((state ^ byte) * 0x01000193) & 0xFFFFFFFF
    with numpy.errstate(over="ignore"):
        t = numpy.arange(1, count + 1, dtype=numpy.uint32) * numpy.uint32(0x6D2B79F5) + numpy.uint32(state)
        t = (t ^ (t >> 15)) * (t | numpy.uint32(1))
        t ^= t + (t ^ (t >> 7)) * (t | numpy.uint32(61))
        t ^= t >> 14
    return (t >> 8).astype(numpy.float64) * 2.0**-23 - 1.0


def tensor_values(model, name, shape):
    """Uniform values: norms around 1, biases and embeddings of fixed width, linear layers scaled by their fan-in."""
    scales = model["scales"]
    unit = random_unit(model["seed"], name, int(numpy.prod(shape)))
    is_norm = re.search(r"(?<!_prelayer)norm|(^|[._])ln[._]", name.lower()) is not None
    if name.endswith(".inv_freq"):
        values = unit * unit
    elif name.endswith((".bias", "_bias")):
        values = unit * (scales["norm"] if is_norm else scales["bias"])
    elif is_norm:
        values = 1.0 + unit * scales["norm"]
    elif "embeddings" in name:
        values = unit * scales["embedding"]
    elif name == "classifier.weight":
        values = unit * (scales["classifier"] / numpy.sqrt(numpy.float64(shape[1])))
    else:
        values = unit * (scales["linear"] / numpy.sqrt(numpy.float64(shape[1] if len(shape) > 1 else 1)))
    return values.astype(numpy.float32).reshape(shape)


def build(model):
    config = transformers.AutoConfig.for_model(**{**model["config"], "num_labels": model["numLabels"]})
    config._attn_implementation = "eager"
    network = transformers.AutoModelForSequenceClassification.from_config(config).eval()
    state = network.state_dict()
    values = {}
    for name, tensor in state.items():
        if tensor.dtype == torch.float32:
            values[name] = torch.from_numpy(tensor_values(model, name, tuple(tensor.shape)))
    missing, unexpected = network.load_state_dict(values, strict=False)
    assert not unexpected and all(name.endswith("position_ids") for name in missing), (missing, unexpected)
    assert network.config._attn_implementation == "eager" and network.config.num_labels == model["numLabels"]
    return network


def fit(first, second, budget):
    """Longest-first truncation of a pair, by the rule of tokenizers 0.22: the odd token goes to the longer text."""
    a, b = sorted((first, second))
    if a + b > budget:
        b = a if a > budget else max(a, budget - a)
        if a + b > budget:
            a, b = budget // 2, budget // 2 + budget % 2
    return (b, a) if first > second else (a, b)


def encode(tokenizer, item, max_length, cls=2, sep=3):
    parts = [item] if isinstance(item, str) else item
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in parts]
    if len(ids) == 1:
        kept = ids[0][: max_length - 2]
        return [cls, *kept, sep], [0] * (len(kept) + 2)
    a, b = fit(len(ids[0]), len(ids[1]), max_length - 3)
    return [cls, *ids[0][:a], sep, *ids[1][:b], sep], [0] * (a + 2) + [1] * (b + 1)


def run(model, texts, pairs, tokenizer):
    network = build(model)
    config = model["config"]
    max_length = min(512, config["max_position_embeddings"])
    items = (texts if model["inputs"] == "texts" else pairs)[:: 200 // model["limit"]][: model["limit"]]
    counts, rows = [], []
    for item in items:
        ids, segments = encode(tokenizer, item, max_length)
        inputs = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
        if config["model_type"] == "bert":
            inputs["token_type_ids"] = torch.tensor([segments])
        with torch.inference_mode():
            rows.append(network(**inputs).logits[0].double().tolist())
        counts.append(len(ids))
    return counts, rows


def write_json(path, head, rows):
    """One row per line: small and still readable in a diff."""
    lines = [json.dumps(head, ensure_ascii=False)[:-1] + ',"rows":[']
    lines += [",\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "]}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    torch.set_num_threads(1)
    texts, pairs = make_texts()
    write_json(GOLDEN / "texts.json", {"kind": "texts"}, texts)
    write_json(GOLDEN / "pairs.json", {"kind": "pairs"}, pairs)
    tokenizer = Tokenizer.from_file(str(TOKENIZER / "tokenizer.json"))
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "tokenizers": tokenizers.__version__}
    for model in json.loads((GOLDEN / "models.json").read_text(encoding="utf-8")):
        if len(sys.argv) > 1 and model["name"] not in sys.argv[1:]:
            continue
        counts, rows = run(model, texts, pairs, tokenizer)
        logits = numpy.array(rows)
        print(model["name"], "tokens", min(counts), max(counts), "mean", logits.mean(0).round(2),
              "std", logits.std(0).round(2), "range", (logits.max(0) - logits.min(0)).round(2), flush=True)
        text = [[count, *(float(f"{value:.9g}") for value in row)] for count, row in zip(counts, rows)]
        write_json(GOLDEN / f"{model['name']}.logits.json", {"model": model["name"], "versions": versions}, text)


if __name__ == "__main__":
    main()
