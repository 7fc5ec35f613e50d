#!/usr/bin/env python3
"""Small models that read their labels in the text (GLiClass), with the logits of gliclass_reference.py.

    python scripts/make-label-model-fixtures.py

Writes test/fixtures/label-models/models.json: for each model its configuration as gliclass saves it, the shapes of its
tensors (values are make-golden.py's function of seed and name), its two added tokens, and for each call the labels, the
tokens of every text and the labels' logits. Texts that are too long are cut by tokenizers; `windows` are the logits of one
of them read in windows. The tokenizer is that of test/fixtures/causal-rerankers with another post-processor.

Made with transformers 5.18.0, tokenizers 0.23.2, torch 2.13.0.
"""
import importlib
import json
import tempfile
from pathlib import Path

import torch
import transformers

import gliclass_reference as reference

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "test/fixtures/label-models"
heads = importlib.import_module("make-module-head-fixtures")

# Tokens of the tokenizer without the two.
VOCABULARY = 702
SCALES = {**heads.SCALES, "linear": 1.8}
LONG = "The rivers of the north run to a cold sea, and ships wait there for the wind. " * 6
TEXTS = ["Leaves turn light into sugar.", "The striker scored twice.", "", " a  b ", "\u00dcn\u00efc\u00f6d\u00e9 \u6f22\u5b57", LONG]
LABELS = [["science", "sport", "world news", "\u6f22\u5b57"], ["yes"], ["a", "b", "c d e f", "g", "h", "i", "j"]]
BASE = heads.BASE
# name: (model type, configuration of the encoder, gliclass' own, hidden units of a scorer, whether the added tokens are
# special, the most tokens of an input)
CASES = {
    # The layout of gliclass-*-v1.0, whose encoder has no table of positions: it reads more than it says.
    "deberta-product": ("deberta-v2", {**heads.DEBERTA, "position_buckets": 8, "share_att_key": True},
                        {"prompt_first": True}, 0, True, 1024),
    # gliclass-modern-*, and the scorer of gliclass-*-v3.0.
    "modernbert-layers": ("modernbert", heads.MODERNBERT, {"scorer_type": "mlp", "prompt_first": True}, 24, True, 72),
    "bert-halves": ("bert", heads.BASE, {"scorer_type": "weighted-dot", "normalize_features": True, "prompt_first": True,
                                         "extract_text_features": True, "embed_class_token": False}, 0, False, 72),
    # gliclass-instruct-*.
    "deberta-instruct": ("deberta-v2", {**heads.DEBERTA, "position_buckets": 8, "share_att_key": True},
                         {"scorer_type": "mlp", "prompt_first": True, "class_token_pooling": "average",
                          "use_segment_embeddings": True}, 24, True, 1024),
    "modernbert-rest": ("modernbert", heads.MODERNBERT,
                        {"prompt_first": True, "class_token_pooling": "average", "embed_class_token": False,
                         "extract_text_features": True, "use_segment_embeddings": True}, 0, True, 72),
    "electra-behind": ("electra", {**BASE, "embedding_size": 24, "max_position_embeddings": 300},
                       {"normalize_features": True, "projector_hidden_act": "relu"}, 0, True, 300),
}


def tokenizer_files(has_segments, are_special):
    files = heads.tokenizer_files(has_segments)
    for index, content in enumerate([reference.MARK, reference.SEPARATOR]):
        files["tokenizer.json"]["added_tokens"].append(
            {"id": VOCABULARY + index, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": not are_special, "special": are_special})
    files["tokenizer_config.json"]["model_max_length"] = 10**30
    return files


def digits(logits):
    return [float(f"{x:.9g}") for x in logits.tolist()]


@torch.no_grad()
def measure(name, network, tokenizer, max_length):
    calls = []
    for labels in LABELS:
        rows = []
        for text in TEXTS:
            whole = tokenizer(network.text(text, labels), truncation=True, max_length=max_length)["input_ids"]
            rows.append({"ids": whole, "logits": digits(network(torch.tensor(whole)))})
        spread = torch.tensor([row["logits"] for row in rows]).std(0)
        print(name, len(labels), "lengths", [len(row["ids"]) for row in rows], "std", digits(spread), flush=True)
        calls.append({"labels": labels, "rows": rows})
    return calls


@torch.no_grad()
def measure_windows(network, tokenizer, max_length, overlap):
    """The last text with the first labels, in windows of `max_length` tokens, each with all labels."""
    labels = LABELS[0]
    plain = lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]
    marked, whole = plain(network.text("", labels)), plain(network.text(TEXTS[-1], labels))
    first = network.config["prompt_first"]
    text = whole[len(marked):] if first else whole[:-len(marked)]
    room = max_length - len(marked) - 2
    rows = []
    for begin in range(0, max(1, len(text) - overlap), room - overlap):
        own = text[begin:begin + room]
        begin_id, end_id = tokenizer.cls_token_id, tokenizer.sep_token_id
        ids = torch.tensor([begin_id, *(marked + own if first else own + marked), end_id])
        rows.append(digits(network(ids)))
    return {"maxLength": max_length, "overlap": overlap, "rows": rows}


def main():
    torch.set_num_threads(1)
    entries = []
    for seed, (name, case) in enumerate(CASES.items(), 971):
        model_type, config, own, hidden, are_special, max_length = case
        config = transformers.AutoConfig.for_model(model_type, vocab_size=VOCABULARY + 2, **config)
        own = {"architectures": ["GLiClassModel"], "model_type": "GLiClass", "architecture_type": "uni-encoder",
               "encoder_config": {**config.to_diff_dict(), "model_type": model_type}, "hidden_size": config.hidden_size,
               "vocab_size": VOCABULARY + 2, "class_token_index": VOCABULARY, "text_token_index": VOCABULARY + 1,
               "pooling_strategy": "first", "problem_type": "multi_label_classification", **own}
        network = reference.GLiClass(own, transformers.AutoModel.from_config(config), hidden).eval()
        shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items() if tensor.dtype == torch.float32}
        model = {"seed": seed, "scales": SCALES}
        network.load_state_dict({key: torch.from_numpy(heads.golden.tensor_values(model, key, tuple(shape))).reshape(shape)
                                 for key, shape in shapes.items()}, strict=False)
        files = tokenizer_files(getattr(config, "type_vocab_size", 0) == 2, are_special)
        with tempfile.TemporaryDirectory() as temporary:
            heads.write(Path(temporary), {"config.json": {"model_type": model_type}, **files})
            tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(temporary)
        entries.append({"name": name, "seed": seed, "config": own, "tensors": shapes,
                        "tokenizerConfig": files["tokenizer_config.json"],
                        "postProcessor": files["tokenizer.json"]["post_processor"], "files": {},
                        "addedTokens": files["tokenizer.json"]["added_tokens"][-2:], "maxLength": max_length,
                        "calls": measure(name, network, tokenizer, max_length),
                        "windows": measure_windows(network, tokenizer, 64, 8)})
    OUT.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"scales": SCALES, "texts": TEXTS})[:-1] + ', "models": [']
    lines += [",\n".join(json.dumps(entry) for entry in entries), "]}"]
    (OUT / "models.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
