#!/usr/bin/env python3
"""Trains the default model (models/default.md) from prepared Debian package descriptions into a checkpoint folder.
Deterministic on one machine: one thread, fixed seeds. Made with torch 2.13.0, transformers 5.18.0, tokenizers 0.23.2,
scikit-learn 1.9.1, scipy 1.17.1, numpy 2.4.6. Usage: scripts/train-default-model.py DATA OUT
"""
import argparse
import collections
import hashlib
import json
import math
import os
import pathlib
import time
import warnings

# Set before the libraries load: a second thread would change the order of sums, and with it the weights.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse import coo_matrix, csr_matrix, hstack
from scipy.sparse.linalg import svds
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

SEED = 1
VOCAB_SIZE = 7100
ALPHABET_SIZE = 120
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MAX_LENGTH = 128
MAX_PIECES = MAX_LENGTH - 2
# Most of a description's subject is in its first lines: half of the training texts are cut here, which halves the time.
CROP_PIECES = 64
BATCH = 64
WEIGHT_DECAY = 0.05
PRETRAIN_EPOCHS, PRETRAIN_RATE = 3, 1e-3
FINETUNE_EPOCHS, FINETUNE_RATE = 8, 1e-3
# Share of the teacher's distribution in the target; the rest is the label.
TEACHER_SHARE = 0.6
TEACHER_FOLDS = 3
# How often a text is shown as short line + long description, short line alone, long description alone.
FORM_SHARES = (0.4, 0.35, 0.25)
DROPPED_PIECES = 0.05
AVERAGE_DECAY = 0.995
MIN_TAG_COUNT = 40


def read_rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def text_of(row, form):
    """The three texts of one package: 0 short line and long description, 1 short line, 2 long description."""
    if form == 1 or not row["long"]:
        return row["short"]
    return row["long"] if form == 2 else row["short"] + ". " + row["long"]


def fold_of(row, folds):
    """A fold by group, so that a family of packages is never teacher and pupil of itself."""
    return int(hashlib.sha256(("fold" + row["group"]).encode()).hexdigest()[:8], 16) % folds


def train_vocabulary(rows, folder):
    """WordPiece of exactly VOCAB_SIZE entries from the training texts; returns its vocab.txt.

    The trainer numbers single characters in the order of a hash map and breaks ties by number, so that no two runs
    agree. Handing it the characters in sorted order, as if they were special tokens, makes the result repeatable.
    """
    tokenizer = BertWordPieceTokenizer(lowercase=True)
    texts = [tokenizer.normalizer.normalize_str(text_of(r, 0)) for r in rows]
    counts = collections.Counter()
    for text in texts:
        counts.update(text)
    ranked = sorted((c for c in counts if not c.isspace()), key=lambda c: (-counts[c], c))
    alphabet = set(ranked[:ALPHABET_SIZE])
    table = str.maketrans({c: " " for c in ranked[ALPHABET_SIZE:]})
    texts = [text.translate(table) for text in texts]
    chunks = sorted({chunk for text in texts for chunk in text.split()})
    words = [word for chunk in chunks for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(chunk)]
    inner = {c for word in words for c in word[1:]}
    first = [*SPECIAL_TOKENS, *sorted(alphabet), *("##" + c for c in sorted(inner))]
    tokenizer.train_from_iterator(texts, vocab_size=VOCAB_SIZE, min_frequency=2, limit_alphabet=len(alphabet),
                                  special_tokens=first, show_progress=False)
    if tokenizer.get_vocab_size() != VOCAB_SIZE:
        raise SystemExit(f"the texts gave {tokenizer.get_vocab_size()} word pieces, not {VOCAB_SIZE}: too little text")
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    path = folder / "vocab.txt"
    path.write_text("".join(piece + "\n" for piece, _ in pieces), encoding="utf-8")
    return path


