#!/usr/bin/env python3
"""Prints the figures of models/default.md: the model and TF-IDF + logistic regression on the same held-out texts.
Made with torch 2.13.0, transformers 5.18.0, scikit-learn 1.9.1, scipy 1.17.1, numpy 2.4.6.
Usage: scripts/evaluate-default-model.py DATA MODEL [--heldout-out FILE] [--tune] [--ungrouped]
MODEL is a checkpoint folder, for transformers, or a .gguf file, for this repository's built ggml-encoder.
"""
import argparse
import collections
import hashlib
import json
import pathlib
import subprocess
import time
import warnings

import numpy as np
import torch
from scipy.sparse import hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_recall_fscore_support
from transformers import AutoModelForSequenceClassification, AutoTokenizer

# Inverse regularisation of the baseline. The values of TUNING are all but equal on a tenth of the training groups (--tune).
BASELINE_C = 10
TUNING = (3, 10, 30)
EXAMPLES = (
    "Real-time strategy game of ancient warfare", "Play and edit mp3 files", "A library for parsing HTML in Python",
    "SQL client for PostgreSQL", "photo editor", "I want to send an email", "Simulate digital circuits",
    "Solve systems of linear equations", "Align DNA sequences", "Monitor the disk usage of a server",
)


def read_rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def full_text(row):
    return row["short"] + ". " + row["long"] if row["long"] else row["short"]


def short_text(row):
    return row["short"]


def long_text(row):
    return row["long"] or row["short"]


def sections_of(rows):
    return np.array([r["section"] for r in rows])


def in_tenth(salt, key):
    return int(hashlib.sha256((salt + key).encode()).hexdigest()[:8], 16) < 2**32 // 10


def best_labels(source, texts, count):
    """The `count` best labels of each text with their probabilities, best first, in the order of the texts."""
    if source.suffix == ".gguf":
        program = pathlib.Path(__file__).resolve().parent.parent / "bin" / "ggml-encoder.js"
        command = ["node", program, "classify", "-m", source, "--input", "-", "--top-k", str(count), "--format", "json"]
        lines = "".join(json.dumps(text) + "\n" for text in texts)
        answers = subprocess.run(command, input=lines, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        return [[(s["label"], s["score"]) for s in json.loads(answer)["scores"]] for answer in answers]
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = AutoModelForSequenceClassification.from_pretrained(source).eval()
    found, order = [[]] * len(texts), sorted(range(len(texts)), key=lambda i: len(texts[i]))
    with torch.inference_mode():
        for at in range(0, len(order), 64):
            part = order[at:at + 64]
            encoded = tokenizer([texts[i] for i in part], truncation=True, padding=True, return_tensors="pt")
            best = model(**encoded).logits.softmax(-1).topk(count)
            for i, values, labels in zip(part, best.values.tolist(), best.indices.tolist()):
                found[i] = [(model.config.id2label[label], value) for label, value in zip(labels, values)]
    return found


def predict(source, texts):
    return np.array([best[0][0] for best in best_labels(source, texts, 1)])


def baseline(rows, forms, c):
    """Fits word and character n-grams + logistic regression on the given forms of the rows; returns texts -> labels."""
    texts = [form(r) for form in forms for r in rows]
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    chars = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, max_features=200_000, sublinear_tf=True)
    features = hstack([words.fit_transform(texts), chars.fit_transform(texts)]).tocsr().astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        regression = LogisticRegression(C=c, max_iter=100).fit(features, np.tile(sections_of(rows), len(forms)))
    return lambda unseen: regression.predict(hstack([words.transform(unseen), chars.transform(unseen)]).tocsr())


def accuracy(truth, predicted):
    return float((truth == predicted).mean())


def scores(truth, predicted):
    return f"{accuracy(truth, predicted):.4f} | {f1_score(truth, predicted, average='macro'):.4f}"


def difference_interval(truth, ours, theirs):
    """95 % interval of accuracy(ours) - accuracy(theirs): 10,000 paired bootstrap draws over the texts."""
    gain = (truth == ours).astype(float) - (truth == theirs).astype(float)
    rng = np.random.default_rng(0)
    means = [gain[rng.integers(0, len(gain), len(gain))].mean() for _ in range(10_000)]
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{gain.mean():+.4f} ({low:+.4f} to {high:+.4f})"


