#!/usr/bin/env python3
"""Makes test/unit/convert/fixtures: what transformers makes of tokenizer files, and element types by numpy and gguf-py.

Versions that made the committed files: transformers 5.18.0, tokenizers 0.23.2, numpy 2.4.6, gguf 0.19.0, torch 2.13.0,
sentencepiece 0.2.2.
"""
import base64
import copy
import json
import tempfile
from pathlib import Path

import numpy
import torch
from gguf import GGMLQuantizationType, quants
from tokenizer_file_cases import class_cases, sentencepiece_cases
from transformers import AutoTokenizer
from xlnet_tokenizer_cases import xlnet_cases

OUT = Path(__file__).resolve().parent.parent / "test/unit/convert/fixtures"
# Classes that have segments in their templates and not among their inputs, with which older versions gave them.
KEPT = ("TokenizersBackend", "AlbertTokenizer", "RemBertTokenizer", "XLNetTokenizer")
LINES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "##s", "world", "7"]
VOCAB = "".join(line + "\n" for line in LINES)


def token(content, **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, **flags}


def convert(files, model_type="bert"):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            text = content if isinstance(content, (str, bytes)) else json.dumps(content)
            (Path(folder) / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        (Path(folder) / "config.json").write_text(json.dumps({"model_type": model_type}))
        tokenizer = AutoTokenizer.from_pretrained(folder)
        file = json.loads(tokenizer.backend_tokenizer.to_str())
        if type(tokenizer).__name__ not in KEPT and "token_type_ids" not in tokenizer.model_input_names:
            in_first_segment(file["post_processor"])
        return {"expected": file, "givesSegments": "token_type_ids" in tokenizer.model_input_names}


def in_first_segment(part):
    """What a model gets of the template whose tokenizer hands on no segments."""
    for value in part.values() if isinstance(part, dict) else part:
        if isinstance(value, (dict, list)):
            in_first_segment(value)
    if isinstance(part, dict) and "type_id" in part:
        part["type_id"] = 0


def tokenizer_cases():
    bert = {"tokenizer_class": "BertTokenizer"}
    fast = {"tokenizer_class": "PreTrainedTokenizerFast"}
    yield "vocab.txt alone", {"vocab.txt": VOCAB}
    yield "cased, with a limit", {
        "vocab.txt": VOCAB,
        "tokenizer_config.json": {
            "tokenizer_class": "BertTokenizer",
            "do_lower_case": False,
            "model_max_length": 128,
            "strip_accents": False,
            "tokenize_chinese_chars": False,
        },
    }
    yield "distilbert", {
        "vocab.txt": VOCAB,
        "tokenizer_config.json": {"tokenizer_class": "DistilBertTokenizer", "do_basic_tokenize": True},
    }
    yield "special_tokens_map.json", {
        "vocab.txt": VOCAB.replace("[CLS]", "<cls>"),
        "tokenizer_config.json": {"do_lower_case": True},
        "special_tokens_map.json": {"cls_token": "<cls>", "unk_token": token("[UNK]", normalized=True)},
    }
    yield "added_tokens.json", {
        "vocab.txt": VOCAB,
        "tokenizer_config.json": bert,
        "added_tokens.json": {"[NEW]": 9, "foo": 10},
    }
    yield "added_tokens.json with a special one", {
        "vocab.txt": VOCAB,
        "tokenizer_config.json": bert,
        "special_tokens_map.json": {"additional_special_tokens": ["foo"]},
        "added_tokens.json": {"foo": 9, "bar": 10},
    }
    yield "added_tokens_decoder", {
        "vocab.txt": VOCAB,
        "tokenizer_config.json": {
            "do_lower_case": True,
            "added_tokens_decoder": {
                "0": token("[PAD]", special=True),
                "9": token("[E1]", lstrip=True, special=True),
                "10": token("word", normalized=True, special=False),
            },
            "additional_special_tokens": ["[E1]", "[E2]"],
        },
    }
    yield "added_tokens_decoder beats special_tokens_map.json", {
        "vocab.txt": VOCAB,
        "tokenizer_config.json": {"added_tokens_decoder": {"2": token("[CLS]", rstrip=True, special=True)}},
        "special_tokens_map.json": {"cls_token": "<other>"},
    }
    yield "special tokens missing from the vocabulary", {"vocab.txt": "[PAD]\n[UNK]\nhello\n"}
    yield "no mask and no padding", {"vocab.txt": VOCAB, "tokenizer_config.json": {**bert, "mask_token": None, "pad_token": None}}
    yield "no mask and no padding in the older file, which goes first", {
        "vocab.txt": VOCAB,
        "tokenizer_config.json": {**bert, "mask_token": "[MASK]"},
        "special_tokens_map.json": {"mask_token": None, "pad_token": None},
    }
    yield "no basic tokenization, which nothing reads", {
        "vocab.txt": VOCAB,
        "tokenizer_config.json": {**bert, "do_basic_tokenize": False},
    }
    yield "equal lines, empty lines, white space", {"vocab.txt": VOCAB + "hello\n\nx\r\n y \n\u3000z\u3000\nlast"}
    base = convert({"vocab.txt": VOCAB})["expected"]
    cased = copy.deepcopy(base)
    cased["normalizer"]["lowercase"] = False
    bare = {**copy.deepcopy(base), "added_tokens": []}
    open_ended = {**copy.deepcopy(base), "post_processor": None}
    yield "tokenizer.json overruled by a default", {"tokenizer.json": cased, "tokenizer_config.json": bert}
    yield "tokenizer.json without tokenizer_config.json", {"tokenizer.json": cased}
    yield "tokenizer.json overruled", {"tokenizer.json": base, "tokenizer_config.json": {**bert, "do_lower_case": False}}
    yield "tokenizer.json of a generic class", {"tokenizer.json": cased, "tokenizer_config.json": fast}
    yield "tokenizer.json without added tokens", {"tokenizer.json": bare, "tokenizer_config.json": bert}
    yield "generic class with named tokens", {
        "tokenizer.json": bare,
        "tokenizer_config.json": {**fast, "cls_token": "[CLS]", "sep_token": "[SEP]"},
    }
    yield "tokenizer.json without post-processor", {"tokenizer.json": open_ended, "tokenizer_config.json": bert}
    roberta = {"type": "RobertaProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2], "trim_offsets": True, "add_prefix_space": False}
    other = {**copy.deepcopy(base), "post_processor": roberta}
    yield "tokenizer.json with another post-processor", {"tokenizer.json": other, "tokenizer_config.json": bert}
    yield "tokenizer.json of distilbert", {
        "tokenizer.json": other, "tokenizer_config.json": {"tokenizer_class": "DistilBertTokenizer"}}
    yield "tokenizer.json beats vocab.txt", {"tokenizer.json": base, "vocab.txt": "[PAD]\nother\n"}
    yield "tokenizer.json and a decoder that differs", {
        "tokenizer.json": base,
        "tokenizer_config.json": {
            **bert,
            "added_tokens_decoder": {"4": token("[MASK]", lstrip=True, special=True), "9": token("[X]", special=True)},
        },
    }


def other_templates(cases):
    """ALBERT's and RemBERT's files with another post-processor than theirs, and without one."""
    for name, model_type, files in cases:
        if name not in ("albert", "rembert"):
            continue
        file = files["tokenizer.json"]
        ids = {entry["content"]: entry["id"] for entry in file["added_tokens"]}
        roberta = {"type": "RobertaProcessing", "sep": ["[SEP]", ids["[SEP]"]], "cls": ["[CLS]", ids["[CLS]"]], "trim_offsets": True,
                   "add_prefix_space": False}
        for what, processor in (("with another post-processor", roberta), ("without post-processor", None)):
            changed = {**file, "post_processor": processor}
            yield f"{name} {what}", model_type, {**files, "tokenizer.json": changed}


def element_vectors():
    """Values around every rounding boundary, and what the reference implementations store for them."""
    rng = numpy.random.default_rng(7)
    edges = numpy.array([0, 2**-26, 2**-25, 2**-24, 2**-15, 2**-14, 1, 1.5, 2047, 2049, 65504, 1e-30, 1e-40], numpy.float32)
    near = [numpy.nextafter(edges, numpy.float32(direction)) for direction in (-1e9, 1e9)]
    halves = numpy.arange(0, 31744, 61, dtype=numpy.uint16).view(numpy.float16).astype(numpy.float32)
    ties = (halves[:-1].astype(numpy.float64) + halves[1:]) / 2
    values = numpy.concatenate([edges, *near, halves, ties.astype(numpy.float32), rng.normal(0, 1, 200).astype(numpy.float32)])
    values = numpy.concatenate([values, -values]).astype(numpy.float32)
    values = values[numpy.abs(values) <= 65504]
    blocks = rng.normal(0, 1, (40, 32)).astype(numpy.float32) * (10.0 ** numpy.arange(-20, 20, dtype=numpy.float64))[:, None] ** 0.25
    blocks = blocks.astype(numpy.float32)
    blocks[0] = 0
    blocks[2, :] = numpy.arange(-16, 16) * 0.5
    blocks[2, 0] = 127
    blocks[3] = 1e-7
    def text(array):
        return numpy.ascontiguousarray(array).tobytes().hex()
    return {
        "f32": text(values),
        "f16": text(values.astype(numpy.float16)),
        "bf16": text(quants.quantize(values, GGMLQuantizationType.BF16)),
        "bf16Torch": text(torch.from_numpy(values).to(torch.bfloat16).view(torch.int16).numpy()),
        "blocks": text(blocks),
        "q8_0": text(quants.quantize(blocks, GGMLQuantizationType.Q8_0)),
    }


def qwen35_cases(cases):
    """Of the model that reads pictures too another class than its own is a mistake, of its text alone it is not."""
    qwen = next(files for name, _, files in cases if name == "qwen2")
    for model_type in ("qwen3_5", "qwen3_5_text"):
        for name in ("Qwen2Tokenizer", "Qwen3_5Tokenizer"):
            config = {**qwen["tokenizer_config.json"], "tokenizer_class": name}
            yield f"{model_type} with {name}", model_type, {**qwen, "tokenizer_config.json": config}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    cases = []
    for name, files in tokenizer_cases():
        model_type = "distilbert" if name == "distilbert" else "bert"
        cases.append({"name": name, "files": files, **convert(files, model_type)})
    for name, model_type, files in [*class_cases(), *other_templates(class_cases()), *sentencepiece_cases(), *xlnet_cases(), *qwen35_cases(class_cases())]:
        written = {name: {"base64": base64.b64encode(c).decode()} if isinstance(c, bytes) else c for name, c in files.items()}
        cases.append({"name": name, "modelType": model_type, "files": written, **convert(files, model_type)})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (OUT / "tokenizers.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in element_vectors().items())
    (OUT / "elements.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