def word_vectors(texts, size):
    """Start values of the word embeddings: SVD of positive pointwise mutual information in a window of 8 pieces.

    texts: lists of piece ids. Returns f32[VOCAB_SIZE, size] with a standard deviation of 0.05.
    """
    window = 8
    gap = np.full(window, -1)
    flat = np.concatenate([np.concatenate([t[:400], gap]) for t in texts])
    counts = csr_matrix((VOCAB_SIZE, VOCAB_SIZE))
    for distance in range(1, window + 1):
        a, b = flat[:-distance], flat[distance:]
        both = (a >= 0) & (b >= 0)
        weights = np.full(both.sum(), distance**-0.5)
        counts = counts + coo_matrix((weights, (a[both], b[both])), shape=counts.shape).tocsr()
    counts = (counts + counts.T).tocoo()
    totals = np.asarray(counts.tocsr().sum(1)).ravel()
    # The power 0.75 keeps rare pieces from dominating, as in word2vec's negative sampling.
    smoothed = totals**0.75
    information = np.log(counts.data * smoothed.sum() / (totals[counts.row] * smoothed[counts.col]))
    positive = information > 0
    matrix = csr_matrix((information[positive], (counts.row[positive], counts.col[positive])), shape=counts.shape)
    u, s, _ = svds(matrix, k=size, v0=np.ones(VOCAB_SIZE))
    vectors = u * np.sqrt(s)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors *= np.minimum(1.0, 1.5 * np.median(norms) / np.maximum(norms, 1e-9))
    return torch.tensor(vectors / vectors.std() * 0.05, dtype=torch.float32)


def teacher_probabilities(rows, labels):
    """What TF-IDF + logistic regression, fitted on the other folds, says: f32[3 forms, rows, labels]."""
    folds = np.array([fold_of(r, TEACHER_FOLDS) for r in rows])
    targets = np.array([labels.index(r["section"]) for r in rows])
    result = np.zeros((3, len(rows), len(labels)), dtype=np.float32)
    for k in range(TEACHER_FOLDS):
        seen, unseen = np.flatnonzero(folds != k), np.flatnonzero(folds == k)
        texts = [text_of(rows[i], form) for form in range(3) for i in seen]
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, max_features=150_000, sublinear_tf=True, dtype=np.float32)
        chars = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=4, max_features=80_000,
                                sublinear_tf=True, dtype=np.float32)
        features = hstack([words.fit_transform(texts), chars.fit_transform(texts)]).tocsr()
        with warnings.catch_warnings():
            # Stopping at 40 steps is part of the recipe: the teacher is good enough by then, and slow.
            warnings.simplefilter("ignore", ConvergenceWarning)
            regression = LogisticRegression(C=10, max_iter=40).fit(features, np.tile(targets[seen], 3))
        for form in range(3):
            texts = [text_of(rows[i], form) for i in unseen]
            features = hstack([words.transform(texts), chars.transform(texts)]).tocsr()
            result[form, unseen] = regression.predict_proba(features)
        right = [float((result[f, unseen].argmax(1) == targets[unseen]).mean()) for f in range(3)]
        print(f"teacher fold {k}: accuracy full {right[0]:.4f} short {right[1]:.4f} long {right[2]:.4f}", flush=True)
    return result


