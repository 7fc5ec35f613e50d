#!/usr/bin/env python3
"""Small bases with adapters as PEFT saves them (LoRA, DoRA, IA3), and the logits of the models that merging them gives.

    python scripts/make-adapter-fixtures.py

Writes test/fixtures/adapters/models.json: for each adapter the configuration and the shapes of its base, its own
configuration and tensors under PEFT's names (values are make-golden.py's function of seed and name), and the logits of
AutoModelForSequenceClassification on the pairs of make-module-head-fixtures.py, after W + scale * B @ A was put in the
place of each changed W: with DoRA, every output's weights are then given the length that the adapter says, with IA3, W and
its bias are multiplied instead. PEFT itself is not needed: its names and arithmetic are written down here, from its
documentation ("PEFT checkpoint format") and source.

"causal" has adapters of the language models of make-causal-reranker-fixtures.py: after the merge, the logit of the first
token of its LogitScore less that of the second, for the token ids that are recorded there.

Made with transformers 5.18.0, tokenizers 0.23.2, torch 2.13.0.
"""
import importlib
import json
import math
import re
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors import safe_open
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parent.parent
heads = importlib.import_module("make-module-head-fixtures")

GPT2 = dict(n_embd=32, n_layer=2, n_head=4, n_positions=72, pad_token_id=1)

# name: (model type, class of the base, its configuration, ranks by the end of a module's name, tensors that are saved
# whole, settings of the adapter, further files of the adapter)
CASES = {
    "roberta-masked": ("roberta", "ForMaskedLM", heads.ROBERTA, {"query": 4, "value": 4}, r"^classifier\.",
                       {"lora_alpha": 8}, {}),
    "bert-bare": ("bert", "Model", heads.BASE, {"query": 3, "key": 3, "intermediate.dense": 3}, r"^classifier\.|\.bias$",
                  {"lora_alpha": 6, "use_rslora": True, "bias": "all"}, {}),
    "distilbert-bin": ("distilbert", "ForMaskedLM", heads.DISTILBERT, {"q_lin": 2, "lin1": 2}, r"^(pre_)?classifier\.",
                       {}, {}),
    "deberta-v2": ("deberta-v2", "ForMaskedLM", heads.DEBERTA, {"query_proj": 4, "value_proj": 4},
                   r"^(classifier|pooler)\.", {"init_lora_weights": "gaussian"}, {}),
    "modernbert-head": ("modernbert", "ForMaskedLM", heads.MODERNBERT, {"Wqkv": 4, "Wi": 4, "Wo": 4}, r"^classifier\.",
                        {"lora_alpha": 4}, {}),
    "llama-patterns": ("llama", "ForCausalLM", heads.DECODER,
                       {"q_proj": 4, "k_proj": 4, "v_proj": 2, "o_proj": 4, "gate_proj": 4, "layers.1.mlp.up_proj": 8},
                       r"^score\.",
                       {"lora_alpha": 16, "rank_pattern": {"v_proj": 2, "layers.1.mlp.up_proj": 8},
                        "alpha_pattern": {"v_proj": 3, "^model.layers.0.self_attn.q_proj": 5}},
                       {"config.json": {"model_type": "llama", "id2label": {"0": "no", "1": "maybe", "2": "yes"}}}),
    "gpt2-transposed": ("gpt2", "LMHeadModel", GPT2, {"c_attn": 4, "mlp.c_proj": 2}, r"^score\.",
                        {"fan_in_fan_out": True, "lora_alpha": 2}, {}),
    "roberta-dora": ("roberta", "ForMaskedLM", heads.ROBERTA, {"query": 4, "output.dense": 3}, r"^classifier\.",
                     {"use_dora": True, "lora_alpha": 8}, {}),
    "gpt2-dora": ("gpt2", "LMHeadModel", GPT2, {"c_attn": 4, "mlp.c_proj": 2}, r"^score\.",
                  {"use_dora": True, "fan_in_fan_out": True, "lora_alpha": 6}, {}),
    "llama-embeddings": ("llama", "ForCausalLM", heads.DECODER, {"embed_tokens": 4, "v_proj": 2}, r"^score\.|embed_tokens",
                         {"use_dora": True, "lora_alpha": 6}, {}),
    "bert-ia3": ("bert", "Model", heads.BASE, {"key": 0, "value": 0, "output.dense": 0}, r"^classifier\.",
                 {"peft_type": "IA3", "feedforward_modules": ["output.dense"]}, {}),
    "gpt2-ia3": ("gpt2", "LMHeadModel", GPT2, {"c_attn": 0, "mlp.c_proj": 0}, r"^score\.",
                 {"peft_type": "IA3", "fan_in_fan_out": True, "feedforward_modules": ["mlp.c_proj"]}, {}),
}


