#!/usr/bin/env python3
"""Makes test/fixtures/conformance/*.json: what transformers' pipelines and sentence-transformers' CrossEncoder answer.

Versions that made the committed files: torch 2.13.0 (CPU), transformers 5.18.0, tokenizers 0.23.2,
sentence-transformers 6.0.1, numpy 2.4.6. Weights and inputs are those of make-golden.py; `inputs` are places in
test/golden/texts.json or pairs.json, `options` is the same call in our API. test/conformance.test.ts replays the files.
"""
import importlib
import json
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import sentence_transformers
import tokenizers
import torch
import transformers
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "test/fixtures/conformance"

golden = importlib.import_module("make-golden")

MODELS = {model["name"]: model for model in json.loads((golden.GOLDEN / "models.json").read_text(encoding="utf-8"))}
TEXTS, PAIRS = golden.make_texts()

# Short ones, hard ones, and long ones that must be cut.
PLACES = [0, 7, 31, 79, 83, 85, 91, 96, 100, 140, 178, 199]
PAIR_PLACES = [0, 5, 41, 80, 88, 97, 110, 125, 150, 170, 171, 199]


def labels(*names):
    return {"id2label": {str(i): name for i, name in enumerate(names)},
            "label2id": {name: i for i, name in enumerate(names)}}


# Of a tokenizer that cuts texts on the left.
LEFT = {"tokenizer_config.json": {**json.loads((golden.TOKENIZER / "tokenizer_config.json").read_text(encoding="utf-8")),
                                  "truncation_side": "left"}}


def checkpoint(folder, name, overrides, files):
    """The folder that writeCheckpoint of test/golden/checkpoint-fixture.ts writes; an override of None drops a key."""
    model = MODELS[name]
    config = {key: value for key, value in {**model["config"], **overrides}.items() if value is not None}
    path = Path(folder) / f"{name}-{len(list(Path(folder).iterdir()))}"
    path.mkdir()
    save_file(golden.build({**model, "config": config}).state_dict(), path / "model.safetensors", {"format": "pt"})
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for file in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copy(golden.TOKENIZER / file, path / file)
    for file, content in files.items():
        (path / file).write_text(json.dumps(content), encoding="utf-8")
    return path, min(512, config["max_position_embeddings"])


def rounded(value):
    return float(f"{value:.9g}")


def text_item(place):
    return TEXTS[place]


def pair_item(place):
    return {"text": PAIRS[place][0], "text_pair": PAIRS[place][1]}


