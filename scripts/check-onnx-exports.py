#!/usr/bin/env python3
"""Writes small checkpoints whose weights are ONNX exports, with the logits of transformers.

    scripts/check-onnx-exports.py FOLDER [MODEL_TYPE ...]

Bases and inputs are those of check-configurations.py, and so is FOLDER; scripts/check-configurations.mjs then tells which come
out otherwise here. Each model is exported by PyTorch's older exporter, whose files the Hub has, with opset 14 and 17, once
without the names of nodes as before PyTorch 1.13, once with its weights in a file beside it, and by the newer exporter. What
cannot be exported has its reason in cases.json. Last run with torch 2.13.0 (CPU), transformers 5.18.0, onnx 1.23.1,
onnxscript 0.7.2.
"""
import importlib
import json
import shutil
import sys
import warnings
from pathlib import Path

import onnx
import torch
import transformers

configurations = importlib.import_module("check-configurations")


def inputs_for(network):
    ids = torch.randint(5, 90, (2, 16), generator=torch.Generator().manual_seed(7))
    ids[:, -1] = 3  # [SEP], which BART and T5 look for
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if getattr(network.config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = torch.zeros_like(ids)
    return inputs


def export_older(network, path, opset):
    inputs = inputs_for(network)
    axes = {name: {0: "batch", 1: "length"} for name in inputs}
    torch.onnx.export(network, (inputs,), str(path), input_names=list(inputs), output_names=["logits"], dynamic_axes=axes,
                      opset_version=opset, dynamo=False)


def export_nameless(network, path):
    export_older(network, path, 14)
    model = onnx.load(path)
    for index, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{index}"
    onnx.save(model, path)


def export_beside(network, path):
    export_older(network, path, 17)
    onnx.save(onnx.load(path), path, save_as_external_data=True, all_tensors_to_one_file=True, location="model.onnx_data",
              size_threshold=0)


def export_newer(network, path):
    inputs = inputs_for(network)
    free = {0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO}
    torch.onnx.export(network, (), str(path), kwargs=inputs, input_names=list(inputs), output_names=["logits"],
                      dynamic_shapes={name: free for name in inputs}, dynamo=True, external_data=False, verbose=False)


EXPORTS = {
    "opset 14": lambda network, path: export_older(network, path, 14),
    "opset 17": lambda network, path: export_older(network, path, 17),
    "without names of nodes": export_nameless,
    "weights beside it": export_beside,
    "newer exporter": export_newer,
}


def main():
    out = Path(sys.argv[1])
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.simplefilter("ignore")
    found = {}
    for kind, name, config, _, base in configurations.chosen_bases(sys.argv[2:]):
        files = configurations.tokenizer_files(kind)
        encode = configurations.read_tokenizer(files, base).encode
        for label, export in EXPORTS.items():
            cases = found.setdefault(kind, [])
            folder = out / kind / f"{len(cases):04}"
            rows, error = configurations.write(folder, type(config), base, files, encode)
            if error is None:
                settings = type(config).from_dict(dict(base))
                settings.use_cache = False  # what it caches is no output
                settings._attn_implementation = "eager" if label == "opset 14" else "sdpa"
                try:
                    network = transformers.AutoModelForSequenceClassification.from_config(settings)
                except ValueError:
                    settings._attn_implementation = "eager"
                    network = transformers.AutoModelForSequenceClassification.from_config(settings)
                network = network.float().eval()
                network.load_state_dict(configurations.weights(network), strict=False)
                (folder / "model.safetensors").unlink()
                (folder / "onnx").mkdir()
                try:
                    with torch.no_grad():
                        export(network, folder / "onnx" / "model.onnx")
                except Exception as failure:  # noqa: BLE001 - an exporter's failure leaves nothing to read
                    rows, error = None, f"{type(failure).__name__}: {failure}"[:200]
                    shutil.rmtree(folder)
            cases.append({"label": f"{name}, {label}", "folder": folder.name, "rows": rows, "error": error})
        (out / kind).mkdir(parents=True, exist_ok=True)
        (out / kind / "cases.json").write_text(json.dumps({"items": configurations.ITEMS, "cases": found[kind]}))
        failed = [case["label"].split(", ")[-1] for case in found[kind][-len(EXPORTS):] if case["error"]]
        print(kind, name, "not exported:" if failed else "", *failed, flush=True)


if __name__ == "__main__":
    main()
