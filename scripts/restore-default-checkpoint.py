#!/usr/bin/env python3
"""Writes the checkpoint of the default model (models/default.md) from its F16 file, under the names that training gave it.
Made with gguf 0.19.0, numpy 2.4.6, safetensors 0.8.0.
Usage: scripts/restore-default-checkpoint.py F16.gguf FOLDER
"""
import argparse
import json
import pathlib

import numpy as np
from gguf import GGUFReader
from safetensors.numpy import save_file

EMBEDDINGS = {
    "bert.embeddings.word_embeddings.weight": "token_embd.weight",
    "bert.embeddings.position_embeddings.weight": "position_embd.weight",
    "bert.embeddings.token_type_embeddings.weight": "token_types.weight",
}
BLOCK = {
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
PARTS = {"bert.embeddings.LayerNorm": "token_embd_norm", "bert.pooler.dense": "cls", "classifier": "cls.output"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gguf", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    args = parser.parse_args()
    file = GGUFReader(args.gguf)

    def value(key):
        return file.get_field(key).contents()

    stored = {t.name: np.array(t.data, dtype=np.float32) for t in file.tensors}
    parts, tensors = dict(PARTS), {ours: stored[name] for ours, name in EMBEDDINGS.items()}
    for i in range(value("bert.block_count")):
        layer, block = f"bert.encoder.layer.{i}", f"blk.{i}"
        parts.update({f"{layer}.{ours}": f"{block}.{name}" for ours, name in BLOCK.items()})
        for kind in ("weight", "bias"):
            joined = np.split(stored[f"{block}.attn_qkv.{kind}"], 3)
            for ours, part in zip(("query", "key", "value"), joined):
                tensors[f"{layer}.attention.self.{ours}.{kind}"] = np.ascontiguousarray(part)
    tensors.update({f"{ours}.{kind}": stored[f"{name}.{kind}"] for ours, name in parts.items() for kind in ("weight", "bias")})

    labels = value("bert.classifier.output_labels")
    config = {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "vocab_size": value("bert.vocab_size"),
        "hidden_size": value("bert.embedding_length"),
        "num_hidden_layers": value("bert.block_count"),
        "num_attention_heads": value("bert.attention.head_count"),
        "intermediate_size": value("bert.feed_forward_length"),
        "max_position_embeddings": value("bert.context_length"),
        "type_vocab_size": value("tokenizer.ggml.token_type_count"),
        "hidden_act": value("bert.hidden_activation"),
        "layer_norm_eps": 1e-12,
        "pad_token_id": value("tokenizer.ggml.padding_token_id"),
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "label2id": {label: i for i, label in enumerate(labels)},
    }
    limit = value("ggml_encoder.max_length")
    tokenizer = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": limit}
    args.folder.mkdir(parents=True)
    save_file(tensors, args.folder / "model.safetensors", metadata={"format": "pt"})
    (args.folder / "tokenizer.json").write_text(value("tokenizer.huggingface.json"), encoding="utf-8")
    for name, content in (("config.json", config), ("tokenizer_config.json", tokenizer)):
        (args.folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
