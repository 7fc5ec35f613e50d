#!/usr/bin/env python3
"""Small encoders under heads of sentence-transformers' own modules, with the scores that its CrossEncoder gives them.

    python scripts/make-module-head-fixtures.py

Writes test/fixtures/module-heads/models.json: for each model its configuration, the shapes of its tensors and its
modules' (values are make-golden.py's function of seed and name, that of a module's tensor with the folder in front), the
other files as save_pretrained writes them, and what CrossEncoder(folder) makes of the pairs: tokens, logits, scores, the
order of rank. The tokenizer is that of test/fixtures/causal-rerankers with another post-processor.

Made with sentence-transformers 6.0.1, transformers 5.18.0, tokenizers 0.23.2, torch 2.13.0.
"""
import importlib
import json
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from sentence_transformers import CrossEncoder
from sentence_transformers.base.modules import Dense, Transformer
from sentence_transformers.sentence_transformer.modules import Dropout, LayerNorm, Pooling

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "test/fixtures/module-heads"
golden = importlib.import_module("make-golden")

SCALES = {"embedding": 0.2, "linear": 2.2, "bias": 0.1, "norm": 0.2, "classifier": 4}
IDENTITY, SIGMOID = torch.nn.Identity(), torch.nn.Sigmoid()
LONG = "The rivers of the north run to a cold sea. " * 12
QUERY = "how do plants make food"
PAIRS = [
    [QUERY, "Leaves turn light into sugar."],
    [QUERY, "Iron rusts in wet air."],
    [QUERY, "Roots drink water, and salts with it, from the soil around them."],
    [QUERY, ""],
    ["", "Leaves turn light into sugar."],
    ["short", LONG],
    [LONG, "short"],
    ["\u00dcn\u00efc\u00f6d\u00e9", "\u6f22\u5b57 \u304b\u306a \U0001f600 x"],
]
BASE = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, max_position_embeddings=72,
            pad_token_id=1)
MODERNBERT = {**BASE, "num_hidden_layers": 4, "local_attention": 12, "bos_token_id": 3, "cls_token_id": 3,
              "eos_token_id": 0, "sep_token_id": 0}
ROBERTA = {**BASE, "max_position_embeddings": 74, "type_vocab_size": 1}
DISTILBERT = dict(dim=32, n_layers=2, n_heads=4, hidden_dim=48, max_position_embeddings=72, pad_token_id=1)
DEBERTA = {**BASE, "relative_attention": True, "type_vocab_size": 0, "pos_att_type": ["p2c", "c2p"],
           "position_biased_input": False}
DECODER = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=48,
               max_position_embeddings=72, pad_token_id=1)
LFM2 = {**DECODER, "num_hidden_layers": 3, "block_multiple_of": 16, "layer_types": ["conv", "full_attention", "conv"],
        "rope_parameters": {"rope_type": "default", "rope_theta": 100.0}}


def dense(inputs, outputs, activation, bias=True):
    return Dense(inputs, outputs, bias=bias, activation_function=activation)


def scores(inputs, outputs=1, bias=True):
    return Dense(inputs, outputs, bias=bias, activation_function=IDENTITY, module_output_name="scores")