def print_per_class(truth, full, short):
    labels = sorted(set(truth))
    precision, recall, f1, count = precision_recall_fscore_support(truth, full, labels=labels, zero_division=0)
    _, short_recall, short_f1, _ = precision_recall_fscore_support(truth, short, labels=labels, zero_division=0)
    print("\n| section | held out | precision | recall | F1 | recall, short line | F1, short line |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for i, label in enumerate(labels):
        print(f"| {label} | {count[i]} | {precision[i]:.2f} | {recall[i]:.2f} | {f1[i]:.2f} "
              f"| {short_recall[i]:.2f} | {short_f1[i]:.2f} |")
    confusions = collections.Counter((t, p) for t, p in zip(truth, full) if t != p)
    print("\nmost frequent confusions: " + ", ".join(f"{t} as {p} {n}" for (t, p), n in confusions.most_common(8)))


def print_examples(source):
    for text, best in zip(EXAMPLES, best_labels(source, list(EXAMPLES), 2)):
        print(f"{text}: " + ", ".join(f"{label} {value:.2f}" for label, value in best))


def tune(train):
    """Prints the baseline's accuracy for each C on a tenth of the training groups."""
    kept = [r for r in train if not in_tenth("dev", r["group"])]
    unseen = [r for r in train if in_tenth("dev", r["group"])]
    truth = sections_of(unseen)
    for name, forms, shown in (("full", (full_text,), full_text), ("short", (short_text,), short_text)):
        for c in TUNING:
            guess = baseline(kept, forms, c)([shown(r) for r in unseen])
            print(f"tuning, trained and tested on {name}, C={c}: accuracy {accuracy(truth, guess):.4f}", flush=True)


def ungrouped(train, held_out):
    """Prints the baseline for short lines on a tenth drawn by text alone, so that families may lie on both sides."""
    rows = train + held_out
    unseen = [r for r in rows if in_tenth("ungrouped", full_text(r))]
    kept = [r for r in rows if not in_tenth("ungrouped", full_text(r))]
    guess = baseline(kept, (short_text,), BASELINE_C)([short_text(r) for r in unseen])
    print(f"without grouping: baseline on short lines {scores(sections_of(unseen), guess)} of {len(unseen)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=pathlib.Path, help="folder that prepare-debian-descriptions.py wrote")
    parser.add_argument("model", type=pathlib.Path, help="folder that train-default-model.py wrote, or a .gguf file")
    parser.add_argument("--heldout-out", type=pathlib.Path, help="also write the held-out tenth as {text, label} lines")
    parser.add_argument("--tune", action="store_true", help="also print the search for the baseline's C")
    parser.add_argument("--ungrouped", action="store_true", help="also print the baseline on an ungrouped split")
    parser.add_argument("--skip-baseline", action="store_true", help="the model's own figures only")
    args = parser.parse_args()
    torch.set_num_threads(1)

    train, held_out = read_rows(args.data / "train.jsonl"), read_rows(args.data / "heldout.jsonl")
    truth = sections_of(held_out)
    texts = {"full": [full_text(r) for r in held_out], "short": [short_text(r) for r in held_out]}
    if args.heldout_out:
        lines = [json.dumps({"text": t, "label": r["section"]}, ensure_ascii=False)
                 for t, r in zip(texts["full"], held_out)]
        args.heldout_out.write_text("\n".join(lines) + "\n", encoding="utf-8")

    ours = {form: predict(args.model, texts[form]) for form in texts}
    print(f"{len(train)} training texts, {len(held_out)} held out, {len(set(truth))} sections; most frequent section "
          f"{collections.Counter(truth.tolist()).most_common(1)[0][1] / len(truth):.4f}\n")
    print("| | accuracy, full | macro F1, full | accuracy, short line | macro F1, short line |")
    print("|---|---:|---:|---:|---:|")
    print(f"| this model | {scores(truth, ours['full'])} | {scores(truth, ours['short'])} |", flush=True)
    theirs = {}
    if not args.skip_baseline:
        for name, forms in (("full descriptions", (full_text,)), ("short lines", (short_text,)),
                            ("full, short and long", (full_text, short_text, long_text))):
            begun, guess = time.time(), baseline(train, forms, BASELINE_C)
            theirs[name] = {form: guess(texts[form]) for form in texts}
            print(f"| TF-IDF + logistic regression on {name} | {scores(truth, theirs[name]['full'])} "
                  f"| {scores(truth, theirs[name]['short'])} | ({time.time() - begun:.0f} s)", flush=True)
        for form in texts:
            best = max(theirs, key=lambda name: accuracy(truth, theirs[name][form]))
            print(f"\naccuracy on {form} texts, this model less the best baseline (on {best}): "
                  f"{difference_interval(truth, ours[form], theirs[best][form])}")
    print_per_class(truth, ours["full"], ours["short"])
    print()
    print_examples(args.model)
    if args.tune:
        tune(train)
    if args.ungrouped:
        ungrouped(train, held_out)


if __name__ == "__main__":
    main()