def classification(folder):
    multi, single = "multi_label_classification", "single_label_classification"
    cases = [
        # name, model, config, call, options
        ("softmax, the best label", "bert-relu", {}, {}, {}),
        ("softmax, top_k=None", "bert-relu", {}, {"top_k": None}, {"topK": None}),
        ("softmax, top_k=1", "bert-relu", {}, {"top_k": 1}, {"topK": 1}),
        ("four labels, top_k=3", "tinymodel1", {}, {"top_k": 3}, {"topK": 3}),
        ("four labels, top_k beyond them", "tinymodel1", {}, {"top_k": 9}, {"topK": 9}),
        ("four labels, sigmoid", "tinymodel1", {}, {"top_k": None, "function_to_apply": "sigmoid"},
         {"activation": "sigmoid"}),
        ("four labels, none", "tinymodel1", {}, {"top_k": None, "function_to_apply": "none"}, {"activation": "none"}),
        ("multi-label", "bert-multilabel", {}, {"top_k": None}, {}),
        ("multi-label, the best label", "bert-multilabel", {}, {}, {}),
        ("multi-label, softmax", "bert-multilabel", {}, {"top_k": None, "function_to_apply": "softmax"},
         {"activation": "softmax"}),
        ("multi-label by configuration", "bert-relu", {"problem_type": multi}, {"top_k": None}, {}),
        ("single-label by configuration", "bert-multilabel", {"problem_type": single}, {"top_k": None}, {}),
        ("several labels, regression", "bert-multilabel", {"problem_type": "regression"}, {"top_k": None}, {}),
        ("regression of pairs", "bert-regression", {}, {}, {}),
        ("regression of pairs, sigmoid", "bert-regression", {}, {"function_to_apply": "sigmoid"},
         {"activation": "sigmoid"}),
        ("one label of pairs", "bert-reranker", {}, {}, {}),
        ("one label of pairs, none", "bert-reranker", {}, {"function_to_apply": "none"}, {"activation": "none"}),
        ("pairs, three labels", "bert-old-names", {}, {"top_k": None}, {}),
        ("pairs, names missing, DistilBERT", "distilbert-96", {}, {"top_k": None}, {}),
        ("texts that lose their beginning", "tinymodel1", {}, {"top_k": None}, {}, LEFT),
        ("pairs that lose their beginning", "bert-old-names", {}, {"top_k": None}, {}, LEFT),
    ]
    out = []
    for name, model, config, call, options, *more in cases:
        files = more[0] if more else {}
        path, limit = checkpoint(folder, model, config, files)
        pairs = MODELS[model]["inputs"] == "pairs"
        places = PAIR_PLACES if pairs else PLACES
        pipe = transformers.pipeline("text-classification", str(path), device="cpu")
        pipe.tokenizer.model_max_length = limit
        rows = pipe([(pair_item if pairs else text_item)(place) for place in places], truncation=True, **call)
        # Without top_k every answer is one label, with it a list.
        rows = [[[entry["label"], rounded(entry["score"])] for entry in (row if isinstance(row, list) else [row])]
                for row in rows]
        out.append({"name": name, "model": model, "config": config, **({"files": files} if files else {}),
                    "call": call, "options": options, "inputs": places, "expected": rows})
    return out


def zero_shot(folder):
    middle = labels("contradiction", "entailment", "neutral")
    first = labels("ENTAILMENT", "neutral", "contradiction")
    last = labels("neutral", "contradiction", "entails")
    two = labels("entailment", "not_entailment")
    topics = ["politics", "sports", "weather", "science", "food"]
    many = [f"topic {i} of many" for i in range(15)]
    template = "The subject of this text is {}, they say."
    cases = [
        # name, model, config, labels, call, options, tokenizer limit
        ("entailment second", "bert-old-names", middle, topics, {}, {}, None),
        ("entailment first", "bert-old-names", first, topics, {}, {}, None),
        ("entailment last", "bert-old-names", last, topics, {}, {}, None),
        ("two classes", "bert-relu", two, topics, {}, {}, None),
        ("two classes, DistilBERT", "distilbert-96", two, topics, {}, {}, None),
        ("multi_label", "bert-old-names", middle, topics, {"multi_label": True}, {"multiLabel": True}, None),
        ("multi_label, entailment first", "bert-old-names", first, topics, {"multi_label": True},
         {"multiLabel": True}, None),
        ("multi_label, two classes", "bert-relu", two, topics, {"multi_label": True}, {"multiLabel": True}, None),
        ("one candidate", "bert-old-names", middle, ["politics"], {}, {}, None),
        ("fifteen candidates", "bert-old-names", middle, many, {}, {}, None),
        ("template", "bert-old-names", middle, topics, {"hypothesis_template": template},
         {"hypothesisTemplate": template}, None),
        ("literal labels", "bert-old-names", middle, ["$&", "$1 and $'", "50 %", "a\\b"], {}, {}, None),
        ("the same label twice", "bert-old-names", middle, ["sports", "food", "sports"], {}, {}, None),
        ("texts cut to 24 tokens", "bert-old-names", middle, topics, {}, {"maxLength": 24}, 24),
        ("a hypothesis that leaves no room", "bert-old-names", middle,
         ["food", "the history of the navigation of rivers and of the sea"], {}, {"maxLength": 16}, 16),
    ]
    out = []
    for name, model, config, candidates, call, options, limit in cases:
        path, own_limit = checkpoint(folder, model, config, {})
        pipe = transformers.pipeline("zero-shot-classification", str(path), device="cpu")
        pipe.tokenizer.model_max_length = limit or own_limit
        # Pairs that do not fit the position table crash the pipeline once it has given up truncating.
        places = [0, 7, 31, 91] if limit == 16 else [place for place in PLACES if TEXTS[place] != ""]
        rows = pipe([TEXTS[place] for place in places], candidates, **call)
        rows = [[[label, rounded(score)] for label, score in zip(row["labels"], row["scores"])] for row in rows]
        out.append({"name": name, "model": model, "config": config, "labels": candidates, "call": call,
                    "options": options, "inputs": places, "expected": rows})
    return out


