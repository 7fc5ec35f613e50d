#!/usr/bin/env python3
"""Makes test/fixtures/evaluation/TASK/*.json: predictions, and what scikit-learn, scipy and sentence-transformers say
about them.

Versions that made the committed files: scikit-learn 1.9.1, scipy 1.17.1, sentence-transformers 6.0.1, numpy 2.4.6.
Scores are multiples of 1/1000, so that there are ties, and so are the numbers at the edges of calibration bins; a JSON
file holds them exactly.
"""
import itertools
import json
import logging
import warnings
from pathlib import Path

import numpy
import scipy
import sentence_transformers
import sklearn
from scipy import stats
from sentence_transformers.cross_encoder.evaluation import CrossEncoderRerankingEvaluator
from sentence_transformers.sentence_transformer.evaluation import (
    BinaryClassificationEvaluator,
    InformationRetrievalEvaluator,
)
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


def label_rows(seed, count, rates, skill):
    """Rows of [right label, 0 or 1, for each label, then the score of each label]; a label is right at its rate."""
    random = numpy.random.default_rng(seed)
    truths = (random.random((count, len(rates))) < numpy.array(rates)).astype(int)
    logits = random.normal(size=truths.shape) * 1.2 + skill * (truths - 0.5) - 0.3
    scores = numpy.round(1000 / (1 + numpy.exp(-logits))).astype(int)
    return [[*map(int, truth), *map(int, score)] for truth, score in zip(truths, scores)]


def auc_or_none(truth, score):
    return float(metrics.roc_auc_score(truth, score)) if 0 < truth.sum() < truth.size else None


def best_f1(truth, score):
    """The highest F1 over scikit-learn's curve, whose thresholds are the scores themselves."""
    if truth.sum() == 0:
        return None
    precision, recall, _ = metrics.precision_recall_curve(truth, score)
    total = precision + recall
    return float(numpy.max(numpy.divide(2 * precision * recall, total, out=numpy.zeros_like(total), where=total > 0)))


def evaluate_labels(rows, thresholds):
    rows = numpy.array(rows)
    num_labels = rows.shape[1] // 2
    truths, scores = rows[:, :num_labels], rows[:, num_labels:] / 1000
    predicted = (scores >= numpy.array(thresholds)).astype(int)
    per_label = metrics.precision_recall_fscore_support(truths, predicted, average=None, zero_division=0)
    aucs = [auc_or_none(truths[:, label], scores[:, label]) for label in range(num_labels)]
    defined = [auc for auc in aucs if auc is not None]
    macro_auc = float(numpy.mean(defined)) if defined else None
    if len(defined) == num_labels:
        assert abs(macro_auc - metrics.roc_auc_score(truths, scores, average="macro")) < 1e-15
    losses = [float(metrics.log_loss(truths[:, label], scores[:, label], labels=[0, 1])) for label in range(num_labels)]
    return {
        "subsetAccuracy": float(metrics.accuracy_score(truths, predicted)),
        "hammingLoss": float(metrics.hamming_loss(truths, predicted)),
        "jaccard": float(metrics.jaccard_score(truths, predicted, average="samples", zero_division=0)),
        **{name: averages(truths, predicted, name) for name in ("micro", "macro", "weighted", "samples")},
        # Not defined by scikit-learn where a label is right for all or for none: the mean over the others.
        "macroRocAuc": macro_auc,
        "microRocAuc": auc_or_none(truths.ravel(), scores.ravel()),
        "macroAveragePrecision": float(metrics.average_precision_score(truths, scores, average="macro")),
        "microAveragePrecision": float(metrics.average_precision_score(truths, scores, average="micro")),
        "logLoss": float(numpy.mean(losses)),
        "labels": [
            {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s),
             "confusion": confusion.tolist(), "rocAuc": aucs[label],
             "averagePrecision": float(metrics.average_precision_score(truths[:, label], scores[:, label])),
             "logLoss": losses[label], "bestF1": best_f1(truths[:, label], scores[:, label])}
            for label, (p, r, f, s, confusion) in enumerate(
                zip(*per_label, metrics.multilabel_confusion_matrix(truths, predicted)))
        ],
    }


