"""Small cross-encoders in every layout that sentence-transformers has used, with the scores it gives them.

    python scripts/make-sentence-transformers-fixtures.py

Writes test/fixtures/sentence-transformers/: the weights and tokenizer of a one-label and a three-label BERT with random
weights, and layouts.json: for each layout the other files by path, where the model's own files lie, and what
CrossEncoder(folder) says about it: scores of the pairs, the activation, and the most tokens per pair.
The layout `saved` is what this version's save_pretrained writes; the others are written by hand as older versions did.

Made with sentence-transformers 6.0.1, transformers 5.18.0, torch 2.13.0.
"""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from sentence_transformers import CrossEncoder
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

OUT = Path(__file__).resolve().parent.parent / "test/fixtures/sentence-transformers"
WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] a the plant plants sun light make makes food with in cats sleep day ##s ##ing how do".split()
PAIRS = [
    ["how do plants make food", "plants make food with the sun light"],
    ["how do plants make food", "cats sleep in the day"],
    ["how do plants make food " * 3, "the cats sleep in the light " * 3],
    ["cats", ""],
    ["How do PLANTS make food", "Plants make food"],
]
MODEL_FILES = ["model.safetensors", "tokenizer.json", "tokenizer_config.json"]
IDENTITY = "torch.nn.modules.linear.Identity"
SIGMOID = "torch.nn.modules.activation.Sigmoid"
TANH = "torch.nn.modules.activation.Tanh"
OLD_TRANSFORMER = "sentence_transformers.models.Transformer"


def make_model(num_labels: int, folder: Path) -> dict:
    torch.manual_seed(num_labels)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
        max_position_embeddings=32, num_labels=num_labels, initializer_range=0.6,
    )
    BertForSequenceClassification(config).eval().save_pretrained(folder)
    vocab = folder / "vocab.txt"
    vocab.write_text("\n".join(WORDS) + "\n")
    BertTokenizerFast(vocab=str(vocab), model_max_length=32).save_pretrained(folder)
    vocab.unlink(missing_ok=True)
    return json.loads((folder / "config.json").read_text())


def layouts(config: dict) -> dict[str, dict]:
    """name -> {"at": folder of the model's files, "files": {path: json}}"""
    module = {"idx": 0, "name": "0", "path": "", "type": OLD_TRANSFORMER}
    task = {"transformer_task": "sequence-classification"}
    settings = {**task, "max_seq_length": 12, "do_lower_case": False}
    # Without it CrossEncoder takes modules.json for that of an embedding model and reads config.json alone.
    kind = {"config_sentence_transformers.json": {"model_type": "CrossEncoder"}}
    cased = {"do_lower_case": False, "model_max_length": 32, "tokenizer_class": "BertTokenizer"}
    prompts = {"prompts": {"query": "how do ", "passage": ""}, "default_prompt_name": "query"}
    return {
        "plain": {"at": "", "files": {"config.json": config}},
        "v2": {"at": "", "files": {"config.json": {**config, "sbert_ce_default_activation_function": IDENTITY}}},
        "v4": {"at": "", "files": {"config.json": {
            **config, "sentence_transformers": {"activation_fn": TANH, "version": "4.1.0"},
            "sbert_ce_default_activation_function": IDENTITY}}},
        "foreign": {"at": "", "files": {"config.json": {
            **config, "sentence_transformers": {"activation_fn": "my_package.Doubled", "version": "4.1.0"}}}},
        "max-length": {"at": "", "files": {
            "config.json": config, "modules.json": [module], "sentence_bert_config.json": settings, **kind}},
        "cased": {"at": "", "files": {
            "config.json": config, "tokenizer_config.json": cased, "modules.json": [module],
            "sentence_bert_config.json": task, **kind}},
        "lower-case": {"at": "", "files": {
            "config.json": config, "tokenizer_config.json": cased, "modules.json": [module],
            "sentence_bert_config.json": {**task, "do_lower_case": True}, **kind}},
        "prompted": {"at": "", "files": {
            "config.json": config, "modules.json": [module], "sentence_bert_config.json": task,
            "config_sentence_transformers.json": {"model_type": "CrossEncoder", "activation_fn": IDENTITY, **prompts}}},
        # The limit goes before the tokenizer's, shorter or longer.
        "longer": {"at": "", "files": {
            "config.json": config, "tokenizer_config.json": {"model_max_length": 9, "tokenizer_class": "BertTokenizer"},
            "modules.json": [module], "sentence_bert_config.json": settings, **kind}},
        # Neither file is read.
        "no-modules": {"at": "", "files": {
            "config.json": config, "sentence_bert_config.json": settings,
            "config_sentence_transformers.json": {"model_type": "CrossEncoder", "activation_fn": IDENTITY, **prompts}}},
        "no-kind": {"at": "", "files": {
            "config.json": config, "modules.json": [module], "sentence_bert_config.json": settings,
            "config_sentence_transformers.json": {"activation_fn": IDENTITY, **prompts}}},
        "subfolder": {"at": "0_Transformer", "files": {
            "modules.json": [{**module, "path": "0_Transformer"}],
            "config_sentence_transformers.json": {"model_type": "CrossEncoder", "activation_fn": SIGMOID},
            "0_Transformer/config.json": {**config, "sbert_ce_default_activation_function": IDENTITY},
            "0_Transformer/sentence_bert_config.json": settings}},
    }


def assemble(layout: dict, model: Path, folder: Path) -> None:
    (folder / layout["at"]).mkdir(exist_ok=True)
    for name in MODEL_FILES:
        shutil.copy(model / name, folder / layout["at"] / name)
    for path, content in layout["files"].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(content))


def measure(folder: Path) -> dict:
    encoder = CrossEncoder(str(folder), device="cpu")
    scores = encoder.predict(PAIRS)
    return {
        "scores": [[round(float(x), 7) for x in (row if row.ndim else [row])] for row in scores],
        "activation": type(encoder.activation_fn).__name__.lower(),
        "maxLength": encoder.max_seq_length,
    }


def saved(model: Path, folder: Path) -> dict:
    encoder = CrossEncoder(str(model), device="cpu", activation_fn=torch.nn.Tanh(), max_length=14)
    encoder.save_pretrained(str(folder))
    at = json.loads((folder / "modules.json").read_text())[0]["path"]
    files = {}
    for path in folder.rglob("*.json"):
        name = str(path.relative_to(folder))
        if path.name != "tokenizer.json":
            files[name] = json.loads(path.read_text())
    return {"at": at, "files": files}


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    result = {"pairs": PAIRS, "models": {}}
    for num_labels in (1, 3):
        model = OUT / f"labels-{num_labels}"
        model.mkdir(parents=True)
        config = make_model(num_labels, model)
        entries = layouts(config)
        with tempfile.TemporaryDirectory() as temporary:
            entries["saved"] = saved(model, Path(temporary) / "saved")
        for name, layout in entries.items():
            with tempfile.TemporaryDirectory() as temporary:
                assemble(layout, model, Path(temporary))
                layout["expected"] = measure(Path(temporary))
        (model / "config.json").unlink()
        result["models"][model.name] = entries
    (OUT / "layouts.json").write_text(json.dumps(result, indent=1) + "\n")
    for stray in OUT.rglob("special_tokens_map.json"):
        stray.unlink()


main()
