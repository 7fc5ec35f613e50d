#!/usr/bin/env python3
"""Makes test/fixtures/evaluation/*.json: predictions, and what scikit-learn says about them.

Versions that made the committed files: scikit-learn 1.9.1, numpy 2.4.6. Scores are multiples of 1/1000, so that there
are ties, and so are the numbers at the edges of calibration bins; a JSON file holds them exactly.
"""
import json
import warnings
from pathlib import Path

import numpy
import sklearn
from sklearn import metrics
from sklearn.calibration import calibration_curve

OUTPUT = Path(__file__).resolve().parent.parent / "test/fixtures/evaluation"


def predictions(seed, count, num_labels, skill, absent=()):
    """Rows of [right label, score of each label]; no example is of an absent class."""
    random = numpy.random.default_rng(seed)
    actual = random.choice([i for i in range(num_labels) if i not in absent], size=count)
    logits = random.normal(size=(count, num_labels)) + skill * (numpy.arange(num_labels) == actual[:, None])
    shares = numpy.exp(logits) / numpy.exp(logits).sum(axis=1, keepdims=True)
    thousandths = numpy.floor(shares * 1000).astype(int)
    thousandths[:, -1] += 1000 - thousandths.sum(axis=1)
    return [[int(label), *map(int, row)] for label, row in zip(actual, thousandths)]


def averages(actual, predicted, average):
    values = metrics.precision_recall_fscore_support(actual, predicted, average=average, zero_division=0)
    return dict(zip(("precision", "recall", "f1"), map(float, values)))


def evaluate(rows):
    rows = numpy.array(rows)
    actual, scores = rows[:, 0], rows[:, 1:] / 1000
    predicted = scores.argmax(axis=1)
    num_labels = scores.shape[1]
    classes = sorted(set(actual) | set(predicted))
    per_class = metrics.precision_recall_fscore_support(actual, predicted, average=None, zero_division=0)
    aucs = {label: float(metrics.roc_auc_score(actual == label, scores[:, label]))
            for label in classes if 0 < (actual == label).sum() < len(actual)}
    if num_labels == 2:
        auc = float(metrics.roc_auc_score(actual, scores[:, 1]))
    elif len(aucs) == num_labels:
        auc = float(metrics.roc_auc_score(actual, scores, multi_class="ovr", average="macro"))
    else:
        # Not defined by scikit-learn for an absent class: the mean over the others.
        auc = float(numpy.mean(list(aucs.values())))
    confidence = scores.max(axis=1)
    accuracies, confidences = calibration_curve(predicted == actual, confidence, n_bins=10)
    counts = numpy.bincount(numpy.searchsorted(numpy.linspace(0, 1, 11)[1:-1], confidence), minlength=10)
    gaps = numpy.abs(accuracies - confidences) * counts[counts > 0]
    return {
        "accuracy": float(metrics.accuracy_score(actual, predicted)),
        "macro": averages(actual, predicted, "macro"),
        "weighted": averages(actual, predicted, "weighted"),
        "rocAuc": auc,
        "logLoss": float(metrics.log_loss(actual, scores, labels=list(range(num_labels)))),
        "calibrationError": float(gaps.sum() / len(actual)),
        "classes": [
            {"label": int(label), "precision": float(p), "recall": float(r), "f1": float(f), "support": int(s),
             "rocAuc": aucs.get(label)}
            for label, p, r, f, s in zip(classes, *per_class)
        ],
        "confusion": metrics.confusion_matrix(actual, predicted).tolist(),
        "calibrationCounts": counts.tolist(),
    }


def main():
    warnings.filterwarnings("error")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name, rows in {
        "binary": predictions(1, 150, 2, 1.2),
        "four-classes": predictions(2, 240, 4, 1.5),
        "absent-classes": predictions(3, 120, 6, 2.5, absent=(1, 4)),
        "one-class": predictions(4, 40, 3, 4, absent=(0, 2)),
        "always-right": predictions(5, 60, 3, 60),
    }.items():
        if name == "one-class":
            rows = [[1, *row[1:]] for row in rows]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if name == "one-class" else "error")
            expected = evaluate(rows)
        text = json.dumps({"versions": {"sklearn": sklearn.__version__, "numpy": numpy.__version__},
                           "expected": expected})
        text = text[:-1] + ',\n"rows":[\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]}\n"
        text = text.replace("NaN", "null")
        (OUTPUT / f"{name}.json").write_text(text, encoding="utf-8")
        print(name, len(rows), "rows", {key: expected[key] for key in ("accuracy", "rocAuc", "logLoss")})


if __name__ == "__main__":
    main()
