#!/usr/bin/env python3
"""Makes test/golden/families.json: logits of Python transformers for one small checkpoint or more of every family.

Versions that made the committed file: torch 2.13.0 (CPU), transformers 5.18.0, tokenizers 0.23.2.
Weights are not stored: they come from make-golden.py's function of seed, name and index, rounded to bf16, so that a
checkpoint stored as F32, F16 or BF16 is the same model. The names and shapes of its tensors are stored. Needs Node for
the tokenizers of test/fixtures/tokenizers/pipelines.json.br. With names of families as arguments those are made, and what
is new; the others are kept.
"""
import copy
import importlib
import itertools
import json
import re
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import lfm2_bidirectional_reference  # registers its classes
import torch
import transformers
from curator_reference import CuratorClassifier
from golden_families import FAMILIES, FIRST, FIRST_NAMES, FLASH, INPUT_NAMES, LANGUAGES, MORE, SAVED, TOKENIZERS, VOCABULARIES, WINDOWS, WORD_SEGMENTS
from jina_bert_reference import JinaBertForSequenceClassification
from llama_bidirectional_reference import LlamaBidirectionalForSequenceClassification
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, normalizers

golden = importlib.import_module("make-golden")

NUM_TEXTS, NUM_PAIRS = 28, 14
SCALES = {"embedding": 0.2, "linear": 2.2, "bias": 0.1, "norm": 0.2, "classifier": 4}
# Where no norm keeps what many layers make of them from growing.
OWN_SCALES = {"mobilebert": {"linear": 1.4}, **{name: {"linear": 1.6} for name in ("t5", "t5-gated", "t5-silu", "mt5", "umt5")},
              # By the number of heads, which is the second axis of most of its matrices.
              **{name: {"linear": 0.9, "bias": 0.4} for name in ("xlnet", "xlnet-clamped", "xlnet-causal")}}
UNKNOWN = 1

# What transformers has no class for, by the class that stands for it here.
REFERENCES = {
    "curator": CuratorClassifier,
    "llama-bidirectional": LlamaBidirectionalForSequenceClassification,
    "llama-bidirectional-last": LlamaBidirectionalForSequenceClassification,
    "jina-bert": lambda config: JinaBertForSequenceClassification(config, slope_factor=0.5),
    "jina-bert-shared-code": lambda config: JinaBertForSequenceClassification(config, slope_factor=1),
}

PROJECTIONS = [f"attention.self.{part}." for part in ("query", "key", "value")]
JOINED = "mixer.Wqkv."

# What a model has for pictures.
PICTURES = ("model.vision_tower.", "model.multi_modal_projector.", "model.visual.")

# Names under which an encoder with a decoder has one tensor again.
TIED = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight")


def scales_of(name):
    return {**SCALES, **OWN_SCALES.get(name, {})}


def choose(tokenizer, items, count, reads_padding):
    """Indices of hard inputs first; without unknown words where the model takes their id for padding."""
    def fits(item):
        ids = tokenizer.encode(*([item] if isinstance(item, str) else item)).ids
        return 0 < len(ids) <= 512 and not (reads_padding and UNKNOWN in ids)
    order = [*range(60, 80), *range(0, 60), *range(80, 100)]
    return [index for index in order if fits(items[index])][:count]