# name: (model type, class of the checkpoint, configuration, pooling, modules behind it, further arguments)
CASES = {
    # The layout of cross-encoder/ettin-reranker-*.
    "modernbert-ettin": ("modernbert", "Model", MODERNBERT, "cls",
                         [dense(32, 32, torch.nn.GELU(), bias=False), LayerNorm(32), scores(32)],
                         {"activation_fn": IDENTITY}),
    "modernbert-biases": ("modernbert", "ForMaskedLM", {**MODERNBERT, "norm_bias": True, "attention_bias": True,
                                                        "mlp_bias": True}, "lasttoken",
                          [dense(32, 40, torch.nn.SiLU()), scores(40)], {}),
    "bert-mean": ("bert", "Model", {**BASE, "layer_norm_eps": 1e-3}, "mean",
                  [dense(32, 20, torch.nn.Tanh()), LayerNorm(20), scores(20, bias=False)],
                  {"prompts": {"web": "Judge the page: ", "none": ""}, "default_prompt_name": "web",
                   "max_seq_length": 40}),
    "bert-labels": ("bert", "ForSequenceClassification", {**BASE, "id2label": {0: "no", 1: "maybe", 2: "yes"}}, "cls",
                    [LayerNorm(32), scores(32, 3)], {}),
    "roberta-last": ("roberta", "Model", ROBERTA, "lasttoken", [dense(32, 32, torch.nn.ReLU()), scores(32)], {}),
    "xlm-roberta-labels": ("xlm-roberta", "ForMaskedLM", ROBERTA, "mean", [scores(32, 2)], {}),
    "distilbert-scores": ("distilbert", "Model", DISTILBERT, "cls", [Dropout(0.3), scores(32)], {}),
    "mpnet-mean": ("mpnet", "Model", {**BASE, "max_position_embeddings": 74}, "mean",
                   [dense(32, 32, torch.nn.GELU()), LayerNorm(32), scores(32)], {"activation_fn": SIGMOID}),
    "electra-projected": ("electra", "Model", {**BASE, "embedding_size": 24}, "cls",
                          [dense(32, 32, IDENTITY), LayerNorm(32), scores(32)], {}),
    "albert-mean": ("albert", "Model", {**BASE, "embedding_size": 16}, "mean", [dense(32, 32, torch.nn.Tanh()), scores(32)],
                    {}),
    "deberta-v2": ("deberta-v2", "Model", {**DEBERTA, "position_buckets": 8, "share_att_key": True}, "cls",
                   [dense(32, 64, torch.nn.GELU()), Dropout(0.1), LayerNorm(64), scores(64)], {}),
    "deberta": ("deberta", "Model", DEBERTA, "cls", [scores(32)], {}),
    "megatron-bert": ("megatron-bert", "Model", BASE, "mean", [LayerNorm(32), scores(32)], {}),
    "gte": ("gte", "Model", BASE, "cls", [dense(32, 32, torch.nn.GELU()), scores(32)], {}),
    "nomic-bert": ("nomic_bert", "Model", BASE, "mean", [scores(32)], {}),
    "eurobert": ("eurobert", "ForMaskedLM", {**BASE, "num_key_value_heads": 2}, "lasttoken",
                 [dense(32, 32, torch.nn.GELU()), LayerNorm(32), scores(32)], {}),
    # The other ways to make one row of all tokens.
    "bert-max": ("bert", "Model", BASE, "max", [dense(32, 32, torch.nn.Tanh()), scores(32)], {}),
    "mpnet-sqrt": ("mpnet", "Model", {**BASE, "max_position_embeddings": 74}, "mean_sqrt_len_tokens",
                   [LayerNorm(32), scores(32)], {}),
    "modernbert-weighted": ("modernbert", "Model", MODERNBERT, "weightedmean", [dense(32, 24, torch.nn.GELU()), scores(24)],
                            {}),
    # Decoders.
    "qwen3-last": ("qwen3", "Model", {**DECODER, "head_dim": 8}, "lasttoken", [scores(32)], {}),
    "llama-mean": ("llama", "ForCausalLM", DECODER, "mean", [dense(32, 32, torch.nn.SiLU()), scores(32)], {}),
    "gemma3-last": ("gemma3_text", "Model", {**DECODER, "head_dim": 8, "sliding_window": 12}, "lasttoken",
                    [dense(32, 48, IDENTITY), LayerNorm(48), scores(48, 2)], {}),
    "mistral-weighted": ("mistral", "ForSequenceClassification", {**DECODER, "sliding_window": None}, "weightedmean",
                         [scores(32)], {}),
    # With a pooler, as its class is saved.
    "jina-v3-max": ("jina_embeddings_v3", "Model", {**BASE, "type_vocab_size": 1}, "max",
                    [dense(32, 24, torch.nn.Tanh()), scores(24)], {}),
    "lfm2-last": ("lfm2", "Model", LFM2, "lasttoken", [dense(32, 32, torch.nn.SiLU()), scores(32)], {}),
    "lfm2-mean": ("lfm2", "ForCausalLM", {**LFM2, "conv_bias": True, "layer_types": ["full_attention", "conv", "conv"]},
                  "mean", [LayerNorm(32), scores(32, 2)], {}),
}
# Files as older versions wrote them.
OLD_FILES = {
    "distilbert-scores": {
        "1_Pooling/config.json": {"word_embedding_dimension": 32, "pooling_mode_cls_token": True,
                                  "pooling_mode_mean_tokens": False, "pooling_mode_max_tokens": False},
        "sentence_bert_config.json": {"max_seq_length": 60, "do_lower_case": False},
    },
    "bert-max": {
        "1_Pooling/config.json": {"word_embedding_dimension": 32, "pooling_mode_cls_token": False,
                                  "pooling_mode_mean_tokens": False, "pooling_mode_max_tokens": True},
    },
    "electra-projected": {"config_sentence_transformers.json": {"model_type": "CrossEncoder"}},
}


def tokenizer_files(has_segments):
    content = json.loads((ROOT / "test/fixtures/causal-rerankers/tokenizer.json").read_text(encoding="utf-8"))
    special = lambda token, segment=0: {"SpecialToken": {"id": token, "type_id": segment}}
    text = lambda name, segment=0: {"Sequence": {"id": name, "type_id": segment}}
    second = 1 if has_segments else 0
    ids = {token["content"]: token["id"] for token in content["added_tokens"]}
    content["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [special("<|begin|>"), text("A"), special("<|end|>")],
        "pair": [special("<|begin|>"), text("A"), special("<|end|>"), text("B", second), special("<|end|>", second)],
        "special_tokens": {token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in ("<|begin|>", "<|end|>")},
    }
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "cls_token": "<|begin|>", "sep_token": "<|end|>",
              "pad_token": "<|turn|>", "model_max_length": 64,
              "model_input_names": ["input_ids", *(["token_type_ids"] if has_segments else []), "attention_mask"]}
    return {"tokenizer.json": content, "tokenizer_config.json": config}


