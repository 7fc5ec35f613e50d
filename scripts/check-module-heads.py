#!/usr/bin/env python3
"""Random heads of sentence-transformers' modules on small models, with what CrossEncoder makes of pairs.

    scripts/check-module-heads.py FOLDER [MODEL_TYPE ...] [--heads N] [--seed S] [--seconds T]

For scripts/check-configurations.mjs, as the checkpoints of check-configurations.py, whose bases are taken. Drawn are pooling,
layers, activations, labels, prompts, limits, spellings of older versions, containers and types of weights; of some the head is
the model's own. Batches are padded. Last run with sentence-transformers 6.0.1, transformers 5.18.0, torch 2.13.0.
"""
import argparse
import importlib
import json
import random
import time
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from sentence_transformers import CrossEncoder

configurations = importlib.import_module("check-configurations")

# Models whose states no head of modules is put on here.
WITHOUT_HEADS = {"bart", "mbart", "t5", "mt5", "umt5", "gpt2", "gpt_neo", "gpt_neox", "gptj", "opt", "bloom", "phi",
                 "falcon", "starcoder2", "stablelm", "mobilebert"}
CAUSAL = {"llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "ministral", "phi3", "smollm3", "olmo2",
          "olmo3", "qwen3_5_text", "lfm2"}
FLAGS = {"cls": "pooling_mode_cls_token", "mean": "pooling_mode_mean_tokens", "max": "pooling_mode_max_tokens",
         "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens", "weightedmean": "pooling_mode_weightedmean_tokens",
         "lasttoken": "pooling_mode_lasttoken"}
ACTIVATIONS = ["Tanh", "ReLU", "GELU", "SiLU", "Identity"]
TORCH = "torch.nn.modules.{}.{}".format
FILES = {"LayerNorm": "layer_norm"}
DTYPES = [torch.float32, torch.float32, torch.float16, torch.bfloat16]
BASE = "sentence_transformers.base.modules."
OWN = "sentence_transformers.sentence_transformer.modules."
OLD = "sentence_transformers.models."


def activation(name):
    return TORCH("linear" if name == "Identity" else "activation", name)


def head_modules(rng, kind, hidden):
    """(class, settings, shapes of tensors) of what follows the transformer."""
    mode = rng.choice([mode for mode in FLAGS if mode != "cls" or kind not in CAUSAL])
    pooling = {"embedding_dimension": hidden, "pooling_mode": mode}
    if rng.random() < 0.4:
        pooling = {"word_embedding_dimension": hidden, **{flag: own == mode for own, flag in FLAGS.items()}}
    modules = [("Pooling", pooling, {})]
    width = hidden
    if rng.random() < 0.5:
        outputs, bias = rng.choice([17, 32, hidden, 64]), rng.random() < 0.5
        modules.append(("Dense", {"in_features": width, "out_features": outputs, "bias": bias,
                                  "activation_function": activation(rng.choice(ACTIVATIONS))},
                        {"linear.weight": [outputs, width], **({"linear.bias": [outputs]} if bias else {})}))
        width = outputs
    if rng.random() < 0.4:
        modules.append(("LayerNorm", {"dimension": width}, {"norm.weight": [width], "norm.bias": [width]}))
    if rng.random() < 0.2:
        modules.insert(rng.randint(1, len(modules)), ("Dropout", {"dropout": 0.3}, {}))
    labels, bias = rng.choice([1, 1, 2, 3]), rng.random() < 0.6
    modules.append(("Dense", {"in_features": width, "out_features": labels, "bias": bias, "module_output_name": "scores",
                              "activation_function": activation("Identity")},
                    {"linear.weight": [labels, width], **({"linear.bias": [labels]} if bias else {})}))
    return modules


def draw_pair(rng):
    """Of two texts that are both beyond the limit tokenizers 0.23 no longer knows the longer, which gets the odd token."""
    sizes = rng.choices([1, 3, 8, 20, 28, 60], k=2)
    if min(sizes) > 8:
        sizes = [min(sizes), 80]
    return [" ".join(rng.choices(configurations.WORDS, k=size)) for size in sizes]


def settings(rng, labels):
    content = {"model_type": "CrossEncoder"}
    names = ["Identity", "Sigmoid", "Tanh", *(["Softmax"] if labels > 1 else [])]
    if rng.random() < 0.5:
        content["activation_fn"] = activation(rng.choice(names))
    if rng.random() < 0.4:
        content["prompts"] = {"one": "w1 w2 ", "none": "", "other": " w3  W5 "}
        content["default_prompt_name"] = rng.choice([None, *content["prompts"]])
    return content


def save(rng, folder, tensors):
    dtype = rng.choice(DTYPES)
    tensors = {name: tensor.to(dtype).contiguous() for name, tensor in tensors.items()}
    if rng.random() < 0.6:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        torch.save(tensors, folder / "pytorch_model.bin")