def cross_encoder(folder):
    torch_name = "torch.nn.modules.{}".format
    legacy, modern = "sbert_ce_default_activation_function", "sentence_transformers"
    none = {legacy: None}

    def named(name):
        return {**none, modern: {"activation_fn": torch_name(name), "version": "5.4.0"}}

    cases = [
        # name, model, config, call, options
        ("identity by the old key", "bert-reranker", {}, {}, {}),
        ("tanh by the old key", "bert-reranker", {legacy: torch_name("activation.Tanh")}, {}, {}),
        ("sigmoid by the new key", "bert-reranker", named("activation.Sigmoid"), {}, {}),
        ("identity by the new key", "bert-reranker", named("linear.Identity"), {}, {}),
        ("the new key before the old one", "bert-reranker",
         {legacy: torch_name("linear.Identity"), modern: {"activation_fn": torch_name("activation.Tanh")}}, {}, {}),
        ("one label, nothing named", "bert-reranker", none, {}, {}),
        ("a foreign class is not imported", "bert-reranker", {legacy: "mypackage.Activation"}, {}, {}),
        ("activation of the call", "bert-reranker", {}, {"activation_fn": torch.nn.Sigmoid()},
         {"activation": "sigmoid"}),
        ("tanh of the call", "bert-reranker", {}, {"activation_fn": torch.nn.Tanh()}, {"activation": "tanh"}),
        ("three labels, raw rows", "bert-old-names", {}, {}, {}),
        ("three labels, apply_softmax", "bert-old-names", {}, {"apply_softmax": True}, {"activation": "softmax"}),
        ("three labels, sigmoid of the call", "bert-old-names", {}, {"activation_fn": torch.nn.Sigmoid()},
         {"activation": "sigmoid"}),
        ("three labels, softmax by the old key", "bert-old-names", {legacy: torch_name("activation.Softmax")}, {}, {}),
    ]
    out = []
    for name, model, config, call, options in cases:
        encoder, limit = load_cross_encoder(folder, model, config)
        rows = encoder.predict([PAIRS[place] for place in PAIR_PLACES], **call)
        rows = [[rounded(value) for value in (row if row.ndim else row[None])] for row in rows]
        call = {key: type(value).__name__ if isinstance(value, torch.nn.Module) else value
                for key, value in call.items()}
        out.append({"name": name, "model": model, "config": config, "method": "predict", "call": call,
                    "options": options, "inputs": PAIR_PLACES, "expected": rows})

    documents = [3, 50, 11, 79, 96, 3, 120, 199, 11, 40, 83, 7]
    for name, config, call, options in [
        ("rank", {}, {}, {}),
        ("rank, top_k", {}, {"top_k": 4}, {"topK": 4}),
        ("rank, documents returned, sigmoid", none, {"top_k": 3, "return_documents": True},
         {"topK": 3, "returnDocuments": True}),
    ]:
        encoder, limit = load_cross_encoder(folder, "bert-reranker", config)
        for query in (0, 60):
            ranked = encoder.rank(TEXTS[query], [TEXTS[place] for place in documents], **call)
            rows = [[entry["corpus_id"], rounded(entry["score"]), *([entry["text"]] if "text" in entry else [])]
                    for entry in ranked]
            out.append({"name": f"{name}, query {query}", "model": "bert-reranker", "config": config,
                        "method": "rank", "call": call, "options": options, "query": query, "inputs": documents,
                        "expected": rows})
    return out