def build(seed, name, model_type, config):
    config = transformers.AutoConfig.for_model(model_type, **copy.deepcopy({"num_labels": 3, **config}))
    config._attn_implementation = "eager"
    make = REFERENCES.get(name, transformers.AutoModelForSequenceClassification.from_config)
    network = make(config).eval()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.safetensors")
        state = network.state_dict()
        if name in SAVED:
            network.save_pretrained(folder)
            state = load_file(file)
        if name in FLASH:
            state = join_as_flash(state, FLASH[name])
        model = {"seed": seed, "scales": scales_of(name)}
        values = {}
        tied = TIED if config.is_encoder_decoder else ()
        own_buffers = {name for name, _ in network.named_buffers()} if model_type == "ibert" else set()
        for tensor_name, tensor in state.items():
            if tensor.dtype == torch.float32 and not tensor_name.endswith(tied) and not tensor_name.startswith(PICTURES) and tensor_name not in own_buffers:
                if name in FIRST_NAMES:
                    tensor_name = tensor_name.replace(*FIRST_NAMES[name], 1)
                exact = torch.from_numpy(golden.tensor_values(model, tensor_name, tuple(tensor.shape)))
                values[tensor_name] = exact.to(torch.bfloat16).float()
        if name in SAVED:
            own, first = FIRST_NAMES.get(name, ("", ""))
            named = {re.sub(f"^{re.escape(first)}", own, key): value for key, value in values.items()}
            save_file(named, file, metadata={"format": "pt"})
            network, loaded = type(network).from_pretrained(folder, attn_implementation="eager", output_loading_info=True)
            assert not any(loaded[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), loaded
        else:
            own = split_as_own(values, FLASH[name]) if name in FLASH else values
            missing, unexpected = network.load_state_dict(own, strict=False)
            ends = ("position_ids", "token_type_ids", *tied)
            assert not unexpected and all(
                key.endswith(ends) or key.startswith(PICTURES) or key in own_buffers for key in missing), missing
    if name == "gte-first":
        turn_by_ntk(network.gte.rotary_emb, FIRST[name]["rope_theta"], FIRST[name]["rope_scaling"]["factor"])
    # GPTBigCode's tokenizers are taken as files, which give none, but for a config.json without model_type as these have it.
    if model_type in (*WORD_SEGMENTS, "gpt_bigcode"):
        network.gets_segments = name in INPUT_NAMES or name not in TOKENIZERS
    else:
        network.gets_segments = getattr(config, "type_vocab_size", 0) > 1 or model_type == "xlnet"
    return network.eval(), {name: list(tensor.shape) for name, tensor in values.items()}


def join_as_flash(state, names):
    joined = {}
    for own, tensor in state.items():
        if PROJECTIONS[0] in own:
            tensor = torch.cat([state[own.replace(PROJECTIONS[0], part)] for part in PROJECTIONS])
            own = own.replace(PROJECTIONS[0], JOINED)
        elif any(part in own for part in PROJECTIONS):
            continue
        for before, after in names.items():
            own = own.replace(before, after)
        joined[own] = tensor
    return joined


def split_as_own(values, names):
    own = {}
    for name, tensor in values.items():
        for before, after in reversed(names.items()):
            name = name.replace(after, before)
        parts = [(part, chunk) for part, chunk in zip(PROJECTIONS, tensor.chunk(3))] if JOINED in name else [(JOINED, tensor)]
        own |= {name.replace(JOINED, part): chunk for part, chunk in parts}
    return own


def turn_by_ntk(rotary, theta, factor):
    """The first code's frequencies, which transformers has no name for: https://kexue.fm/archives/9706, equation 6."""
    size = 2 * len(rotary.inv_freq)
    plain = 1.0 / ((theta * factor) ** (torch.arange(0, size, 2).float() / size))
    rotary.inv_freq.copy_(plain / factor ** (2 / size))


def load_tokenizer(name):
    if name not in TOKENIZERS and name not in VOCABULARIES:
        return Tokenizer.from_file(str(golden.TOKENIZER / "tokenizer.json"))
    if name in VOCABULARIES:
        return ProteinTokenizer(VOCABULARIES[name])
    if name == "xlnet":
        return xlnet_tokenizer(golden.pipeline_tokenizer(TOKENIZERS[name]))
    if name in LANGUAGES:
        return language_tokenizer(LANGUAGES[name], golden.pipeline_tokenizer(TOKENIZERS[name]))
    tokenizer = Tokenizer.from_str(json.dumps(golden.pipeline_tokenizer(TOKENIZERS[name])))
    if name.startswith("gpt-neox"):
        tokenizer.normalizer = normalizers.NFC()  # which its class brings along
    return tokenizer


def read_tokenizer(file, settings, model_type):
    """As transformers reads it from the disk."""
    with tempfile.TemporaryDirectory() as folder:
        for part, content in (("tokenizer.json", file), ("tokenizer_config.json", settings), ("config.json", {"model_type": model_type})):
            Path(folder, part).write_text(json.dumps(content), encoding="utf-8")
        return transformers.AutoTokenizer.from_pretrained(folder).backend_tokenizer


def xlnet_tokenizer(file):
    """The vocabulary has neither separator nor class token, which become its last ones."""
    settings = {"tokenizer_class": "XLNetTokenizer", "unk_id": 3, "model_max_length": 512}
    return WholeTextTokenizer(read_tokenizer(file, settings, "xlnet"), settings["model_max_length"])


def language_tokenizer(settings, file):
    """With the codes of the class's languages before the mask."""
    module = importlib.import_module(getattr(transformers, settings["tokenizer_class"]).__module__)
    vocabulary = file["model"]["vocab"]
    vocabulary[-1:-1] = [[code, 0.0] for code in module.FAIRSEQ_LANGUAGE_CODES]
    file["added_tokens"][-1]["id"] = len(vocabulary) - 1
    return WholeTextTokenizer(read_tokenizer(file, settings, "mbart"), settings.get("model_max_length", 512))


class WholeTextTokenizer:
    """Cuts texts that were read whole: encode() of this version stops reading at the limit."""

    def __init__(self, tokenizer, max_length):
        self.tokenizer, self.max_length = tokenizer, max_length

    def encode(self, *texts, **truncation):
        self.tokenizer.no_truncation()
        parts = [self.tokenizer.encode(text, add_special_tokens=False) for text in texts]
        self.tokenizer.enable_truncation(**{"max_length": self.max_length, **truncation})
        return self.tokenizer.post_process(*parts)


class ProteinTokenizer:
    """transformers' own, which is no file of the tokenizers library, with a limit."""

    def __init__(self, vocabulary):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "vocab.txt").write_text("\n".join(vocabulary))
            self.tokenizer = transformers.EsmTokenizer.from_pretrained(folder, model_max_length=512)

    def encode(self, *texts):
        ids = self.tokenizer(*texts, truncation=True)["input_ids"]
        return SimpleNamespace(ids=ids, type_ids=[0] * len(ids))


