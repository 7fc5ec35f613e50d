#!/usr/bin/env python3
"""Small SetFit models as its save_pretrained writes them, with the probabilities that scikit-learn gives their embeddings.

    python scripts/make-setfit-fixtures.py

Writes test/fixtures/setfit/models.json: for each model its configuration, the shapes of its tensors and its modules'
(values are make-golden.py's function of seed and name), its JSON files, model_head.pkl in base64, and what
predict_proba(encode(texts)) gives. SetFit itself is not needed: its models are a SentenceTransformer, joblib.dump of the
head and config_setfit.json, and its predict_proba is that of the head. The tokenizer is that of make-module-head-fixtures.

Made with sentence-transformers 6.0.1, transformers 5.18.0, scikit-learn 1.9.1, joblib 1.6.0, torch 2.13.0.
"""
import base64
import importlib
import io
import json
import tempfile
from pathlib import Path

import joblib
import numpy as np
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "test/fixtures/setfit"
heads = importlib.import_module("make-module-head-fixtures")

TEXTS = [text for pair in heads.PAIRS for text in pair] + [
    "My invoice is wrong.", "The app crashes when I open it.", "How much is the yearly plan?", "Thank you, that helped.",
]
SHARP = dict(C=30.0, max_iter=400)


def joblib_bytes(head, **options):
    buffer = io.BytesIO()
    joblib.dump(head, buffer, **options)
    return buffer.getvalue()


def transposed(head):
    """As some solvers leave their coefficients."""
    head.coef_ = np.asfortranarray(head.coef_)
    return head


# name: (model type, configuration, pooling, modules behind it, the head, the classes it is fitted on, config_setfit.json,
# what becomes of the fitted head, options of joblib.dump)
CASES = {
    "mpnet-topics": ("mpnet", {**heads.BASE, "max_position_embeddings": 74}, "mean", [], LogisticRegression(**SHARP),
                     np.array([0, 1, 2]), {"labels": ["billing", "bug", "sales"], "normalize_embeddings": False},
                     None, {}),
    "bert-binary": ("bert", heads.BASE, "cls", [Normalize()], LogisticRegression(**SHARP), np.array([0, 1]),
                    {"labels": ["negative", "positive"], "normalize_embeddings": False}, None, {}),
    # Classes in another order than the names, a Dense in the body, and SetFit's own division by the length.
    "distilbert-dense": ("distilbert", heads.DISTILBERT, "mean", [heads.dense(32, 20, torch.nn.Tanh())],
                         LogisticRegression(**SHARP), np.array([3, 1, 0]),
                         {"labels": ["a", "b", "c", "d"], "normalize_embeddings": True}, transposed, {}),
    "bert-texts": ("bert", heads.BASE, "max", [heads.dense(32, 24, heads.IDENTITY), Normalize()],
                   LogisticRegression(fit_intercept=False, **SHARP), np.array(["no", "maybe, \u00fcber", "yes"]), None, None,
                   {"protocol": 3}),
    "mpnet-multilabel": ("mpnet", {**heads.BASE, "max_position_embeddings": 74}, "mean", [Normalize()],
                         OneVsRestClassifier(LogisticRegression(**SHARP)), 3,
                         {"labels": ["rude", "spam", "long"], "normalize_embeddings": False}, None, {"protocol": 4}),
    "roberta-multioutput": ("roberta", heads.ROBERTA, "mean", [], MultiOutputClassifier(LogisticRegression(**SHARP)), 2,
                            {"labels": None, "normalize_embeddings": False}, None, {}),
    "lfm2-binary": ("lfm2", heads.LFM2, "mean", [Normalize()], LogisticRegression(**SHARP), np.array([0, 1]),
                    {"labels": ["negative", "positive"], "normalize_embeddings": False}, None, {}),
}