# What save_pretrained adds to a transformers checkpoint.
SENTENCE_TRANSFORMERS_FILES = ["modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"]


def prompts(folder):
    """Prompts of the caller and of the checkpoint, by default, by name, and given for the call."""
    own = {"query": "represent the query: ", "claim": "a claim that needs proof. "}
    by_caller = {"prompts": own, "default_prompt_name": "query"}
    cases = [
        # name, load of the encoder that saved the checkpoint, load, call, options
        ("prompts that no call asks for", None, {"prompts": own}, {}, {}),
        ("the caller's default prompt", None, by_caller, {}, {}),
        ("a prompt by name", None, by_caller, {"prompt_name": "claim"}, {"promptName": "claim"}),
        ("a prompt of the call", None, by_caller, {"prompt": "is it so: "}, {"prompt": "is it so: "}),
        ("no prompt for the call", None, by_caller, {"prompt": ""}, {"prompt": ""}),
        ("the checkpoint's default prompt", by_caller, {}, {}, {}),
        ("a prompt of the checkpoint by name", by_caller, {}, {"prompt_name": "claim"}, {"promptName": "claim"}),
    ]
    out = []
    for name, saved, load, call, options in cases:
        path, limit = checkpoint(folder, "bert-reranker", {}, {})
        files = {}
        if saved is not None:
            encoder = sentence_transformers.CrossEncoder(str(path), device="cpu", max_length=limit, **saved)
            path = path.with_name(f"{path.name}-saved")
            encoder.save_pretrained(str(path), create_model_card=False)
            files = {name: json.loads((path / name).read_text("utf-8")) for name in SENTENCE_TRANSFORMERS_FILES}
        encoder = sentence_transformers.CrossEncoder(str(path), device="cpu", max_length=limit, **load)
        entry = {"name": name, "model": "bert-reranker", "config": {}, "files": files,
                 "load": {{"default_prompt_name": "defaultPromptName"}.get(key, key): load[key] for key in load},
                 "call": call, "options": options, "inputs": PAIR_PLACES}
        scores = encoder.predict([PAIRS[place] for place in PAIR_PLACES], **call)
        out.append({**entry, "method": "predict", "expected": [[rounded(score)] for score in scores]})
        ranked = encoder.rank(TEXTS[0], [TEXTS[place] for place in PLACES], **call)
        out.append({**entry, "name": f"{name}, rank", "method": "rank", "query": 0, "inputs": PLACES,
                    "expected": [[one["corpus_id"], rounded(one["score"])] for one in ranked]})
    return out


def load_cross_encoder(folder, name, config):
    path, limit = checkpoint(folder, name, config, {})
    return sentence_transformers.CrossEncoder(str(path), device="cpu", max_length=limit), limit


def write(name, cases):
    head = {"versions": {module.__name__: module.__version__
                         for module in (torch, transformers, tokenizers, sentence_transformers)}}
    lines = [json.dumps(head)[:-1] + ',"cases":[']
    lines += [",\n".join(json.dumps(case, ensure_ascii=False) for case in cases), "]}"]
    path = OUTPUT / f"{name}.json"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(path.name, len(cases), "cases", path.stat().st_size, "bytes")


def main():
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    makers = {"text-classification": classification, "zero-shot": zero_shot, "cross-encoder": cross_encoder,
              "prompts": prompts}
    for name in sys.argv[1:] or makers:
        make = makers[name]
        with tempfile.TemporaryDirectory() as folder:
            write(name, make(folder))


if __name__ == "__main__":
    main()
