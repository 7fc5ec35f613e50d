#!/usr/bin/env python3
"""Random prompt routers of LFM2.5's encoders and random labels and texts, with the logits of prompt_router_reference.py.

    scripts/check-prompt-router.py FOLDER [--models N] [--calls N] [--seed S]

For scripts/check-configurations.mjs. Drawn are the sizes of the model, its layers, biases and types of weights, and for each
call the labels and the text, of characters of all kinds. The tokenizer is that of test/fixtures/prompt-router. Last run with
transformers 5.18.0, tokenizers 0.23.2, torch 2.13.0.
"""
import argparse
import importlib
import json
import random
from pathlib import Path

import torch
from safetensors.torch import save_file

import prompt_router_reference as reference
from lfm2_bidirectional_reference import Lfm2BidirectionalConfig

fixtures = importlib.import_module("make-prompt-router-fixtures")

DTYPES = [torch.float32, torch.float32, torch.float16, torch.bfloat16]


def draw_config(rng):
    layers = rng.choices(["conv", "full_attention"], k=rng.choice([2, 3, 5]))
    heads, size = rng.choice([(4, 8), (2, 16), (4, 16)])
    return {**fixtures.LFM2, "hidden_size": heads * size, "num_hidden_layers": len(layers), "layer_types": layers,
            "num_attention_heads": heads, "num_key_value_heads": rng.choice([1, 2, heads]),
            "intermediate_size": rng.choice([24, 48, 96]), "block_auto_adjust_ff_dim": rng.random() < 0.7,
            "conv_L_cache": rng.choice([1, 2, 3, 4, 5]), "conv_bias": rng.random() < 0.3, "norm_eps": rng.choice([1e-5, 1e-3]),
            "rope_parameters": {"rope_type": "default", "rope_theta": rng.choice([100.0, 1e6])}}


def draw_inputs(rng, count):
    calls = [fixtures.draw_call(rng) for _ in range(count)]
    # Of equal labels a result does not say which is which.
    return [text for _, text in calls], [list(dict.fromkeys(labels)) for labels, _ in calls]


@torch.no_grad()
def write(rng, folder, tokenizer, content, calls):
    config, size, dtype = draw_config(rng), rng.choice([8, 24, 256]), rng.choice(DTYPES)
    network = reference.PromptRouter(Lfm2BidirectionalConfig(**config), size).eval()
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    state = {}
    for name, tensor in network.state_dict().items():
        if tensor.dtype != torch.float32 or "rotary" in name:
            continue
        values = torch.randn(tensor.shape, generator=generator) * (0.8 / max(1, tensor.shape[-1] if tensor.dim() > 1 else 16) ** 0.5)
        values = values + 1 if "norm" in name else values * 4 if name == "logit_scale" else values
        state[name] = values.to(dtype)
    network.load_state_dict({name: tensor.float() for name, tensor in state.items()}, strict=False)
    texts, labels = draw_inputs(rng, calls)
    rows, tokens = [], []
    for text, own in zip(texts, labels):
        ids, place, spans = reference.encode(tokenizer, text, own)
        rows.append(network(ids, place, spans).tolist())
        tokens.append(len(ids))
    written = {**config, **fixtures.OWN_CODE, "rule_proj_dim": size}
    if size == 256 and rng.random() < 0.5:
        del written["rule_proj_dim"]
    if rng.random() < 0.3:
        written["model_type"] = "lfm2_bidirectional"
    folder.mkdir(parents=True)
    for name, value in {"config.json": written, "tokenizer.json": content, "tokenizer_config.json": fixtures.SETTINGS}.items():
        (folder / name).write_text(json.dumps(value))
    save_file(state, folder / "model.safetensors")
    return {"folder": folder.name, "label": json.dumps({**written, "dtype": str(dtype)}), "items": texts, "labels": labels,
            "rows": rows, "tokens": tokens, "type": rng.choice([None, "f16", "bf16", "q8_0"])}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=int, default=40)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    content = json.loads((fixtures.OUT / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer = fixtures.load_tokenizer(content)
    root = arguments.folder / "prompt-router"
    cases = [write(random.Random(f"{arguments.seed} {index}"), root / str(index), tokenizer, content, arguments.calls)
             for index in range(arguments.models)]
    (root / "cases.json").write_text(json.dumps({"items": [], "cases": cases}))


if __name__ == "__main__":
    main()