def saved_shapes(network):
    """Names and shapes in the file that save_pretrained writes."""
    with tempfile.TemporaryDirectory() as folder:
        network.save_pretrained(folder)
        with safe_open(Path(folder) / "model.safetensors", "pt") as file:
            return {name: list(file.get_slice(name).get_shape()) for name in file.keys()}


def alpha_of(config, module):
    for pattern, alpha in config.get("alpha_pattern", {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return alpha
    return config["lora_alpha"]


def adapter_shapes(network, ranks, whole, settings):
    """PEFT's names for what the adapter saves, and the rank of each changed module."""
    state = {name: tensor for name, tensor in network.state_dict().items() if tensor.dtype == torch.float32}
    changed, shapes = {}, {}
    for name, tensor in state.items():
        module = name.removesuffix(".weight")
        rank = next((rank for end, rank in ranks.items() if re.search(rf"(^|\.){re.escape(end)}$", module)), None)
        if rank is None or not name.endswith(".weight") or tensor.ndim != 2:
            continue
        changed[module] = rank
        is_embedding = module.endswith("embed_tokens")
        outputs, inputs = reversed(tensor.shape) if settings["fan_in_fan_out"] or is_embedding else tensor.shape
        part = f"base_model.model.{module}"
        if settings["peft_type"] == "IA3":
            is_input = any(module.endswith(end) for end in settings["feedforward_modules"])
            shapes[f"{part}.ia3_l"] = [1, inputs] if is_input else [outputs, 1]
            continue
        shapes[f"{part}.lora_embedding_A" if is_embedding else f"{part}.lora_A.weight"] = [rank, inputs]
        shapes[f"{part}.lora_embedding_B" if is_embedding else f"{part}.lora_B.weight"] = [outputs, rank]
        if settings["use_dora"]:
            shapes[f"{part}.lora_magnitude_vector"] = [outputs]
    for name, tensor in state.items():
        module, _, parameter = name.rpartition(".")
        if re.search(whole, name):
            layer = f"{module}.base_layer" if module in changed else module
            shapes[f"base_model.model.{layer}.{parameter}"] = list(tensor.shape)
    return changed, shapes


def merge(network, adapter, changed, config):
    state = network.state_dict()
    for name, tensor in adapter.items():
        if ".lora_" not in name and not name.endswith(".ia3_l"):
            state[name.removeprefix("base_model.model.").replace(".base_layer.", ".")].copy_(tensor)
    for module, rank in changed.items():
        part = f"base_model.model.{module}"
        weight = state[f"{module}.weight"]
        is_embedding = f"{part}.lora_embedding_A" in adapter
        turned = (lambda matrix: matrix.T) if config["fan_in_fan_out"] or is_embedding else (lambda matrix: matrix)
        whole = turned(weight.double())
        if config["peft_type"] == "IA3":
            factors = adapter[f"{part}.ia3_l"].double()
            whole = whole * factors
            if factors.shape[1] == 1 and f"{module}.bias" in state:
                state[f"{module}.bias"].copy_((state[f"{module}.bias"].double() * factors[:, 0]).float())
        else:
            end = "embedding_{}" if is_embedding else "{}.weight"
            b, a = (adapter[f"{part}.lora_{end.format(letter)}"].double() for letter in "BA")
            whole = whole + alpha_of(config, module) / (math.sqrt(rank) if config["use_rslora"] else rank) * b @ a
            if config["use_dora"]:
                length = torch.linalg.norm(whole, dim=1)
                whole = (adapter[f"{part}.lora_magnitude_vector"].double() / length)[:, None] * whole
        weight.copy_(turned(whole).float())


def settings_of(task, ranks, more):
    return {"peft_type": "LORA", "task_type": task, "base_model_name_or_path": "org/base", "revision": None,
            "inference_mode": True, "r": max(ranks.values()), "lora_alpha": 8, "lora_dropout": 0.1, "bias": "none",
            "fan_in_fan_out": False, "use_rslora": False, "use_dora": False, "init_lora_weights": True,
            "modules_to_save": ["classifier", "score"], "target_modules": list(ranks), "alpha_pattern": {},
            "rank_pattern": {}, "layer_replication": None, "megatron_config": None, **more}


YES_NO = {"true_token_id": 263, "false_token_id": 262}

# name: (language model, whose two tables are tied, ranks, settings)
CAUSAL = {
    "causal-modules": ("qwen3-saved", {"q_proj": 4, "down_proj": 3}, {"use_dora": True}),
    "causal-embeddings": ("qwen3-turns", {"embed_tokens": 4, "v_proj": 2}, {}),
    "causal-vocabulary": ("qwen3-turns", {"lm_head": 4, "v_proj": 2}, {}),
}


def causal_entries():
    source = json.loads((ROOT / "test/fixtures/causal-rerankers/models.json").read_text(encoding="utf-8"))
    models = {model["name"]: model for model in source["models"]}
    for seed, (name, (base, ranks, settings)) in enumerate(CAUSAL.items(), 751):
        model = models[base]
        draw = lambda seed, shapes: {key: torch.from_numpy(heads.golden.tensor_values(
            {"seed": seed, "scales": source["scales"]}, key, tuple(shape))) for key, shape in shapes.items()}
        config = transformers.AutoConfig.for_model(**model["config"])
        network = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        weights = draw(model["seed"], model["tensors"])
        for key, tensor in network.state_dict().items():
            if key in weights:
                tensor.copy_(weights[key])
        # PEFT's wrapper of one of two tied modules leaves the other with the base's matrix.
        network.lm_head.weight = torch.nn.Parameter(network.lm_head.weight.detach().clone())
        settings = settings_of("CAUSAL_LM", ranks, settings)
        changed, shapes = adapter_shapes(network, ranks, r"^$", settings)
        adapter = draw(seed, shapes)
        rows = []
        with torch.no_grad():
            merge(network, adapter, changed, settings)
            score = model["files"].get("1_LogitScore/config.json", YES_NO)
            for ids in model["expected"]["calls"][0]["ids"]:
                last = network(torch.tensor([ids])).logits[0, -1]
                rows.append((last[score["true_token_id"]] - last[score["false_token_id"]]).item())
        print(name, len(changed), "changed, std", round(torch.tensor(rows).std().item(), 3), flush=True)
        yield {"name": name, "base": base, "seed": seed, "adapterConfig": settings, "adapterTensors": shapes,
               "logits": [float(f"{x:.9g}") for x in rows]}


def main():
    torch.set_num_threads(1)
    entries = []
    for seed, (name, (model_type, suffix, config, ranks, whole, settings, files)) in enumerate(CASES.items(), 701):
        config = transformers.AutoConfig.for_model(model_type, vocab_size=704, **config)
        auto = {"Model": transformers.AutoModel, "ForMaskedLM": transformers.AutoModelForMaskedLM,
                "ForCausalLM": transformers.AutoModelForCausalLM, "LMHeadModel": transformers.AutoModelForCausalLM}[suffix]
        base = auto.from_config(config)
        model = {"seed": seed, "scales": heads.SCALES}
        values = lambda shapes: {key: torch.from_numpy(heads.golden.tensor_values(model, key, tuple(shape)))
                                 for key, shape in shapes.items()}
        shapes = saved_shapes(base)
        own = heads.tokenizer_files(getattr(config, "type_vocab_size", 0) == 2)
        config = {**config.to_diff_dict(), "architectures": [type(base).__name__], "model_type": model_type}
        settings = settings_of("SEQ_CLS", ranks, settings)
        with tempfile.TemporaryDirectory() as folder:
            heads.write(Path(folder), {"config.json": config, **own})
            save_file(values(shapes), Path(folder) / "model.safetensors", metadata={"format": "pt"})
            classifier = transformers.AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3).eval()
            tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(Path(folder) / "tokenizer.json"),
                                                             **own["tokenizer_config.json"])
        changed, more = adapter_shapes(classifier, ranks, whole, settings)
        adapter = values(more)
        rows = []
        with torch.no_grad():
            merge(classifier, adapter, changed, settings)
            for first, second in heads.PAIRS:
                rows.append(classifier(**tokenizer([first], [second], truncation=True, return_tensors="pt")).logits[0].tolist())
        spread = torch.tensor(rows).std(dim=0).mean().item()
        print(name, len(changed), "changed,", len(more), "tensors, std", round(spread, 3), flush=True)
        entries.append({"name": name, "seed": seed, "config": config, "tensors": shapes,
                        "tokenizerConfig": own["tokenizer_config.json"],
                        "postProcessor": own["tokenizer.json"]["post_processor"], "files": {},
                        "adapterConfig": settings, "adapterTensors": more, "adapterFiles": files,
                        "logits": [[float(f"{x:.9g}") for x in row] for row in rows]})
    out = ROOT / "test/fixtures/adapters"
    out.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"scales": heads.SCALES, "pairs": heads.PAIRS})[:-1] + ', "models": [']
    lines += [",\n".join(json.dumps(entry) for entry in entries), '], "causal": [',
              ",\n".join(json.dumps(entry) for entry in causal_entries()), "]}"]
    (out / "models.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
