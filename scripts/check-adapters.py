#!/usr/bin/env python3
"""Random adapters of PEFT's (LoRA, DoRA, IA3) on small bases, with the logits that PEFT's own layers give.

    scripts/check-adapters.py FOLDER [MODEL_TYPE ...] [--language-models] [--adapters N] [--seed S] [--seconds T]

For scripts/check-configurations.mjs, as the checkpoints of check-configurations.py, whose bases are taken: bare, with the head
of their training or with another classifier's. FOLDER/MODEL_TYPE/NNNN/adapter is what get_peft_model and save_pretrained
write, with trained values. Drawn are kinds, ranks, alphas and patterns of them, targets (names, expressions, all-linear, PEFT's
own), what is saved whole, biases, spellings of the configuration, containers and types, and what lies beside the adapter. The
logits are those of PeftModel.from_pretrained on the folder, nothing merged. Last run with peft 0.21.0, transformers 5.18.0,
torch 2.13.0.
"""
import argparse
import importlib
import json
import random
import re
import sys
import time
import warnings
from pathlib import Path

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

configurations = importlib.import_module("check-configurations")
combinations = importlib.import_module("configuration_combinations")

DTYPES = [torch.float32, torch.float32, torch.float16, torch.bfloat16]
LINEAR = (torch.nn.Linear, transformers.pytorch_utils.Conv1D)
HEADS = ("classifier", "score", "pooler", "pre_classifier", "head", "classification_head")
SAVED_BY_ITSELF = ("classifier", "score")
# Settings that change what the weights mean, each to be refused by its name.
REFUSED = [{"lora_bias": True}, {"trainable_token_indices": [3, 5]}, {"layer_replication": [[0, 2], [1, 3]]},
           {"init_lora_weights": "pissa"}, {"init_lora_weights": "olora"}]


def targets(rng, network):
    """(target_modules, further settings): what may be changed, in one of the ways there are to say it."""
    modules = {name: module for name, module in network.named_modules() if isinstance(module, (*LINEAR, torch.nn.Embedding))}
    inside = [name for name, module in modules.items() if isinstance(module, LINEAR) and re.search(r"\.\d+\.", name)]
    ends = sorted({name.rpartition(".")[2] for name in inside})
    longer = sorted({".".join(name.split(".")[-2:]) for name in inside})
    embeddings = [name.rpartition(".")[2] for name, module in modules.items() if isinstance(module, torch.nn.Embedding)]
    some = lambda names, most: rng.sample(names, min(len(names), rng.randint(1, most)))
    way = rng.choice(["ends", "ends", "ends", "longer", "names", "expression", "layer", "layers", "all-linear", "default", "embeddings"])
    if way == "ends":
        return some(ends, 4), {}
    if way == "longer":
        return some(longer, 3), {}
    if way == "names":
        return some(inside, 5), {}
    if way == "expression":
        return rf".*\.({'|'.join(some(ends, 3))})", {}
    if way == "layer":
        return rf".*\.{rng.choice([0, 1, 2])}\..*({'|'.join(some(ends, 3))})", {}
    if way == "layers":
        return some(ends, 3), {"layers_to_transform": rng.choice([0, [1], [0, 2]])}
    if way == "embeddings":
        return [*some(ends, 2), *some(embeddings, 2)], {}
    return ("all-linear" if way == "all-linear" else None), {}