def saved_files(folder, own, pooling, modules):
    """The JSON files of the body but for the model's and the tokenizer's, the shapes of its modules, and the body."""
    body = SentenceTransformer(modules=[Transformer(str(folder)), Pooling(32, pooling), *modules], device="cpu")
    with tempfile.TemporaryDirectory() as temporary:
        body.save_pretrained(temporary)
        paths = [path for path in Path(temporary).rglob("*.json") if path.name not in ("config.json", *own)]
        paths += Path(temporary).glob("*/config.json")
        files = {str(path.relative_to(temporary)): json.loads(path.read_text()) for path in sorted(paths)}
    shapes = {f"{index}_{type(module).__name__}/{name}": list(tensor.shape)
              for index, module in enumerate(modules, 2) for name, tensor in module.state_dict().items()}
    return files, shapes


def measure(folder, head, classes, settings, finish):
    body = SentenceTransformer(str(folder), device="cpu").eval()
    normalizes = bool(settings and settings["normalize_embeddings"])
    embeddings = np.stack([body.encode(text, normalize_embeddings=normalizes) for text in TEXTS])
    random = np.random.default_rng(len(folder.name))
    if isinstance(classes, int):
        head.fit(embeddings, random.permuted(np.arange(len(TEXTS) * classes) % 2).reshape(-1, classes))
        outputs = head.predict_proba(embeddings)
        scores = np.stack([output[:, 1] for output in outputs], axis=1) if isinstance(outputs, list) else outputs
        labels = settings["labels"] or [f"LABEL_{index}" for index in range(classes)]
    else:
        head.fit(embeddings, classes[random.permutation(len(TEXTS)) % len(classes)])
        head = finish(head) if finish else head
        scores = head.predict_proba(embeddings)
        labels = [str(name) if settings is None else settings["labels"][name] for name in head.classes_]
    print(folder.name, labels, "std", scores.std(axis=0), flush=True)
    digits = [[float(f"{x:.9g}") for x in row] for row in scores]
    return head, {"labels": labels, "isMultiLabel": isinstance(classes, int), "maxLength": body.max_seq_length,
                  "scores": digits}


def main():
    torch.set_num_threads(1)
    entries = []
    for seed, (name, case) in enumerate(CASES.items(), 701):
        model_type, config, pooling, modules, head, classes, settings, finish, options = case
        config = transformers.AutoConfig.for_model(model_type, vocab_size=704, **config)
        network = transformers.AutoModel.from_config(config).eval()
        model = {"seed": seed, "scales": heads.SCALES}
        shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items() if tensor.dtype == torch.float32}
        own = heads.tokenizer_files(getattr(config, "type_vocab_size", 0) == 2)
        config = {**config.to_diff_dict(), "architectures": [type(network).__name__], "model_type": model_type}
        values = lambda all_shapes: {key: torch.from_numpy(heads.golden.tensor_values(model, key, tuple(shape)))
                                     for key, shape in all_shapes.items()}
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / name
            folder.mkdir()
            heads.write(folder, {"config.json": config, **own})
            heads.write_weights(folder, values(shapes), shapes)
            files, more = saved_files(folder, own, pooling, modules)
            shapes.update(more)
            heads.write(folder, files)
            heads.write_weights(folder, values(shapes), shapes)
            head, expected = measure(folder, head, classes, settings, finish)
        # As the Hub has it: git keeps no empty folder, and older versions wrote nothing there.
        files = {path: content for path, content in files.items() if not path.endswith("Normalize/config.json")}
        if settings is not None:
            files["config_setfit.json"] = settings
        entries.append({"name": name, "seed": seed, "config": config, "tensors": shapes,
                        "tokenizerConfig": own["tokenizer_config.json"],
                        "postProcessor": own["tokenizer.json"]["post_processor"], "files": files,
                        "head": base64.b64encode(joblib_bytes(head, **options)).decode(), "expected": expected})
    OUT.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"scales": heads.SCALES, "texts": TEXTS})[:-1] + ', "models": [']
    lines += [",\n".join(json.dumps(entry) for entry in entries), "]}"]
    (OUT / "models.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
