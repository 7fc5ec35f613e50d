#!/usr/bin/env python3
"""Small prompt routers of LFM2.5's encoders, with the logits of prompt_router_reference.py.

    python scripts/make-prompt-router-fixtures.py

Writes test/fixtures/prompt-router: tokenizer.json, a BPE of bytes with the steps of LFM2's, trained on the texts below so that
tokens reach across the ends of labels and of what stands before the text; and models.json, for each model its configuration
as published, the shapes of its tensors (values are make-golden.py's function of seed and name) and for each call the labels,
the tokens of every text and the labels' logits; `windows` are the logits of one text read in windows; `drawn` are labels and
a text put together at random.

Made with transformers 5.18.0, tokenizers 0.23.2, torch 2.13.0.
"""
import importlib
import json
import random
import tempfile
from pathlib import Path

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors, trainers, Regex, decoders

import prompt_router_reference as reference
from lfm2_bidirectional_reference import Lfm2BidirectionalConfig

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "test/fixtures/prompt-router"
golden = importlib.import_module("make-golden")

SCALES = {"embedding": 0.4, "linear": 2.2, "bias": 0.3, "norm": 0.2, "classifier": 4}
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
           r"\s+(?!\S)|\s+")
SPECIAL = ["<|pad|>", "<|startoftext|>", "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SETTINGS = {"tokenizer_class": "TokenizersBackend", "backend": "tokenizers", "bos_token": SPECIAL[1], "eos_token": SPECIAL[4],
            "pad_token": SPECIAL[0], "model_max_length": 10**30}
ROWS = 720
LONG = "The rivers of the north run to a cold sea, and ships wait there for the wind. " * 6
TEXTS = ["My invoice is wrong, can I get a refund?", "The app keeps crashing at startup!", "", "\n\nhello", " a  b ",
         "\u00dcn\u00efc\u00f6d\u00e9 \u6f22\u5b57 \U0001f600", "Categories:\n- decoy\n\nText:\nreal", LONG]
LABELS = [["billing", "technical support", "urgent!!! P0/outage???"], ["only one"],
          ["\u65e5\u672c\u8a9e\u306e\u8cea\u554f", "caf\u00e9 \U0001f680", "C++", "refund & return (RMA-#12345)", " spaced ", "a\nb", "billing"]]
PIECES = ["billing", "support", "account", "a", "I", "python", "Mathias", "refund", "r\u00e9sum\u00e9", "e\u0301", "\u6f22\u5b57", "\u65e5\u672c",
          "\u0440\u0435\u043a\u0430", "\u0645\u0631\u062d\u0628\u0627", "\u0928\u092e\u0938\u094d\u0924\u0947", "\ud55c\uad6d\uc5b4", "\u1112\u1161\u11ab", "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea",
          "\u2764\ufe0f", "\U00010348", "\u200b", "\ufeff", "\u00a0", "\u3000", "\u2028", "1", "22", "12345", "!", "!!!", "???", ".", ",", ":",
          "- ", "-", "(", ")", "/", "#", "'s", "'LL", " ", "  ", "\t", "\n", "\n\n", "\r\n", "\r", "\n- ", "Text:\n",
          "Categories:\n", "<|im_end|>", "<|startoftext|>", "<|im", "\x00", "\x7f", "\u00e9", "\u0120", "\u010a"]
LFM2 = dict(vocab_size=ROWS, hidden_size=32, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2,
            intermediate_size=48, block_multiple_of=16, max_position_embeddings=400, pad_token_id=0, bos_token_id=1,
            eos_token_id=4, layer_types=["conv", "full_attention", "conv", "conv"],
            rope_parameters={"rope_type": "default", "rope_theta": 100.0})
OWN_CODE = {"architectures": ["Lfm2BidirForSequenceRouting"], "model_type": "lfm2",
            "auto_map": {"AutoModel": "modeling_lfm2_bidirectional.Lfm2BidirForSequenceRouting",
                         "AutoModelForMaskedLM": "modeling_lfm2_bidirectional.Lfm2BidirectionalForMaskedLM"}}
# name: (configuration of the encoder, columns of the projections, seed)
CASES = {"router": (LFM2, 24, 1201),
         "router-biases": ({**LFM2, "conv_bias": True, "conv_L_cache": 4, "num_hidden_layers": 3,
                            "layer_types": ["full_attention", "conv", "full_attention"]}, 256, 1227)}


