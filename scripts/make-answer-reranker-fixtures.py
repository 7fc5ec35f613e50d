#!/usr/bin/env python3
"""Small monoT5 rerankers, scored as pygaggle scores them with transformers' T5 and mT5, and a small HHEM-2.1.

    python scripts/make-answer-reranker-fixtures.py

Writes test/fixtures/answer-rerankers/models.json: for each model its configuration, the shapes of its tensors (values are
make-golden.py's function of seed and name), its answers, and of every pair the tokens and the two answers' logits after the
decoder's start token. The text is pygaggle's, its tokens at most 512. The tokenizer is T5's of pipelines.json.br with the
answers in the place of its last words; needs Node to unpack it. HHEM's class is code of its checkpoint, which wraps
transformers' T5ForTokenClassification: here that is run on the class's prompt, and the first token's logits are taken.

Made with transformers 5.18.0, tokenizers 0.23.2, torch 2.13.0.
"""
import importlib
import json
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "test/fixtures/answer-rerankers"
golden = importlib.import_module("make-golden")

SCALES = {"embedding": 0.2, "linear": 1.4, "bias": 0.1, "norm": 0.2, "classifier": 4}
ANSWERS = ["▁true", "▁false", "▁yes", "▁no"]
BASE = dict(d_model=64, d_kv=20, d_ff=96, num_layers=3, num_decoder_layers=2, num_heads=3, vocab_size=2560, pad_token_id=0,
            eos_token_id=1, decoder_start_token_id=0)
PAIRS = [
    *golden.reranker_pairs("The rivers of the north run to a cold sea. " * 60),
    ["a </s> b", "c<extra_id_3>d <pad>"],
    ["true", "false"],
]
# Of the first version, whose embeddings are its head, and of later ones, which have one; named as they are published.
MODELS = {
    "monot5-base-msmarco": ("t5", BASE, ANSWERS[:2]),
    "monot5-large-msmarco-10k": ("t5", {**BASE, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}, ANSWERS[:2]),
    "mt5-base-mmarco-v2": ("mt5", {**BASE, "decoder_start_token_id": 2}, ANSWERS[2:]),
    "mt5-tied": ("mt5", {**BASE, "num_decoder_layers": 1}, ANSWERS[2:]),
}
# The sizes of HHEM's configuration are Flan-T5's; what it has besides them.
JUDGE = {"d_model": 64, "d_kv": 16, "d_ff": 96, "num_layers": 3, "num_heads": 3, "vocab_size": 2560,
         "feed_forward_proj": "gated-gelu", "num_labels": 2}
JUDGE_CONFIG = {"architectures": ["HHEMv2ForSequenceClassification"], "model_type": "HHEMv2Config",
                "id2label": {"0": "hallucinated", "1": "consistent"}}
PROMPT = "<pad> Determine if the hypothesis is true given the premise?\n\nPremise: {text1}\n\nHypothesis: {text2}"
JUDGED_CHARACTERS = 700
UNTIED = ("monot5-large-msmarco-10k", "mt5-base-mmarco-v2")
TABLES = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight")


def make_tokenizer(words, score=None):
    """T5's, whose last words before the sentinels are these; `score`: of each, by default that of the word before."""
    tokenizer = golden.pipeline_tokenizer("t5")
    vocabulary = tokenizer["model"]["vocab"]
    first = next(i for i, (token, _) in enumerate(vocabulary) if token.startswith("<extra_id_")) - len(words)
    for i, word in enumerate(words, first):
        vocabulary[i] = [word, vocabulary[i][1] if score is None else score]
    return tokenizer


def score(folder, answers):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder, attn_implementation="eager").eval()
    wanted = [tokenizer.convert_tokens_to_ids(answer) for answer in answers]
    rows = []
    for query, document in PAIRS:
        inputs = tokenizer(f"Query: {query} Document: {document} Relevant:", truncation=True, max_length=512, return_tensors="pt")
        start = torch.tensor([[network.config.decoder_start_token_id]])
        with torch.inference_mode():
            logits = network(**inputs, decoder_input_ids=start).logits[0, 0, wanted].double()
        rows.append({"ids": inputs["input_ids"][0].tolist(), "logits": [float(f"{x:.9g}") for x in logits]})
    return rows


def make_judge(folder, seed):
    network = transformers.T5ForTokenClassification(transformers.T5Config(**JUDGE))
    network.config._attn_implementation = "eager"
    model = {"seed": seed, "scales": SCALES}
    values = {key: torch.from_numpy(golden.tensor_values(model, f"t5.{key}", tuple(tensor.shape)))
              for key, tensor in network.state_dict().items() if not key.endswith(TABLES)}
    missing, unexpected = network.load_state_dict(values, strict=False)
    assert not unexpected and all(key.endswith(TABLES) for key in missing), (missing, unexpected)
    network.tie_weights()
    network.eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    rows = []
    for premise, hypothesis in ([text[:JUDGED_CHARACTERS] for text in pair] for pair in PAIRS):
        inputs = tokenizer(PROMPT.format(text1=premise, text2=hypothesis), return_tensors="pt")
        with torch.inference_mode():
            logits = network(**inputs).logits[0, 0].double()
        rows.append({"ids": inputs["input_ids"][0].tolist(), "logits": [float(f"{x:.9g}") for x in logits]})
    print("judge lengths", [len(row["ids"]) for row in rows], "std", torch.tensor([row["logits"] for row in rows]).std(0))
    tensors = {f"t5.{key}": list(value.shape) for key, value in values.items()}
    return {"name": "judge", "seed": seed, "config": JUDGE_CONFIG, "tensors": tensors, "rows": rows}


def main():
    torch.set_num_threads(1)
    tokenizer = make_tokenizer(ANSWERS)
    entries, judge = [], None
    for seed, (name, (model_type, overrides, answers)) in enumerate(MODELS.items(), 501):
        config = transformers.AutoConfig.for_model(model_type, **overrides)
        network = transformers.AutoModelForSeq2SeqLM.from_config(config)
        model = {"seed": seed, "scales": SCALES}
        values = {key: torch.from_numpy(golden.tensor_values(model, key, tuple(tensor.shape)))
                  for key, tensor in network.state_dict().items()
                  if not key.endswith(TABLES) and (name in UNTIED or key != "lm_head.weight")}
        # As the checkpoints have it: what transformers makes of the two settings is not theirs.
        config = {**overrides, "model_type": model_type, "architectures": [type(network).__name__]}
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
            (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
            settings = {"tokenizer_class": "T5Tokenizer", "extra_ids": 10}
            (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
            save_file(values, folder / "model.safetensors", metadata={"format": "pt"})
            rows = score(folder, answers)
            judge = judge or make_judge(folder, 599)
        differences = torch.tensor([row["logits"][0] - row["logits"][1] for row in rows])
        print(name, "lengths", [len(row["ids"]) for row in rows], "std", float(differences.std()), flush=True)
        entries.append({"name": name, "seed": seed, "config": config, "answers": answers,
                        "tensors": {key: list(value.shape) for key, value in values.items()}, "rows": rows})
    OUT.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"scales": SCALES, "words": ANSWERS, "pairs": PAIRS, "judge": judge})[:-1] + ', "models": [']
    lines += [",\n".join(json.dumps(entry) for entry in entries), "]}"]
    (OUT / "models.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