class Batches:
    """Draws augmented piece sequences into padded batches of about equal length, all from one random generator."""

    def __init__(self, tokenizer, seed):
        self.rng = np.random.default_rng(seed)
        self.cls, self.sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
        self.starts_word = np.array([not tokenizer.id_to_token(i).startswith("##") for i in range(VOCAB_SIZE)])

    def excerpt(self, pieces, low=8, high=110):
        """A random stretch of a long text, from a word's start, since users write fragments too."""
        length = int(self.rng.integers(low, min(len(pieces), high)))
        begin = int(self.rng.integers(0, len(pieces) - length + 1))
        while begin < len(pieces) - 4 and not self.starts_word[pieces[begin]]:
            begin += 1
        return pieces[begin:begin + length]

    def augmented(self, pieces, form):
        if form == 2 and len(pieces) > 20 and self.rng.random() < 0.6:
            pieces = self.excerpt(pieces)
        if len(pieces) > 6:
            pieces = pieces[self.rng.random(len(pieces)) >= DROPPED_PIECES]
        limit = CROP_PIECES if form != 1 and self.rng.random() < 0.5 else MAX_PIECES
        return pieces[:limit]

    def epoch(self, forms):
        """Yields (row indices, form indices, ids i64[B, T], mask i64[B, T]). forms: three lists of piece arrays."""
        drawn = self.rng.choice(3, size=len(forms[0]), p=FORM_SHARES)
        sequences = [self.augmented(forms[f][i], f) for i, f in enumerate(drawn)]
        order, batches = self.rng.permutation(len(sequences)), []
        for at in range(0, len(order), BATCH * 40):
            # Sorting within 40 batches keeps padding small and the batches still random.
            part = sorted(order[at:at + BATCH * 40], key=lambda i: len(sequences[i]))
            batches += [part[j:j + BATCH] for j in range(0, len(part), BATCH)]
        for b in self.rng.permutation(len(batches)):
            rows = np.array(batches[b])
            length = max(len(sequences[i]) for i in rows) + 2
            ids, mask = np.zeros((len(rows), length), dtype=np.int64), np.zeros((len(rows), length), dtype=np.int64)
            for n, i in enumerate(rows):
                size = len(sequences[i]) + 2
                ids[n, :size] = [self.cls, *sequences[i], self.sep]
                mask[n, :size] = 1
            yield rows, drawn[rows], torch.from_numpy(ids), torch.from_numpy(mask)