def write(rng, folder, kind, config, base, files):
    """Fills the folder; returns a description."""
    has_own_head = (rng.random() < 0.25 and kind != "lfm2") or kind in WITHOUT_HEADS
    count = rng.choice([1, 1, 2, 3])
    content = {**base, "num_labels": count, "architectures": base["architectures"]}
    headed = transformers.AutoModelForCausalLM if kind == "lfm2" else transformers.AutoModelForSequenceClassification
    makers = headed if has_own_head or rng.random() < 0.2 else transformers.AutoModel
    read = type(config).from_dict(content)
    read._attn_implementation = "eager"
    network = makers.from_config(read).float().eval()
    content["architectures"] = [type(network).__name__]
    modules = [] if has_own_head else head_modules(rng, kind, read.hidden_size)
    labels = modules[-1][1]["out_features"] if modules else count
    beside = settings(rng, labels)
    if not modules and rng.random() < 0.5:
        where = rng.choice(["sbert_ce_default_activation_function", "sentence_transformers"])
        named = activation(rng.choice(["Identity", "Sigmoid"]))
        content[where] = {"activation_fn": named} if where == "sentence_transformers" else named
    older = rng.random() < 0.3
    transformer = {"max_seq_length": rng.choice([12, 33, 50]), "do_lower_case": rng.random() < 0.2} if rng.random() < 0.5 else None
    tokenizer = {**files["tokenizer_config.json"], "pad_token": "[PAD]", "unk_token": "[UNK]"}
    # Where the class has no positions the texts are cut here all the same.
    is_limited = hasattr(read, "max_position_embeddings") and read.pad_token_id != 1  # RoBERTa's positions begin behind it
    limits = [20, 45, *([None] if is_limited else [])]
    if (most := rng.choice(limits)) is not None:
        tokenizer["model_max_length"] = most
    if not modules:
        transformer = {**(transformer or {}), "transformer_task": "sequence-classification"}
    home = rng.choice(["", "0_Transformer"]) if modules else ""
    places = [home, *(f"{index}_{name}" for index, (name, _, _) in enumerate(modules, 1))]
    for place in places:
        (folder / place).mkdir(parents=True, exist_ok=True)
    state = configurations.weights(network)
    save(rng, folder / home, state)
    written = {f"{home}/config.json": content, f"{home}/tokenizer.json": files["tokenizer.json"],
               f"{home}/tokenizer_config.json": tokenizer}
    if modules or rng.random() < 0.6:
        written["config_sentence_transformers.json"] = beside
    if transformer is not None:
        written[f"{home}/sentence_bert_config.json"] = transformer
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    for place, (_, own, shapes) in zip(places[1:], modules):
        written[f"{place}/config.json"] = own
        if shapes:
            save(rng, folder / place, {name: torch.randn(shape, generator=generator) * 0.3 + ("norm.w" in name)
                                       for name, shape in shapes.items()})
    if modules or rng.random() < 0.3:
        names = [f"{BASE if name in ('Transformer', 'Dense') else OWN}{FILES.get(name, name.lower())}.{name}" if not older else f"{OLD}{name}"
                 for name in ("Transformer", *(name for name, _, _ in modules))]
        written["modules.json"] = [{"idx": index, "name": str(index), "path": place, "type": name}
                                   for index, (place, name) in enumerate(zip(places, names))]
    for name, value in written.items():
        (folder / name.lstrip("/")).write_text(json.dumps(value))
    shown = [(name, own) for name, own, _ in modules]
    return json.dumps({"class": content["architectures"][0], "labels": count, "modules": shown, "settings": beside,
                       "transformer": transformer, "tokenizer": most, "home": home, "old": older})


def measure(rng, folder, pairs):
    encoder = CrossEncoder(str(folder), device="cpu", model_kwargs={"dtype": torch.float32, "attn_implementation": "eager"})
    encoder.eval()
    # A batch is padded with the tokenizer's token, which a decoder passes over where its configuration has the same.
    # MobileBERT's last token sees the one behind it, and LongRoPE goes by the longest text of the batch.
    config = encoder.config
    is_alone = config.pad_token_id != encoder.tokenizer.pad_token_id or config.model_type == "mobilebert"
    is_alone = is_alone or (getattr(config, "rope_parameters", None) or {}).get("rope_type") == "longrope"
    size = rng.choice([1, 3, 8])
    arguments = {"batch_size": 1 if is_alone else size, "show_progress_bar": False}
    features = encoder.preprocess(pairs, prompt=encoder._resolve_prompt(None, None))
    rows = lambda values: [[float(x) for x in (row if row.ndim else [row])] for row in values]
    return {"rows": rows(encoder.predict(pairs, activation_fn=torch.nn.Identity(), **arguments)),
            "scores": rows(encoder.predict(pairs, **arguments)),
            "tokens": features["attention_mask"].sum(1).tolist()}


def run(what, count, write, measure, leaves_out=()):
    """
    Reads the command line, of whose options `--WHAT` says how many models are drawn of each base, and writes them with their
    cases. `write` fills a folder and describes it; `measure` says what the library makes of pairs.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("model_types", nargs="*")
    parser.add_argument(f"--{what}", dest="count", type=int, default=count)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=480)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    bases = [base for base in configurations.chosen_bases(arguments.model_types) if base[0] not in leaves_out]
    if "lfm2" in (arguments.model_types or ["lfm2"]):
        bases += configurations.chosen_bases(["lfm2"], transformers.AutoModel, configurations.lfm2_bases())
    found = {}
    for kind, name, config, _, base in bases:
        ends = time.monotonic() + arguments.seconds / len(bases)
        rng = random.Random(f"{arguments.seed} {name}")
        files = configurations.tokenizer_files(kind)
        cases = found.setdefault(kind, [])
        for _ in range(arguments.count):
            if time.monotonic() > ends:
                break
            folder = arguments.folder / kind / f"{len(cases):04}"
            pairs = [draw_pair(rng) for _ in range(6)]
            label, case = write(rng, folder, kind, config, base, files), {"rows": None}
            try:
                case = measure(rng, folder, pairs)
            except Exception as error:  # noqa: BLE001 - whatever it is, there is nothing to compare
                case["error"] = f"{type(error).__name__}: {error}"[:300]
            cases.append({"label": f"{name}, {label}", "folder": folder.name, "pairs": pairs, **case})
        (arguments.folder / kind / "cases.json").write_text(json.dumps({"cases": cases}))
        print(kind, name, f"{len(cases)} {what}, {sum(case['rows'] is not None for case in cases)} run", flush=True)


if __name__ == "__main__":
    run("heads", 20, write, measure)
