#!/usr/bin/env python3
"""Writes a small checkpoint for every value of every setting of the supported classes, with the logits of transformers.

    scripts/check-configurations.py FOLDER [MODEL_TYPE ...] [--combinations N [--seed S] [--seconds T] | --inputs]

With --combinations, N random combinations of settings for every base in the place of single ones, or as many as can be made in
T seconds for all bases, beside the few for each in which values are tried alone (configuration_combinations.py). With --inputs,
what tokenizers of every class give the models that have segments (tokenizer_inputs.py).
FOLDER/MODEL_TYPE gets cases.json and a checkpoint for each case that transformers runs. scripts/check-configurations.mjs
then tells which of them come out otherwise here; what is refused is no difference. Settings are the fields of a class's
configuration, and the keys below that other classes and older versions have. Bases are those of make-family-goldens.py, with
a vocabulary of 96 words. Last run with torch 2.13.0 (CPU), transformers 5.18.0, tokenizers 0.23.2.
"""
import argparse
import copy
import dataclasses
import hashlib
import importlib
import json
import random
import re
import sys
import tempfile
from pathlib import Path

import golden_families
import tokenizer_inputs
import torch
import transformers
from safetensors.torch import save_file

goldens = importlib.import_module("make-family-goldens")
combinations = importlib.import_module("configuration_combinations")

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [f"w{index}" for index in range(91)]
RANDOM = random.Random(5)
TEXTS = [" ".join(RANDOM.choices(WORDS, k=length)) for length in (1, 5, 17, 40)]
# With padding in it, which decoders pass over.
ITEMS = [*TEXTS, "w3 w4 [PAD] w5 [MASK] [PAD]", [" ".join(RANDOM.choices(WORDS, k=4)), " ".join(RANDOM.choices(WORDS, k=9))]]