def run(network, tokenizer, item):
    return logits(network, tokenizer.encode(*([item] if isinstance(item, str) else item)))


def run_windows(network, tokenizer):
    """Logits of each window of each input; of a pair the second text is parted."""
    rows = []
    for item in WINDOWS["inputs"]:
        texts = [item] if isinstance(item, str) else item
        strategy = "only_first" if len(texts) == 1 else "only_second"
        first = tokenizer.encode(*texts, max_length=WINDOWS["maxLength"], stride=WINDOWS["overlap"], strategy=strategy)
        rows.append([logits(network, window) for window in (first, *(with_segments(w, first) for w in first.overflowing))])
    return rows


def with_segments(window, first):
    """The library puts the second text of later windows into the first segment; it stands at the same place in all."""
    types = first.type_ids
    if 1 not in types:
        return window
    start = types.index(1)
    return SimpleNamespace(ids=window.ids, type_ids=[*types[:start], *[1] * (len(window.ids) - start - 1), types[-1]])


def logits(network, encoding):
    inputs = {"input_ids": torch.tensor([encoding.ids]), "attention_mask": torch.ones(1, len(encoding.ids), dtype=torch.long)}
    if network.gets_segments:
        inputs["token_type_ids"] = torch.tensor([encoding.type_ids])
    with torch.inference_mode():
        return [float(f"{value:.9g}") for value in network(**inputs).logits[0].double().tolist()]


def main():
    torch.set_num_threads(1)
    texts, pairs = golden.make_texts()
    path = golden.GOLDEN / "families.json"
    made = {entry["name"]: entry for entry in json.loads(path.read_text("utf-8"))}
    # A family keeps its seed, and so its weights, wherever it stands in the table.
    new_seeds = itertools.count(1 + max(entry["seed"] for entry in made.values()))
    lines = []
    for name, (model_type, overrides) in FAMILIES.items():
        if name in made and sys.argv[1:] and name not in sys.argv[1:]:
            lines.append(json.dumps(made[name]))
            continue
        seed = made[name]["seed"] if name in made else next(new_seeds)
        network, shapes = build(seed, name, model_type, overrides)
        tokenizer = load_tokenizer(name)
        reads_padding = overrides.get("pad_token_id") == UNKNOWN or model_type == "mpnet"
        text_indices = choose(tokenizer, texts, NUM_TEXTS, reads_padding)
        pair_indices = choose(tokenizer, pairs, NUM_PAIRS, reads_padding)
        assert len(text_indices) == NUM_TEXTS and len(pair_indices) == NUM_PAIRS
        items = [texts[index] for index in text_indices] + [pairs[index] for index in pair_indices] + MORE.get(name, [])
        rows = [run(network, tokenizer, item) for item in items]
        print(name, "std", torch.tensor(rows).std(0).tolist(), flush=True)
        config = FIRST.get(name) or {**network.config.to_diff_dict(), "architectures": [type(network).__name__]}
        entry = {"name": name, "seed": seed, "scales": scales_of(name), "config": config, "tensors": shapes,
                 "texts": text_indices, "pairs": pair_indices, "rows": rows}
        if name in TOKENIZERS:
            entry["tokenizer"] = TOKENIZERS[name]
        if name in INPUT_NAMES:
            entry["inputNames"] = INPUT_NAMES[name]
        if name in VOCABULARIES:
            entry["vocabulary"] = VOCABULARIES[name]
        if name in LANGUAGES:
            entry["languages"] = LANGUAGES[name]
        if name in LANGUAGES or name == "xlnet":
            entry["windows"] = {**WINDOWS, "rows": run_windows(network, tokenizer)}
        if name in MORE:
            entry["more"] = MORE[name]
        lines.append(json.dumps(entry))
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
