#!/usr/bin/env python3
"""Small rerankers that read a query and all of its documents at once, with the scores of jina_ranking_reference.py.

    python scripts/make-list-reranker-fixtures.py

Writes test/fixtures/list-rerankers/models.json: for each model its configuration as the repository has it, the shapes of
its tensors (values are make-golden.py's function of seed and name), and for each call the number of tokens of its blocks, the
tokens themselves where there is one document, and the documents' scores, in F64. The tokenizer is that of
test/fixtures/causal-rerankers with the added tokens that are listed, and without a post-processor of its own.

Made with transformers 5.18.0, tokenizers 0.23.2, torch 2.13.0.
"""
import importlib
import json
import tempfile
from pathlib import Path

import torch
import transformers

import jina_ranking_reference as reference

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "test/fixtures/list-rerankers"
golden = importlib.import_module("make-golden")

SCALES = {"embedding": 0.2, "linear": 2.2, "bias": 0.1, "norm": 0.2, "classifier": 4}
ADDED = ["<|im_start|>", "<|im_end|>", reference.DOCUMENT, reference.QUERY]
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
POSITIONS = 6144
BASE = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=48,
            head_dim=16, max_position_embeddings=POSITIONS, tie_word_embeddings=True, bos_token_id=None, eos_token_id=None,
            rope_parameters={"rope_type": "default", "rope_theta": 1000000.0})
# name: (configuration, size of the vectors, how many of the calls)
CASES = {
    "jina-reranker-v3": (BASE, 12, 8),
    # Layers with a window among others, as the model after it has them.
    "windows": ({**BASE, "num_hidden_layers": 4, "use_sliding_window": True, "sliding_window": 24,
                 "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"]}, 20, 6),
}
RIVERS = "The rivers of the north run to a cold sea, and ships wait there for the wind. "
ODD = "\u6f22\u5b57\u304b\u306a \U0001f600\u00e9e\u0301 "
QUERY = "How do plants make food?"
DOCUMENTS = ["Leaves turn light into sugar.", "Iron rusts in wet air.", "Roots drink water from the soil.", RIVERS,
             "The striker scored twice."]
EDGES = ["", "\n", "\n\nLeaves turn\n", "  a  b ", ODD, "Iron rusts in wet air.", "Iron rusts in wet air.",
         "a <|im_end|>\n<|im_start|>user b", "<|embed_token|>x<|rerank_token|> y <|embed_token|>",
         "<|rerank<|embed_token|>_token<|embed_token", "<think>why</think>", "e\u0301", "\u0301e"]
CALLS = [
    {"query": QUERY, "documents": DOCUMENTS},
    {"query": QUERY, "documents": DOCUMENTS[:1]},
    {"query": "which sea? " + RIVERS * 40, "documents": [RIVERS, *DOCUMENTS[:2], "a", ODD], "instruction": "Judge by\nthe date."},
    {"query": "", "documents": EDGES},
    {"query": " <|embed_token|>\nwhich<|rerank_token|> sea\u0301?\n", "documents": EDGES[:3]},
    {"query": ODD * 3, "documents": [ODD * 4, "\U0001f600" * 30, "short", RIVERS, "a" * 40], "maxQueryTokens": 7,
     "maxDocumentTokens": 21},
    # More than one block takes, by number and by tokens.
    {"query": QUERY, "documents": [f"{DOCUMENTS[i % 5]} {i}" for i in range(131)]},
    {"query": QUERY, "documents": [(RIVERS * 3)[i:i + 130 + 10 * (i % 7)] for i in range(50)], "maxLength": 4096},
]


def tokenizer_files():
    content = json.loads((ROOT / "test/fixtures/causal-rerankers/tokenizer.json").read_text())
    first = len(content["model"]["vocab"]) + 2
    added = [{"id": first + index, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": True} for index, text in enumerate(ADDED)]
    content["added_tokens"] += added
    content["post_processor"] = BYTES
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": POSITIONS, "clean_up_tokenization_spaces": False,
              "pad_token": "<|end|>"}
    return added, {"tokenizer.json": content, "tokenizer_config.json": config}


def measure(name, network, tokenizer, count):
    calls = []
    for call in CALLS[:count]:
        ids, scores = reference.rank(network, tokenizer, call["query"], call["documents"],
                                     max_length=call.get("maxLength", POSITIONS), max_query=call.get("maxQueryTokens", 512),
                                     max_document=call.get("maxDocumentTokens", 2048), instruction=call.get("instruction"))
        print(name, "blocks", [len(block) for block in ids], "scores", scores.min(), scores.max(), scores.std(), flush=True)
        calls.append({"blocks": [len(block) for block in ids], **({"ids": ids[0]} if len(call["documents"]) == 1 else {}),
                      "scores": [float(f"{score:.9g}") for score in scores.tolist()]})
    return calls


def main():
    torch.set_num_threads(1)
    added, files = tokenizer_files()
    entries = []
    for seed, (name, (config, size, count)) in enumerate(CASES.items(), 1201):
        config = transformers.Qwen3Config(vocab_size=added[-1]["id"] + 1, **config)
        network = reference.JinaRanking(config, size).double().eval()
        shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items()}
        model = {"seed": seed, "scales": SCALES}
        network.load_state_dict({key: torch.from_numpy(golden.tensor_values(model, key, tuple(shape))).reshape(shape).double()
                                 for key, shape in shapes.items()})
        with tempfile.TemporaryDirectory() as temporary:
            for path, content in files.items():
                (Path(temporary) / path).write_text(json.dumps(content), encoding="utf-8")
            tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(temporary)
        own = {**config.to_diff_dict(), "architectures": ["JinaForRanking"],
               "auto_map": {"AutoModel": "modeling.JinaForRanking"}}
        entries.append({"name": name, "seed": seed, "config": own, "tensors": shapes,
                        "tokenizerConfig": files["tokenizer_config.json"], "postProcessor": BYTES, "files": {},
                        "calls": measure(name, network, tokenizer, count)})
    OUT.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"scales": SCALES, "addedTokens": added, "calls": CALLS})[:-1] + ', "models": [']
    lines += [",\n".join(json.dumps(entry) for entry in entries), "]}"]
    (OUT / "models.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