def yes_rows(seed, count, rate, skill, values=1000):
    """Rows of [1 for yes or 0, score]; with few `values` many scores are equal."""
    random = numpy.random.default_rng(seed)
    truth = (random.random(count) < rate).astype(int)
    share = 1 / (1 + numpy.exp(-random.normal(size=count) - skill * (truth - 0.5)))
    if values == 1000:
        # Each score once: sentence-transformers tells equal scores apart by their place in the file.
        order = numpy.argsort(numpy.argsort(share))
        return [[int(t), int(s)] for t, s in zip(truth, (order + 1) * (900 // count))]
    return [[int(t), int(s)] for t, s in zip(truth, numpy.round(share * values) * (1000 // values))]


def evaluate_yes(rows):
    rows = numpy.array(rows)
    truth, score = rows[:, 0], rows[:, 1] / 1000
    expected = {
        "positives": int(truth.sum()),
        "rocAuc": auc_or_none(truth, score),
        "averagePrecision": float(metrics.average_precision_score(truth, score)),
        "bestF1": best_f1(truth, score),
        "bestAccuracy": max(float(metrics.accuracy_score(truth, score >= threshold)) for threshold in set(score)),
    }
    if len(set(score)) == len(score):
        accuracy, accuracy_threshold = BinaryClassificationEvaluator.find_best_acc_and_threshold(score, truth, True)
        f1, precision, recall, f1_threshold = BinaryClassificationEvaluator.find_best_f1_and_threshold(
            score, truth, True)
        names = ("accuracy", "accuracy_threshold", "f1", "precision", "recall", "f1_threshold")
        values = (accuracy, accuracy_threshold, f1, precision, recall, f1_threshold)
        expected["sentenceTransformers"] = dict(zip(names, map(float, values)))
    return expected


def value_rows(seed, count, noise, values=5):
    """Rows of [right value in thousandths, score in thousandths]; right values are grades from 0 to `values`."""
    random = numpy.random.default_rng(seed)
    grades = random.integers(0, values * 2 + 1, size=count) / 2
    scores = grades * 0.8 + 0.4 + random.normal(size=count) * noise
    return [[int(grade * 1000), int(round(score * 1000))] for grade, score in zip(grades, scores)]


def evaluate_values(rows):
    rows = numpy.array(rows) / 1000
    right, score = rows[:, 0], rows[:, 1]
    constant = len(set(right)) == 1 or len(set(score)) == 1
    return {
        "mse": float(metrics.mean_squared_error(right, score)),
        "mae": float(metrics.mean_absolute_error(right, score)),
        "r2": float(metrics.r2_score(right, score)) if len(right) > 1 else None,
        "pearson": None if constant else float(stats.pearsonr(right, score).statistic),
        "spearman": None if constant else float(stats.spearmanr(right, score).statistic),
    }


def judged(seed, num_queries, num_documents, highest, skill, steps=None):
    """[grades, scores in thousandths] of queries; with few `steps` many scores of a query are equal."""
    random = numpy.random.default_rng(seed)
    queries = []
    for _ in range(num_queries):
        count = int(random.integers(2, num_documents + 1))
        grades = numpy.maximum(0, random.integers(-highest, highest + 1, size=count))
        noise = random.normal(size=count)
        if steps is None:
            # Each score once: sentence-transformers' MRR leaves open which of equal ones is first.
            places = numpy.argsort(numpy.argsort(noise + skill * grades))
            scores = places * 7 - 300
        else:
            scores = numpy.clip(numpy.round(noise + skill * grades), 0, steps) * 250
        queries.append([[int(grade) for grade in grades], [int(score) for score in scores]])
    return queries


def order_metrics(relevant, scores, k):
    """MRR, recall and hit rate of sentence-transformers; the mean over all orders of the documents with equal scores."""
    reranking = CrossEncoderRerankingEvaluator([], at_k=k)
    count = len(scores)
    has_ties = len(set(scores)) < count
    orders = list(itertools.permutations(range(count))) if has_ties else [range(count)]
    values = []
    for order in orders:
        ids = [f"{place:03}" for place in range(count)]
        found = [relevant[place] for place in order]
        search = InformationRetrievalEvaluator(
            queries={"q": ""}, corpus={name: "" for name in ids},
            relevant_docs={"q": {name for name, flag in zip(ids, found) if flag}},
            mrr_at_k=[k], ndcg_at_k=[k], accuracy_at_k=[k], precision_recall_at_k=[k], map_at_k=[k])
        hits = [{"corpus_id": name, "score": scores[place]} for name, place in zip(ids, order)]
        result = search.compute_metrics([hits])
        mrr, _, _ = reranking.compute_metrics(found, numpy.array([scores[place] for place in order]))
        if not has_ties:
            assert abs(mrr - result["mrr@k"][k]) < 1e-15
        values.append((mrr, result["recall@k"][k], result["accuracy@k"][k]))
    return dict(zip(("mrr", "recall", "hitRate"), map(float, numpy.mean(values, axis=0))))


def evaluate_queries(queries, k, level):
    rows = []
    for grades, scores in queries:
        relevant = [int(grade > 0 if level is None else grade >= level) for grade in grades]
        values = {"ndcg": 0.0, "mrr": 0.0, "map": 0.0, "recall": 0.0, "hitRate": 0.0}
        if sum(grades) > 0:
            values["ndcg"] = float(metrics.ndcg_score([grades], [scores], k=k))
        if sum(relevant) > 0:
            values["map"] = float(metrics.average_precision_score(relevant, scores))
            values.update(order_metrics(relevant, scores, k))
        rows.append({"grades": grades, "scores": scores, **values})
    return rows


class RecordedModel:
    """What the evaluator asks of a CrossEncoder; the score of a pair is that of its document."""

    def __init__(self, scores):
        self.scores = scores
        self.model_card_data = None

    def predict(self, pairs, **_):
        return numpy.array([self.scores[document] for _, document in pairs], dtype=numpy.float32)


def reranking_samples(seed, kind, count):
    """Samples as CrossEncoderRerankingEvaluator takes them, and a score for each document."""
    random = numpy.random.default_rng(seed)
    samples, scores = [], {}
    for query in range(count):
        documents = [f"document {query}-{place}" for place in range(int(random.integers(3, 20)))]
        order = random.permutation(len(documents))
        scores.update({document: int(place) * 11 - 60 for document, place in zip(documents, order)})
        num_positive = int(random.integers(0, 3))
        positive = [documents[place] for place in random.choice(len(documents), num_positive, replace=False)]
        sample = {"query": f"query {query}", "positive": positive}
        if kind == "negative":
            samples.append({**sample, "negative": [text for text in documents if text not in positive]})
        else:
            # A search that does not find everything; at times nothing of what is relevant.
            found = [text for text in documents if text not in positive or random.random() < 0.6]
            samples.append({**sample, "documents": found})
    return samples, scores


def evaluate_samples(samples, scores, k):
    evaluator = CrossEncoderRerankingEvaluator(samples, at_k=k, write_csv=False)
    evaluator.store_metrics_in_model_card_data = lambda *_: None
    result = {name.replace(f"@{k}", ""): float(value) for name, value in evaluator(RecordedModel(scores)).items()}
    own = {name: result[name] for name in ("ndcg", "mrr", "map")}
    base = {name: result[f"base_{name}"] for name in own} if "base_map" in result else None
    return {**own, "base": base}


def value_table(seed, count, num_values):
    random = numpy.random.default_rng(seed)
    right = random.normal(size=(count, num_values)) * numpy.arange(1, num_values + 1)
    scores = right * 0.7 + random.normal(size=right.shape)
    return [[*(int(value) for value in numpy.round(row * 1000)), *(int(value) for value in numpy.round(score * 1000))]
            for row, score in zip(right, scores)]


def evaluate_table(rows, num_values):
    rows = numpy.array(rows) / 1000
    right, score = rows[:, :num_values], rows[:, num_values:]
    labels = [evaluate_values(numpy.stack([right[:, value], score[:, value]], axis=1) * 1000)
              for value in range(num_values)]
    mean = {"mse": float(metrics.mean_squared_error(right, score)),
            "mae": float(metrics.mean_absolute_error(right, score)),
            "r2": float(metrics.r2_score(right, score))}
    mean.update({name: float(numpy.mean([label[name] for label in labels])) for name in ("pearson", "spearman")})
    return {"mean": mean, "labels": labels}


def write(task, name, rows, expected, **facts):
    versions = {package.__name__: package.__version__ for package in (sklearn, numpy)}
    if task in ("binary", "ranking"):
        versions["sentence_transformers"] = sentence_transformers.__version__
    if task in ("regression", "several-values"):
        versions["scipy"] = scipy.__version__
    text = json.dumps({"versions": versions, **facts, "expected": expected})
    text = text[:-1] + ',\n"rows":[\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]}\n"
    text = text.replace("NaN", "null")
    (OUTPUT / task).mkdir(parents=True, exist_ok=True)
    (OUTPUT / task / f"{name}.json").write_text(text, encoding="utf-8")
    numbers = {key: value for key, value in expected.items() if isinstance(value, float)}
    print(task, name, len(rows), "rows", numbers)


def main():
    warnings.filterwarnings("error")
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
            write("single-label", name, rows, evaluate(rows))

    rates = (0.3, 0.1, 0.5, 0.05)
    for name, (rows, thresholds) in {
        "four-labels": (label_rows(11, 200, rates, 2), [0.5] * 4),
        "own-thresholds": (label_rows(12, 200, rates, 2), [0.3, 0.75, 0.5, 0.12]),
        "never-and-always": (label_rows(13, 80, (0, 0.4, 1), 1.5), [0.5] * 3),
        "nothing-predicted": (label_rows(14, 80, (0.3, 0.4, 0.2), 1.5), [1.5] * 3),
        "nothing-right": (label_rows(15, 40, (0, 0), 1), [0.5] * 2),
        "many-ties": ([[*row[:3], *(value // 250 * 250 for value in row[3:])]
                       for row in label_rows(16, 120, (0.3, 0.5, 0.7), 1.5)], [0.5] * 3),
        "sure-mistakes": ([[1, 0, 0, 1000], [0, 1, 1000, 0], [1, 1, 1000, 1000], [0, 0, 0, 0]], [0.5] * 2),
        "one-example": ([[1, 0, 900, 600]], [0.5] * 2),
    }.items():
        with warnings.catch_warnings():
            # scikit-learn warns of every label that is never right.
            warnings.simplefilter("ignore")
            write("multi-label", name, rows, evaluate_labels(rows, thresholds), thresholds=thresholds)

    for name, rows in {
        "distinct": yes_rows(21, 150, 0.3, 1.5),
        "weak": yes_rows(22, 90, 0.5, 0.3),
        "ties": yes_rows(23, 200, 0.4, 1.5, values=10),
        "all-equal": [[flag, 500] for flag in (1, 0, 0, 1, 0)],
        "all-yes": [[1, 10 * place] for place in range(10)],
        "all-no": [[0, 10 * place] for place in range(10)],
    }.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if name == "all-no" else "error")
            expected = evaluate_yes(rows)
            if name.startswith("all-"):
                # sentence-transformers never lets all pass, which is best here or not defined.
                expected.pop("sentenceTransformers", None)
            write("binary", name, rows, expected)

    for name, rows in {
        "grades": value_rows(31, 150, 0.8),
        "noise": value_rows(32, 60, 9),
        "zero-or-one": value_rows(33, 50, 0.3, values=1),
        "constant-score": [[1000 * place, 2500] for place in range(6)],
        "constant-value": [[3000, 2900 + 50 * place] for place in range(6)],
        "constant-and-right": [[3000, 3000]] * 4,
        "two-examples": [[0, 700], [5000, 900]],
        "one-example": [[2500, 2000]],
        "exact": [[250 * place, 250 * place] for place in range(9)],
    }.items():
        write("regression", name, rows, evaluate_values(rows))

    rows = value_table(41, 80, 3)
    write("several-values", "three-values", rows, evaluate_table(rows, 3), numValues=3)

    for name, (queries, k, level) in {
        "binary": (judged(51, 25, 30, 1, 1), 10, None),
        "graded": (judged(52, 25, 30, 3, 0.6), 10, None),
        "first-three": (judged(53, 25, 12, 2, 0.6), 3, None),
        "level": (judged(54, 25, 20, 3, 0.6), 10, 2),
        "fractions": ([[[grade / 4 for grade in grades], scores] for grades, scores in judged(55, 10, 15, 4, 0.6)], 5, 0.5),
        "ties": (judged(56, 25, 6, 2, 0.8, steps=3), 3, None),
        "all-equal": ([[grades, [0] * len(grades)] for grades, _ in judged(57, 10, 6, 1, 1)], 2, None),
    }.items():
        rows = evaluate_queries(queries, k, level)
        means = {key: float(numpy.mean([row[key] for row in rows])) for key in ("ndcg", "mrr", "map", "recall", "hitRate")}
        write("ranking", name, rows, means, k=k, relevanceLevel=level)

    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    for name, (seed, kind, k) in {
        "samples-negative": (61, "negative", 10),
        "samples-documents": (62, "documents", 10),
        "samples-documents-first-three": (63, "documents", 3),
    }.items():
        samples, scores = reranking_samples(seed, kind, 30)
        write("samples", name, samples, evaluate_samples(samples, scores, k), k=k, scores=scores)


if __name__ == "__main__":
    main()
