#!/usr/bin/env python3
"""Random models of late interaction on small encoders and decoders, with what MultiVectorEncoder makes of pairs.

    scripts/check-late-interaction.py FOLDER [MODEL_TYPE ...] [--models N] [--seed S] [--seconds T]

For scripts/check-configurations.mjs, as the checkpoints of check-configurations.py, whose bases are taken. Drawn are the
layout (PyLate's of now and before, sentence-transformers', Stanford's), layers, prefixes, lengths, what queries are filled
up with, which tokens score, containers and types of weights. Last run with sentence-transformers 6.0.1, transformers 5.18.0,
torch 2.13.0.
"""
import importlib
import json
import logging
import random

import torch
import transformers
from sentence_transformers import MultiVectorEncoder

configurations = importlib.import_module("check-configurations")
heads = importlib.import_module("check-module-heads")

CLASSES = "sentence_transformers."
MULTI = "sentence_transformers.multi_vector_encoder.modules.multi_vector_mask.MultiVectorMask"
PREFIXES = ["", "w3 ", "w4 w5 ", "W6 ", "[MASK] "]
# With tokens that are unknown, whose id is that of padding in the configurations of RoBERTa and its kind.
MORE_PREFIXES = [*PREFIXES, "[Q] ", "W6: ", "w95 ", "unknown "]
WORDS = ["w1", "w2", "w7", "w8", "W9", "nowhere", "[UNK]", "[MASK]"]


def draw_layers(rng, width):
    """(settings, shapes of tensors) of the Dense modules, and what the last one gives."""
    layers = []
    count = rng.choice([1, 1, 2, 3])
    active = rng.choice([None, None, None, rng.randrange(count)])
    for index in range(count):
        outputs, bias, residual = rng.choice([12, width, 40]), rng.random() < 0.4, index != active and rng.random() < 0.3
        name = rng.choice(heads.ACTIVATIONS) if index == active else "Identity"
        own = {"in_features": width, "out_features": outputs, "bias": bias, "activation_function": heads.activation(name)}
        shapes = {"linear.weight": [outputs, width], **({"linear.bias": [outputs]} if bias else {})}
        if residual:
            own["use_residual"] = True
            if outputs != width:
                shapes["residual.weight"] = [outputs, width]
        layers.append((own, shapes))
        width = outputs
    return layers


def draw_expansion(rng):
    expansion = {"strategy": rng.choice(["fixed", "min"]), "attend": rng.random() < 0.5, "length": rng.choice([5, 12, 30])}
    if rng.random() < 0.3:
        expansion["token"] = rng.choice(["w10", "[MASK]", "[SEP]"])
    return expansion


def pylate(rng, prefixes, is_new):
    content = {"similarity_fn_name": "MaxSim", "query_prefix": rng.choice(prefixes), "document_prefix": rng.choice(prefixes)}
    if is_new:
        content["model_type"] = "ColBERT"
    for key, choices in {"query_length": [9, 20, None], "document_length": [14, 40, None], "skiplist_words": [[], WORDS, None],
                         "do_query_expansion": [True, False], "attend_to_expansion_tokens": [True, False],
                         "prompts": [{}, {"query": "w11 ", "document": "w12 w13 "}]}.items():
        if rng.random() < 0.7:
            content[key] = rng.choice(choices)
    return content


def native(rng, prefixes):
    """Settings of the model and of its transformer, and the modules behind the layers."""
    content = {"model_type": "MultiVectorEncoder", "similarity_fn_name": rng.choice([None, "maxsim", "meanmaxsim"])}
    if rng.random() < 0.6:
        content["prompts"] = {"query": rng.choice(prefixes), "document": rng.choice(prefixes)}
    transformer = {}
    if rng.random() < 0.6:
        transformer["query_expansion"] = draw_expansion(rng)
    elif rng.random() < 0.5:
        transformer["query_length"] = rng.choice([9, 30])
    if rng.random() < 0.5:
        transformer["document_length"] = rng.choice([9, 40])
    mask = {"skiplist_words": rng.choice([[], WORDS[:4]]), "skiplist_tasks": rng.choice([None, "document", ["query", "document"]])}
    behind = [(MULTI, mask)]
    if rng.random() < 0.8:
        behind.insert(rng.randint(0, 1), (f"{CLASSES}base.modules.normalize.Normalize", {"module_input_name": "token_embeddings"}))
    return content, transformer, behind