ACTIVATIONS = ["gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "quick_gelu", "relu", "relu6", "silu", "tanh", "mish"]
KINDS = ["full_attention", "sliding_attention"]
LINEAR = {"rope_type": "linear", "factor": 3.0, "rope_theta": 1000.0}
YARN = {"rope_type": "yarn", "factor": 4.0, "rope_theta": 1000.0, "original_max_position_embeddings": 16}
ROTATIONS = [None, {}, {"rope_type": "default", "rope_theta": 500.0}, LINEAR, YARN, {**LINEAR, "rope_type": "dynamic"},
             {"rope_type": "default", "rope_theta": 1000.0, "partial_rotary_factor": 0.5}, {"type": "linear", "factor": 2.0},
             {**YARN, "rope_type": "llama3", "low_freq_factor": 1.0, "high_freq_factor": 4.0},
             {kind: LINEAR for kind in KINDS}, {KINDS[0]: LINEAR}, {KINDS[1]: LINEAR}]

# Values of keys that many classes have, now or once; tried with every class.
COMMON = {
    "attention_head_size": [8], "chunk_size_feed_forward": [2], "head_dim": [None, 8, 16], "layer_types": [
        None, [KINDS[0]] * 3, [KINDS[1]] * 3, [KINDS[1], KINDS[0], KINDS[0]]], "num_labels": [1, 2, 5],
    "num_key_value_heads": [None, 1, 2, 3, 4], "pad_token_id": [None, 0, 1, 3, 5], "partial_rotary_factor": [0.5, 1.0],
    "position_embedding_type": ["absolute", "relative_key", "rope", "alibi"], "pruned_heads": [{"0": [1]}, {}],
    "rope_parameters": ROTATIONS, "rope_scaling": ROTATIONS[1:], "rope_theta": [100.0], "sliding_window": [None, 1, 3, 8, 64],
    "sliding_window_pattern": [1, 2], "tie_word_embeddings": [True, False], "use_bidirectional_attention": [True, False],
    "is_decoder": [True], "add_cross_attention": [True], "is_encoder_decoder": [True], "type_vocab_size": [0, 1, 2, 3],
    "rotary_pct": [0.5], "rotary_emb_base": [100], "rope_local_base_freq": [100.0], "global_rope_theta": [100.0],
    "local_rope_theta": [100.0],
}
# Values that do not follow from the default.
OWN = {
    "pos_att_type": [["c2p"], ["p2c"], "c2p|p2c", "p2p", None], "norm_rel_ebd": ["layer_norm", "none"],
    "classifier_pooling": ["cls", "mean", "bos", "late"], "no_rope_layers": [None, [1, 1, 1], [0, 0, 0], [1, 0]],
    "eos_token_id": [None, 2, 3, 5], "decoder_start_token_id": [None, 0, 2], "max_relative_positions": [-1, 1, 10, 30],
    "position_buckets": [-1, 1, 4, 16], "conv_kernel_size": [0, 3, 5], "attn_logit_softcapping": [None, 2.0],
    "query_pre_attn_scalar": [1, 30], "attention_type": ["original_full", "block_sparse"],
    "attn_type": ["bi", "uni"], "full_attn_idxs": [None, [], [0], [1, 2]], "clamp_len": [-1, 0, 1, 6, 30],
    "summary_type": ["last", "first", "mean", "cls_index", "attn"],
}
# What an older key stands for, so that it is also tried in the place of that.
IN_PLACE_OF = {**dict.fromkeys(["rope_scaling", "rope_theta", "partial_rotary_factor", "rotary_pct", "rotary_emb_base",
                                "rope_local_base_freq", "global_rope_theta", "local_rope_theta"], "rope_parameters"),
               **dict.fromkeys(["sliding_window", "sliding_window_pattern", "use_sliding_window", "max_window_layers",
                                "no_rope_layers"], "layer_types")}
# Where no norm keeps what many layers make of them from growing.
SCALES = {"mobilebert": 1.4}
WITHOUT_EFFECT = {"transformers_version", "architectures", "model_type", "output_hidden_states", "return_dict", "dtype",
                  "id2label", "label2id", "problem_type", "initializer_range", "use_cache", "_name_or_path"}


def values(key, value):
    if key in OWN or key in COMMON:
        return OWN.get(key) or COMMON[key]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value * 2, value // 2, 0, -1, None]
    if isinstance(value, float):
        return [value * 2, value / 2, 0.3, None]
    if isinstance(value, str):
        return ACTIVATIONS if "act" in key else ["other"]
    return [1, True, "other"] if value is None else []


def settings(config, base, values_of):
    """(key, value) of everything that can be set."""
    fields = {field.name for field in dataclasses.fields(config)}
    for key in sorted({*fields, *config.attribute_map, *COMMON} - WITHOUT_EFFECT):
        for value in values_of(key, base.get(config.attribute_map.get(key, key))):
            yield key, value


def cases(config, base):
    """(label, configuration) of the base, and of each value of each setting."""
    yield "as it is", base
    for key, value in settings(config, base, values):
        label = f"{key} = {json.dumps(value)}"
        yield label, {**base, key: value}
        if (replaced := IN_PLACE_OF.get(key)) in base:
            yield f"{label}, no {replaced}", {**{k: v for k, v in base.items() if k != replaced}, key: value}


def tokenizer():
    tokens = [*SPECIAL, *WORDS]
    added = [{"id": tokens.index(token), "content": token, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": True} for token in SPECIAL]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
            "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                           "lowercase": True},
            "pre_tokenizer": {"type": "BertPreTokenizer"}, "decoder": None,
            "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100, "vocab": {token: index for index, token in enumerate(tokens)}}}


def byte_tokenizer():
    """Of the words, those below 78 behind a space are one token."""
    parts = [*"Ġw0123456789"]
    merges = [("Ġ", "w"), *(("Ġw", digit) for digit in parts[2:]), *((f"Ġw{n // 10}", str(n % 10)) for n in range(10, 78))]
    tokens = [*SPECIAL, *parts, *("".join(merge) for merge in merges)]
    return {**tokenizer(), "normalizer": {"type": "NFC"}, "decoder": None, "post_processor": None,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}, "model": {
                "type": "BPE", "dropout": None, "unk_token": None, "byte_fallback": False, "merges": merges,
                "vocab": {token: index for index, token in enumerate(tokens)}}}


def tokenizer_files(kind):
    """transformers takes no other tokenizer than its own for Qwen 2."""
    if kind == "qwen2":
        return {"tokenizer.json": byte_tokenizer(), "tokenizer_config.json": {
            "tokenizer_class": "Qwen2Tokenizer", "pad_token": "[PAD]", "unk_token": "[UNK]", "eos_token": "[SEP]"}}
    return {"tokenizer.json": tokenizer(), "tokenizer_config.json": {"tokenizer_class": "BertTokenizerFast"}}


def read_tokenizer(files, config):
    """As transformers reads it from the disk."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {**files, "config.json": config}.items():
            Path(folder, name).write_text(json.dumps(content))
        return transformers.AutoTokenizer.from_pretrained(folder).backend_tokenizer


def weights(network):
    """The same values for the same names, whatever the setting; each storage once."""
    state, seen = {}, set()
    for name, tensor in network.state_dict().items():
        if tensor.dtype != torch.float32 or tensor.data_ptr() in seen:
            continue
        seen.add(tensor.data_ptr())
        if name.endswith(".inv_freq"):  # as half precision leaves them
            state[name] = tensor.half().float()
            continue
        seed = int(hashlib.md5(name.encode()).hexdigest()[:8], 16)
        noise = torch.rand(tensor.shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1
        is_norm = re.search(r"(?<!_prelayer)norm|(^|[._])ln[._]", name.lower())
        if tensor.dim() > 1 and not re.search("embed|wte|wpe|shared", name):
            noise *= SCALES.get(network.config.model_type, 2.2) / tensor[0].numel() ** 0.5
            # T5 divides no scores; its training starts from queries that are as much smaller. Scores of hundreds would make
            # rounding in f32 as large as what is looked for.
            if network.config.model_type in ("t5", "mt5", "umt5") and name.endswith("Attention.q.weight"):
                noise /= network.config.d_kv ** 0.5
        else:
            noise *= 0.2
        state[name] = (noise + 1 if is_norm and not name.endswith("bias") else noise).contiguous()
    return state


def run(network, encode, item, head=lambda logits: logits):
    """None where a text is beyond the limit, or padding in it moves the positions of what follows (RoBERTa's)."""
    encoding = encode(*([item] if isinstance(item, str) else item))
    config = network.config
    counts_from_padding = hasattr(getattr(network.base_model, "embeddings", None), "padding_idx")
    # XLNet says -1.
    if 0 < getattr(config, "max_position_embeddings", 512) < len(encoding.ids):
        return None
    if counts_from_padding and {config.pad_token_id, 1} & set(encoding.ids):
        return None
    inputs = {"input_ids": torch.tensor([encoding.ids]), "attention_mask": torch.ones(1, len(encoding.ids), dtype=torch.long)}
    # GPTBigCode's tokenizers are taken as files, which give none.
    has_segments = getattr(config, "type_vocab_size", 0) > 1 and config.model_type != "gpt_bigcode"
    if has_segments or config.model_type in ("xlnet", *golden_families.WORD_SEGMENTS):
        inputs["token_type_ids"] = torch.tensor([encoding.type_ids])
    with torch.inference_mode():
        logits = head(network(**inputs).logits[0].double())
    return logits.tolist() if logits.isfinite().all() else None


def write(folder, config_class, config, files, encode):
    """The logits, or why transformers has none."""
    try:
        config_object = config_class.from_dict(copy.deepcopy(config))
        config_object._attn_implementation = "eager"
        network = transformers.AutoModelForSequenceClassification.from_config(config_object).float().eval()
        state = weights(network)
        network.load_state_dict(state, strict=False)
        rows = [run(network, encode, item) for item in ITEMS]
    except Exception as error:  # noqa: BLE001 - whatever it is, there is nothing to compare
        return None, f"{type(error).__name__}: {error}"[:200]
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    return rows, None


def bases():
    """(model type, name, configuration object), with sizes of what a base has."""
    entries = [("bert", "bert", golden_families.BASE), ("distilbert", "distilbert", {
        "dim": 48, "n_layers": 3, "n_heads": 4, "hidden_dim": 80, "vocab_size": 96, "max_position_embeddings": 64})]
    left_out = {*goldens.REFERENCES, *golden_families.FIRST, "gemma3-pictures", "qwen3.5-pictures"}
    entries += [(kind, name, config) for name, (kind, config) in golden_families.FAMILIES.items() if name not in left_out]
    for kind, name, overrides in entries:
        config = {"num_labels": 3, **overrides, "vocab_size": 96}
        if kind in ("t5", "mt5", "umt5"):
            config["eos_token_id"] = SPECIAL.index("[SEP]")
        for key in {"max_position_embeddings", "n_positions", "seq_length"} & set(config):
            config[key] += 64 - 512 if config[key] >= 512 else 0
        yield kind, name, transformers.AutoConfig.for_model(kind, **copy.deepcopy(config))


def lfm2_bases():
    """Of a model that has no classifier."""
    sizes = {**golden_families.DECODER, "vocab_size": 96, "max_position_embeddings": 64, "num_labels": 1, "block_multiple_of": 16,
             "rope_parameters": golden_families.THETA_100}
    for name, more in {"lfm2": {"layer_types": ["conv", "full_attention", "conv"]},
                       "lfm2-biases": {"layer_types": ["full_attention", "conv", "full_attention"], "conv_bias": True,
                                       "conv_L_cache": 4, "block_auto_adjust_ff_dim": False}}.items():
        yield "lfm2", name, transformers.AutoConfig.for_model("lfm2", **{**sizes, **more})


def chosen_bases(chosen, makers=transformers.AutoModelForSequenceClassification, more=()):
    """Those of the model types `chosen`, with their class and their configuration as it is in a file."""
    for kind, name, config in [*bases(), *more]:
        if chosen and kind not in chosen:
            continue
        plain = json.loads(json.dumps(config.to_dict()))
        base = {key: value for key, value in plain.items() if key not in WITHOUT_EFFECT}
        model_class = makers._model_mapping[type(config)]
        base |= {"architectures": [model_class.__name__], "num_labels": config.num_labels}
        yield kind, name, config, model_class, {"model_type": type(config).model_type, **base}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("model_types", nargs="*")
    parser.add_argument("--combinations", type=int)
    parser.add_argument("--language-models", action="store_true")
    parser.add_argument("--inputs", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=480)
    arguments = parser.parse_args()
    out, chosen = arguments.folder, arguments.model_types
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if arguments.inputs:
        tokenizer_inputs.write_all(sys.modules[__name__], chosen_bases(chosen), out)
        return
    if arguments.combinations:
        drawn = combinations.language_models(sys.modules[__name__], chosen) if arguments.language_models else chosen_bases(chosen)
        combinations.write_all(sys.modules[__name__], list(drawn), out, arguments)
        return
    found = {}
    for kind, name, config, _, base in chosen_bases(chosen):
        files = tokenizer_files(kind)
        encode = read_tokenizer(files, base).encode
        for label, changed in cases(config, base):
            folder = out / kind / f"{len(found.setdefault(kind, [])):04}"
            rows, error = write(folder, type(config), changed, files, encode)
            found[kind].append({"label": f"{name}, {label}", "folder": folder.name, "rows": rows, "error": error})
        (out / kind).mkdir(parents=True, exist_ok=True)
        (out / kind / "cases.json").write_text(json.dumps({"items": ITEMS, "cases": found[kind]}))
        print(kind, name, len(found[kind]), "cases", flush=True)


if __name__ == "__main__":
    main()