class Schedule:
    """AdamW with linear warm-up, cosine decay and gradients clipped to norm 1; decay on matrices only."""

    def __init__(self, parameters, rate, steps):
        self.parameters, self.rate, self.steps, self.done = list(parameters), rate, steps, 0
        self.optimizer = torch.optim.AdamW([
            {"params": [p for p in self.parameters if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
            {"params": [p for p in self.parameters if p.ndim <= 1], "weight_decay": 0.0},
        ], lr=rate, betas=(0.9, 0.98), fused=True)

    def step(self, loss):
        warm = min(1.0, (self.done + 1) / (0.06 * self.steps))
        rate = self.rate * warm * (0.49 * (1 + math.cos(math.pi * self.done / self.steps)) + 0.02)
        for g in self.optimizer.param_groups:
            g["lr"] = rate
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.done += 1


def pretrain(model, batches, rows, forms):
    """Teaches the encoder the sections of all packages, also those that are no label, and their debtags."""
    sections = sorted({r["section"] for r in rows})
    counts = collections.Counter(t for r in rows for t in r["tags"])
    tags = sorted(t for t, n in counts.items() if n >= MIN_TAG_COUNT and not t.endswith("TODO"))
    column = {t: i for i, t in enumerate(tags)}
    section_of = torch.tensor([sections.index(r["section"]) for r in rows])
    tags_of = torch.zeros(len(rows), len(tags))
    for i, r in enumerate(rows):
        tags_of[i, [column[t] for t in r["tags"] if t in column]] = 1.0
    tagged = torch.tensor([float(bool(r["tags"])) for r in rows])
    hidden = model.config.hidden_size
    section_head, tag_head = torch.nn.Linear(hidden, len(sections)), torch.nn.Linear(hidden, len(tags))
    # Tags are rare: starting near "no" saves the first steps.
    tag_head.bias.data.fill_(-4.0)
    print(f"pre-training: {len(rows)} texts, {len(sections)} sections, {len(tags)} tags", flush=True)
    parameters = [*model.bert.parameters(), *section_head.parameters(), *tag_head.parameters()]
    schedule = Schedule(parameters, PRETRAIN_RATE, PRETRAIN_EPOCHS * math.ceil(len(rows) / BATCH))
    model.train()
    for epoch in range(PRETRAIN_EPOCHS):
        begun, losses = time.time(), []
        for picked, _, ids, mask in batches.epoch(forms):
            pooled = F.dropout(model.bert(ids, mask).pooler_output, 0.1)
            section_loss = F.cross_entropy(section_head(pooled), section_of[picked])
            per_text = F.binary_cross_entropy_with_logits(tag_head(pooled), tags_of[picked], reduction="none").sum(1)
            tag_loss = (per_text * tagged[picked]).sum() / tagged[picked].sum().clamp(min=1.0)
            schedule.step(section_loss + 0.3 * tag_loss)
            losses.append((section_loss.item(), tag_loss.item()))
        means = np.mean(losses, axis=0)
        print(f"pre-training epoch {epoch + 1}: section loss {means[0]:.4f}, tag loss {means[1]:.4f}, "
              f"{time.time() - begun:.0f} s", flush=True)


def finetune(model, batches, targets, teacher, forms):
    """Trains the classifier against label and teacher; leaves the running average of the weights in the model."""
    schedule = Schedule(model.parameters(), FINETUNE_RATE, FINETUNE_EPOCHS * math.ceil(len(targets) / BATCH))
    weights = list(model.parameters())
    average = [w.detach().clone() for w in weights]
    model.train()
    for epoch in range(FINETUNE_EPOCHS):
        begun, losses = time.time(), []
        for picked, drawn, ids, mask in batches.epoch(forms):
            log_p = F.log_softmax(model(ids, mask).logits, -1)
            label_loss = F.nll_loss(log_p, targets[picked])
            teacher_loss = -(torch.from_numpy(teacher[drawn, picked]) * log_p).sum(-1).mean()
            loss = (1 - TEACHER_SHARE) * label_loss + TEACHER_SHARE * teacher_loss
            schedule.step(loss)
            decay = min(AVERAGE_DECAY, schedule.done / (9 + schedule.done))
            with torch.no_grad():
                torch._foreach_lerp_(average, weights, 1 - decay)
            losses.append(loss.item())
        print(f"fine-tuning epoch {epoch + 1}: loss {np.mean(losses):.4f}, {time.time() - begun:.0f} s", flush=True)
    with torch.no_grad():
        for weight, mean in zip(weights, average):
            weight.copy_(mean)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=pathlib.Path, help="folder that prepare-debian-descriptions.py wrote")
    parser.add_argument("out", type=pathlib.Path, help="checkpoint folder to write")
    args = parser.parse_args()
    begun = time.time()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    args.out.mkdir(parents=True, exist_ok=True)

    labelled, other = read_rows(args.data / "train.jsonl"), read_rows(args.data / "other.jsonl")
    labels = sorted({r["section"] for r in labelled})
    vocab = train_vocabulary(labelled + other, args.out)
    tokenizer = BertWordPieceTokenizer(str(vocab), lowercase=True)
    rows = labelled + other
    forms = [[np.array(e.ids) for e in tokenizer.encode_batch([text_of(r, f) for r in rows], add_special_tokens=False)]
             for f in range(3)]
    print(f"vocabulary {hashlib.sha256(vocab.read_bytes()).hexdigest()[:16]}, {time.time() - begun:.0f} s", flush=True)

    teacher = teacher_probabilities(labelled, labels)
    print(f"teacher ready, {time.time() - begun:.0f} s", flush=True)
    model = BertForSequenceClassification(BertConfig(
        vocab_size=VOCAB_SIZE, hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=512,
        max_position_embeddings=MAX_LENGTH, type_vocab_size=2, hidden_dropout_prob=0.1,
        # Attention dropout would leave torch's fused CPU attention, for a tenth more time per step.
        attention_probs_dropout_prob=0.0,
        id2label=dict(enumerate(labels)), label2id={label: i for i, label in enumerate(labels)}))
    embeddings = model.bert.embeddings
    embeddings.word_embeddings.weight.data.copy_(word_vectors(forms[0], model.config.hidden_size))
    embeddings.position_embeddings.weight.data.normal_(0.0, 0.01)
    batches = Batches(tokenizer, SEED)
    pretrain(model, batches, rows, forms)
    targets = torch.tensor([labels.index(r["section"]) for r in labelled])
    finetune(model, batches, targets, teacher, [f[:len(labelled)] for f in forms])

    model.eval()
    model.save_pretrained(args.out)
    BertTokenizerFast(str(vocab), do_lower_case=True, model_max_length=MAX_LENGTH).save_pretrained(args.out)
    digest = hashlib.sha256((args.out / "model.safetensors").read_bytes()).hexdigest()
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(labels)} labels, "
          f"model.safetensors sha256 {digest}, {time.time() - begun:.0f} s in all", flush=True)


if __name__ == "__main__":
    main()