def draw_settings(rng, network):
    """Of the adapter, as its class takes them."""
    target, more = targets(rng, network)
    names = [name for name, module in network.named_modules() if isinstance(module, (*LINEAR, torch.nn.Embedding))]
    ends = sorted({name.rpartition(".")[2] for name in names})
    if rng.random() < 0.15:
        more["exclude_modules"] = rng.choice([rng.sample(ends, 1), rf".*\.1\..*{rng.choice(ends)}"])
    heads = [name for name, _ in network.named_children() if name in HEADS]
    if rng.random() < 0.4 and heads:
        more["modules_to_save"] = rng.sample(heads, rng.randint(1, len(heads)))
    if rng.random() < 0.15:
        norms = [name for name, module in network.named_modules() if "orm" in type(module).__name__]
        more["modules_to_save"] = [*more.get("modules_to_save", heads), *rng.sample(norms, min(1, len(norms)))]
    if rng.random() < 0.2:
        if isinstance(target, list):
            target = [end for end in target if "embed" not in end and end not in ("wte", "wpe")]
            inputs = rng.sample(target, rng.randint(0, len(target)))
            return peft.IA3Config, {"target_modules": target, "feedforward_modules": inputs, **more}
        return peft.IA3Config, {"target_modules": target, "feedforward_modules": rf".*{rng.choice(ends)}", **more}
    settings = {"target_modules": target, "r": rng.choice([1, 2, 3, 4, 5, 8, 9]), "lora_alpha": rng.choice([1, 3, 8, 16, 0.5]),
                "lora_dropout": rng.choice([0.0, 0.1]), "use_rslora": rng.random() < 0.3, "use_dora": rng.random() < 0.3,
                "bias": rng.choice(["none", "none", "none", "all", "lora_only"]),
                "init_lora_weights": rng.choice([True, True, False, "gaussian"]), **more}
    if rng.random() < 0.4:
        settings["rank_pattern"] = {key: rng.choice([1, 2, 6]) for key in draw_keys(rng, names, ends)}
    if rng.random() < 0.4:
        settings["alpha_pattern"] = {key: rng.choice([1, 5, 32]) for key in draw_keys(rng, names, ends)}
    if rng.random() < 0.04:
        settings |= rng.choice(REFUSED)
    return peft.LoraConfig, settings


def draw_keys(rng, names, ends):
    """Names of modules by their ends or whole, now and then an expression."""
    keys = [*rng.sample(ends, min(2, len(ends))), rng.choice(names), "^" + rng.choice(names), ".".join(rng.choice(names).split(".")[-2:])]
    if rng.random() < 0.15:
        keys.append(rf".*\.1\..*{rng.choice(ends)}")
    return rng.sample(keys, rng.randint(1, 2))


def train(adapted, generator):
    """Other values for all that would be trained, and as large as training may make them."""
    for name, parameter in adapted.named_parameters():
        if not parameter.requires_grad:
            continue
        noise = torch.rand(parameter.shape, generator=generator) * 2 - 1
        if re.search(r"lora_(embedding_)?[AB]", name):
            parameter.data.copy_(noise * 1.2 / max(parameter.shape) ** 0.5 if "_A" in name else noise * 0.8)
        else:  # magnitudes, factors of IA3 and what is saved whole
            parameter.data.copy_(parameter.data * (1 + 0.3 * noise) + 0.05 * noise)


def respell(rng, folder):
    """The configuration and the tensors as other versions and tools write them."""
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    plain = json.loads(json.dumps(peft.PEFT_TYPE_TO_CONFIG_MAPPING[config["peft_type"]]().to_dict(), default=sorted))
    if rng.random() < 0.3:  # an older version, which had fewer settings
        kept = {"peft_type", "task_type", "base_model_name_or_path", "r", "lora_alpha", "target_modules", "inference_mode"}
        config = {key: value for key, value in config.items() if key in kept or value != plain.get(key)}
    if rng.random() < 0.2:  # PEFT goes by the class of each module
        config["fan_in_fan_out"] = not config.get("fan_in_fan_out", False)
    if config["peft_type"] == "LORA" and rng.random() < 0.1:
        config |= {"enable_lora": None, "merge_weights": False}
    path.write_text(json.dumps(config))
    tensors = load_file(folder / "adapter_model.safetensors")
    dtype = rng.choice(DTYPES)
    tensors = {name: tensor.to(dtype).contiguous() for name, tensor in tensors.items()}
    if rng.random() < 0.7:
        save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    else:
        (folder / "adapter_model.safetensors").unlink()
        torch.save(tensors, folder / "adapter_model.bin")
    return {"config": config, "dtype": str(dtype), "tensors": len(tensors)}