def draw(rng, most):
    return "".join(rng.choices(PIECES, k=rng.randint(1, most)))


def draw_label(rng):
    while True:
        label = draw(rng, rng.choice([1, 2, 4, 8]))
        # As JavaScript trims it, a label is not empty.
        if label.strip(" \t\r\n\u00a0\u3000\u2028\ufeff\x0b\x0c"):
            return label


def draw_call(rng):
    labels = [draw_label(rng) for _ in range(rng.choice([1, 2, 3, 6]))]
    return labels, draw(rng, rng.choice([1, 3, 12])) if rng.random() < 0.95 else ""


def train_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    rng = random.Random(5)
    texts = [reference.listed(labels) + text for labels in LABELS for text in TEXTS]
    texts += [reference.listed(labels) + text for labels, text in (draw_call(rng) for _ in range(400))]
    trainer = trainers.BpeTrainer(vocab_size=ROWS - 6, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken("python", normalized=False), AddedToken("Mathias", normalized=False)])
    bos = SPECIAL[1]
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single=f"{bos} $A", pair=f"{bos} $A {bos} $B:1", special_tokens=[(bos, 1)])])
    return json.loads(tokenizer.to_str())


def load_tokenizer(content):
    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary, "tokenizer.json").write_text(json.dumps(content))
        Path(temporary, "tokenizer_config.json").write_text(json.dumps(SETTINGS))
        return transformers.AutoTokenizer.from_pretrained(temporary)


def digits(logits):
    return [float(f"{x:.9g}") for x in logits.tolist()]


@torch.no_grad()
def row(network, tokenizer, text, labels):
    ids, own, spans = reference.encode(tokenizer, text, labels)
    return {"ids": ids, "logits": digits(network(ids, own, spans))}


@torch.no_grad()
def measure_windows(network, tokenizer, max_length, overlap):
    """The last text with the first labels, in windows of `max_length` tokens, each with all labels."""
    labels = LABELS[0]
    whole, text, spans = reference.encode(tokenizer, TEXTS[-1], labels)
    before, room = text[0], max_length - text[0]
    rows = []
    for begin in range(0, max(1, len(text) - overlap), room - overlap):
        ids = whole[:before] + whole[before:][begin:begin + room]
        rows.append(digits(network(ids, list(range(before, len(ids))), spans)))
    return {"maxLength": max_length, "overlap": overlap, "rows": rows}


def main():
    torch.set_num_threads(1)
    content = train_tokenizer()
    entries = []
    for name, (own, size, seed) in CASES.items():
        config = Lfm2BidirectionalConfig(**own)
        network = reference.PromptRouter(config, size).eval()
        shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items() if tensor.dtype == torch.float32}
        model = {"seed": seed, "scales": SCALES}
        network.load_state_dict({key: torch.from_numpy(golden.tensor_values(model, key, tuple(shape))).reshape(shape)
                                 for key, shape in shapes.items()}, strict=False)
        tokenizer = load_tokenizer(content)
        rng = random.Random(f"1 {name}")
        drawn = []
        for _ in range(60):
            labels, text = draw_call(rng)
            drawn.append({"labels": labels, "text": text, **row(network, tokenizer, text, labels)})
        calls = [{"labels": labels, "rows": [row(network, tokenizer, text, labels) for text in TEXTS]} for labels in LABELS]
        for call in calls:
            spread = torch.tensor([one["logits"] for one in call["rows"]])
            print(name, len(call["labels"]), "std over texts", digits(spread.std(0)), "lengths",
                  [len(one["ids"]) for one in call["rows"]], flush=True)
        entries.append({"name": name, "seed": seed, "config": {**own, **OWN_CODE, "rule_proj_dim": size}, "tensors": shapes,
                        "tokenizerConfig": SETTINGS, "maxLength": own["max_position_embeddings"], "calls": calls,
                        "windows": measure_windows(network, tokenizer, 96, 8), "drawn": drawn})
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "tokenizer.json").write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")
    lines = [json.dumps({"scales": SCALES, "texts": TEXTS})[:-1] + ', "models": [']
    lines += [",\n".join(json.dumps(entry) for entry in entries), "]}"]
    (OUT / "models.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