def write(folder, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(content), encoding="utf-8")


def write_weights(folder, values, names):
    """The tensors of `names`, each in the file of its folder, without the folder's name."""
    for place in {name.rpartition("/")[0] for name in names}:
        own = {name.rpartition("/")[2]: values[name] for name in names if name.rpartition("/")[0] == place}
        save_file(own, folder / place / "model.safetensors", metadata={"format": "pt"})


def saved_files(folder, own, pooling, modules, arguments):
    """The JSON files of save_pretrained but for the model's and the tokenizer's, and the shapes of the modules' tensors."""
    arguments = dict(arguments)
    length = {"max_seq_length": arguments.pop("max_seq_length")} if "max_seq_length" in arguments else {}
    transformer = Transformer(str(folder), **length)
    encoder = CrossEncoder(modules=[transformer, Pooling(32, pooling), *modules], device="cpu", **arguments)
    with tempfile.TemporaryDirectory() as temporary:
        encoder.save_pretrained(temporary)
        paths = [path for path in Path(temporary).rglob("*.json") if path.name not in ("config.json", *own)]
        paths += Path(temporary).glob("*/config.json")
        files = {str(path.relative_to(temporary)): json.loads(path.read_text()) for path in sorted(paths)}
        assert "modules.json" in files and "1_Pooling/config.json" in files, files.keys()
    if length:
        files["sentence_bert_config.json"].update(length)
    shapes = {f"{index}_{type(module).__name__}/{name}": list(tensor.shape)
              for index, module in enumerate(modules, 2) for name, tensor in module.state_dict().items()}
    return files, shapes


def measure(folder):
    encoder = CrossEncoder(str(folder), device="cpu")
    encoder.eval()
    result = {"activation": type(encoder.activation_fn).__name__.lower(), "maxLength": encoder.max_seq_length,
              "numLabels": encoder.num_labels, "calls": []}
    for prompt in [None, "Is it so? "]:
        features = encoder.preprocess(PAIRS, prompt=encoder._resolve_prompt(prompt, None))
        ids = [row[keep.bool()].tolist() for row, keep in zip(features["input_ids"], features["attention_mask"])]
        logits = encoder.predict(PAIRS, prompt=prompt, activation_fn=IDENTITY, batch_size=3)
        own = encoder.predict(PAIRS, prompt=prompt, batch_size=3)
        digits = lambda rows: [[float(f"{x:.9g}") for x in (row if row.ndim else [row])] for row in rows]
        call = {"prompt": prompt, "ids": ids, "logits": digits(logits), "scores": digits(own)}
        if encoder.num_labels == 1:
            documents = [document for _, document in PAIRS]
            call["ranking"] = [entry["corpus_id"] for entry in encoder.rank(QUERY, documents, prompt=prompt)]
        print(folder.name, prompt, "lengths", [len(row) for row in ids], "std", float(logits.std()), flush=True)
        result["calls"].append(call)
    return result


def main():
    torch.set_num_threads(1)
    entries = []
    for seed, (name, (model_type, suffix, config, pooling, modules, arguments)) in enumerate(CASES.items(), 501):
        config = transformers.AutoConfig.for_model(model_type, vocab_size=704, **config)
        auto = {"Model": transformers.AutoModel, "ForMaskedLM": transformers.AutoModelForMaskedLM,
                "ForCausalLM": transformers.AutoModelForCausalLM,
                "ForSequenceClassification": transformers.AutoModelForSequenceClassification}[suffix]
        network = auto.from_config(config).eval()
        model = {"seed": seed, "scales": SCALES}
        # Without those that are tied, as save_pretrained writes them.
        shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items()
                  if tensor.dtype == torch.float32 and not key.endswith(("decoder.weight", "lm_head.decoder.bias"))
                  and not (model_type == "lfm2" and key == "lm_head.weight")}
        own = tokenizer_files(getattr(config, "type_vocab_size", 0) == 2)
        config = {**config.to_diff_dict(), "architectures": [type(network).__name__], "model_type": model_type}
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / name
            folder.mkdir()
            write(folder, {"config.json": config, **own})
            values = lambda all_shapes: {key: torch.from_numpy(golden.tensor_values(model, key, tuple(shape)))
                                         for key, shape in all_shapes.items()}
            write_weights(folder, values(shapes), shapes)
            files, more = saved_files(folder, own, pooling, modules, arguments)
            files.update(OLD_FILES.get(name, {}))
            shapes.update(more)
            write(folder, files)
            write_weights(folder, values(shapes), shapes)
            expected = measure(folder)
        entries.append({"name": name, "seed": seed, "config": config, "tensors": shapes,
                        "tokenizerConfig": own["tokenizer_config.json"],
                        "postProcessor": own["tokenizer.json"]["post_processor"], "files": files, "expected": expected})
    OUT.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"scales": SCALES, "pairs": PAIRS})[:-1] + ', "models": [']
    lines += [",\n".join(json.dumps(entry) for entry in entries), "]}"]
    (OUT / "models.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