def write(rng, folder, writer, task):
    """Fills the folder with a base and an adapter; what the other script compares with, or why there is nothing."""
    base, around = dict(writer.base), {"model_max_length": None, "long": False}
    count = rng.choice([1, 2, 3])
    makers = {"CAUSAL_LM": [writer.model_class]}.get(task, [
        writer.model_class, *(maker._model_mapping[writer.config_class] for maker in (
            transformers.AutoModel, transformers.AutoModelForMaskedLM, transformers.AutoModelForCausalLM)
            if writer.config_class in maker._model_mapping)])
    maker = rng.choice(makers)
    # Without a task no head is saved by itself, and of some classes never; what is missing there is the base's.
    said = task if task == "CAUSAL_LM" or rng.random() < 0.85 else None
    is_saved = said is not None and any(head in SAVED_BY_ITSELF for head, _ in writer.network(base).named_children())
    of_base = rng.choice([count, 5]) if is_saved else count
    read = writer.config_class.from_dict({**base, "num_labels": of_base, "architectures": [maker.__name__]})
    read._attn_implementation = "eager"
    network = maker(read).float().eval()
    network.load_state_dict(configurations.weights(network), strict=False)
    home, own = folder / "base", folder / "adapter"
    home.mkdir(parents=True)
    network.to(rng.choice(DTYPES)).save_pretrained(home)
    for name, content in writer.files.items():
        (home / name).write_text(json.dumps(content))
    whole = lambda: writer.model_class.from_pretrained(
        home, dtype=torch.float32, attn_implementation="eager", ignore_mismatched_sizes=True,
        **({} if task == "CAUSAL_LM" else {"num_labels": count})).eval()
    around |= {"base": maker.__name__, "labels": count}
    try:
        plain = whole()
        config_class, settings = draw_settings(rng, plain)
        if said is None and rng.random() < 0.7:
            settings.setdefault("modules_to_save", [name for name, _ in plain.named_children() if name in HEADS])
        around |= {"settings": settings, "kind": config_class.__name__, "task": said}
        adapted = peft.get_peft_model(plain, config_class(task_type=said, **settings))
        train(adapted, torch.Generator().manual_seed(rng.randrange(2**31)))
        adapted.save_pretrained(own)
        around["file"] = respell(rng, own)
        beside = {}
        if rng.random() < 0.3:
            beside = {"tokenizer.json": writer.files["tokenizer.json"], "tokenizer_config.json": {
                **writer.files["tokenizer_config.json"], "model_max_length": rng.choice([20, 33])}}
            around["model_max_length"] = beside["tokenizer_config.json"]["model_max_length"]
        if task == "CAUSAL_LM":
            around["tokens"] = writer.draw_tokens()
            beside |= combinations.logit_score(around["tokens"])
        network = peft.PeftModel.from_pretrained(whole(), own).eval().get_base_model()
        is_labelled = task != "CAUSAL_LM" and rng.random() < 0.5
        if is_labelled:
            network.config.id2label = {index: f"name {index}" for index in range(count)}
            network.config.problem_type = rng.choice([None, "multi_label_classification"])
            beside["config.json"] = {"model_type": base["model_type"], "problem_type": network.config.problem_type,
                                     "id2label": {str(index): name for index, name in network.config.id2label.items()}}
        cases = writer.run(network, around)
    except Exception as error:  # noqa: BLE001 - whatever it is, there is nothing to compare
        return {"rows": None, "error": f"{type(error).__name__}: {error}"[:300], "around": around}
    for name, content in beside.items():
        (own / name).parent.mkdir(exist_ok=True)
        (own / name).write_text(json.dumps(content))
    return {**cases, "named": cases["named"] if is_labelled else None, "error": None, "around": around,
            "type": rng.choice(combinations.TYPES)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("model_types", nargs="*")
    parser.add_argument("--language-models", action="store_true")
    parser.add_argument("--adapters", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=480)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    chosen = arguments.model_types
    bases = list(combinations.language_models(configurations, chosen) if arguments.language_models else configurations.chosen_bases(chosen))
    found = {}
    for kind, name, config, model_class, base in bases:
        ends = time.monotonic() + arguments.seconds / len(bases)
        rng = random.Random(f"{arguments.seed} {name}")
        writer = combinations.Writer(configurations, type(config), model_class, base, configurations.tokenizer_files(kind), rng)
        task = "CAUSAL_LM" if arguments.language_models else "SEQ_CLS"
        cases = found.setdefault(kind, [])
        for _ in range(arguments.adapters):
            if time.monotonic() > ends:
                break
            number = f"{len(cases):04}"
            case = write(rng, (arguments.folder / kind / number).resolve(), writer, task)
            around = json.dumps(case["around"], default=list)
            cases.append({"label": f"{name}, {around}", "folder": f"{number}/adapter", **{**case, "around": json.loads(around)}})
        (arguments.folder / kind).mkdir(parents=True, exist_ok=True)
        (arguments.folder / kind / "cases.json").write_text(json.dumps({"cases": cases}))
        print(kind, name, f"{len(cases)} adapters, {sum(case['rows'] is not None for case in cases)} run", flush=True)


if __name__ == "__main__":
    sys.exit(main())