def write(rng, folder, _, config, base, files):
    """Fills the folder; returns a description."""
    kind = rng.choice(["pylate", "pylate", "before", "native", "native", "native", "stanford"])
    content = {key: value for key, value in base.items() if key != "num_labels"}
    read = type(config).from_dict(content)
    prefixes = PREFIXES if read.pad_token_id == 1 else MORE_PREFIXES
    network = transformers.AutoModel.from_config(read).float().eval()
    content["architectures"] = ["HF_ColBERT" if kind == "stanford" else type(network).__name__]
    tokenizer = {**files["tokenizer_config.json"], "pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]",
                 "model_max_length": rng.choice([33, 50])}
    written = {"config.json": content, "tokenizer.json": files["tokenizer.json"], "tokenizer_config.json": tokenizer}
    state = configurations.weights(network)
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    drawn = lambda shapes: {name: torch.randn(shape, generator=generator) * 0.3 for name, shape in shapes.items()}
    shown = {"kind": kind}
    folder.mkdir(parents=True)
    if kind == "stanford":
        prefix = f"{type(network).base_model_prefix}." if rng.random() < 0.7 else ""
        state = {f"{prefix}{name}": tensor for name, tensor in state.items()} | drawn({"linear.weight": [12, read.hidden_size]})
        if prefixes is PREFIXES or rng.random() < 0.7:
            shown["metadata"] = written["artifact.metadata"] = {
                "query_maxlen": rng.choice([8, 20]), "doc_maxlen": rng.choice([12, 40]), "mask_punctuation": rng.random() < 0.5,
                "attend_to_mask_tokens": rng.random() < 0.5, "query_token_id": rng.choice(["w3", "[MASK]", *(["[unused0]"] if prefixes is MORE_PREFIXES else [])]),
                "doc_token_id": rng.choice(["w4", "w5"])}
    else:
        layers = draw_layers(rng, read.hidden_size)
        dense = "pylate.models.Dense.Dense" if kind != "native" else f"{CLASSES}models.Dense"
        behind = [(dense, own) for own, _ in layers]
        transformer = None
        if kind == "native":
            for own, _ in layers:
                own["module_input_name"] = "token_embeddings"
            settings, transformer, more = native(rng, prefixes)
            behind += more
        else:
            settings = pylate(rng, prefixes, kind == "pylate")
        if rng.random() < 0.4:
            transformer = {**(transformer or {}), "max_seq_length": rng.choice([31, 47]), "do_lower_case": rng.random() < 0.3}
        places = [f"{index}_{name.rpartition('.')[2]}" for index, (name, _) in enumerate(behind, 1)]
        written["modules.json"] = [{"idx": index, "name": str(index), "path": place, "type": name} for index, (place, (name, _))
                                   in enumerate(zip(["", *places], [(f"{CLASSES}models.Transformer", None), *behind]))]
        written["config_sentence_transformers.json"] = settings
        if transformer is not None:
            written["sentence_bert_config.json"] = transformer
        for place, (_, own) in zip(places, behind):
            (folder / place).mkdir()
            written[f"{place}/config.json"] = own
        for place, (_, shapes) in zip(places, layers):
            heads.save(rng, folder / place, drawn(shapes))
        shown |= {"settings": settings, "transformer": transformer, "modules": behind}
    heads.save(rng, folder, state)
    for name, value in written.items():
        (folder / name).write_text(json.dumps(value))
    return json.dumps({**shown, "most": tokenizer["model_max_length"]})


@torch.no_grad()
def measure(rng, folder, pairs):
    # Other implementations pass over the cap of Gemma 2's scores; of a token that sees none, they make different things.
    is_capped = json.loads((folder / "config.json").read_text())["model_type"] == "gemma2"
    arguments = {"dtype": torch.float32, **({"attn_implementation": "eager"} if is_capped else {})}
    encoder = MultiVectorEncoder(str(folder), device="cpu", model_kwargs=arguments)
    encoder.eval()
    size = rng.choice([1, 3])
    queries, documents = [query for query, _ in pairs], [document for _, document in pairs]
    scores = encoder.similarity_pairwise(encoder.encode_query(queries, batch_size=size),
                                         encoder.encode_document(documents, batch_size=size)).tolist()
    tokens = []
    for texts, task in ((queries, "query"), (documents, "document")):
        counts = []
        for text in texts:
            features = encoder.preprocess([text], prompt=encoder.prompts[task], task=task)
            keep = features["attention_mask"].bool()
            if "query_expansion_positions" in features:
                keep |= features["query_expansion_positions"].bool()
            counts.append(int(keep.sum()))
        tokens.append(counts)
    rows = [[float(score)] for score in scores]
    return {"rows": rows, "scores": rows, "tokens": [sum(both) for both in zip(*tokens)]}


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    heads.run("models", 12, write, measure, heads.WITHOUT_HEADS)
