#!/usr/bin/env python3
"""Small T5 and mT5 models that answer a text with one of their labels, MiniCheck among them, with transformers' logits.

    python scripts/make-answering-t5-fixtures.py

Writes test/fixtures/answering-t5/models.json: for each model its configuration, the shapes of its tensors (values are
make-golden.py's function of seed and name), its answers, and rows: a text or a pair, the tokens that are read, and the logits
of the answers' tokens at the decoder's first step. MiniCheck's pairs are a document and a claim, in the text that the package
minicheck makes of them, of at most its 2048 tokens; `support` is its probability, the softmax over its two tokens. It splits
documents of more than 500 words before that, which is not done here. Others read a text, or two as their tokenizer joins
them, cut to its 512 tokens.

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
OUT = ROOT / "test/fixtures/answering-t5"
golden = importlib.import_module("make-golden")
rerankers = importlib.import_module("make-answer-reranker-fixtures")

WORDS = ["▁1", "▁yes", "▁no", "▁maybe"]
LONG = "The rivers of the north run to a cold sea. " * 120
FLAN = {**rerankers.BASE, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
TEXTS = ["Do the rivers of the north run to a cold sea?", " two  spaces\n", "", "1", "ünïcödé 漢字 😀", "a </s> b", LONG]
PAIRS = [["The rivers run to a cold sea.\nIt is far.", "The sea is cold."], ["The rivers run to a cold sea.", "The sea is warm."],
         ["\n a ", "  b\n"], ["1", "0"], ["", "a claim"], ["a </s> b", "c<extra_id_3>d <pad>"], [LONG[:700], "It is so."],
         [LONG, "The sea is cold."], ["A short one.", LONG]]
# name: model_type, configuration, answers' tokens, labels
MODELS = {
    "MiniCheck-Flan-T5-Large": ("t5", FLAN, ["▁", "▁1"], ["unsupported", "supported"]),
    "my-t5": ("t5", rerankers.BASE, ["▁yes", "▁no", "▁maybe"], ["yes", "no", "maybe"]),
    "my-mt5": ("mt5", {**rerankers.BASE, "decoder_start_token_id": 2, "num_decoder_layers": 3}, ["▁no", "<extra_id_1>", "▁"],
               ["no", "<extra_id_1>", "▁"]),
}
UNTIED = ("MiniCheck-Flan-T5-Large", "my-mt5")


def read(tokenizer, name, text):
    if name.startswith("MiniCheck"):
        joined = tokenizer.eos_token.join(text)
        return tokenizer("predict: " + joined, max_length=2048, truncation=True, return_tensors="pt")
    texts = [text] if isinstance(text, str) else text
    return tokenizer(*texts, truncation=True, max_length=512, return_tensors="pt")


def score(folder, name, answers):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder, attn_implementation="eager").eval()
    wanted = [tokenizer.convert_tokens_to_ids(answer) for answer in answers]
    if name.startswith("MiniCheck"):
        # As its code has them, the first token of "0" and that of "1".
        assert [tokenizer("0")["input_ids"][0], tokenizer("1")["input_ids"][0]] == wanted and wanted[0] == 3
    rows = []
    for text in PAIRS if name.startswith("MiniCheck") else TEXTS + PAIRS:
        inputs = read(tokenizer, name, text)
        start = torch.tensor([[network.config.decoder_start_token_id]])
        with torch.inference_mode():
            logits = network(**inputs, decoder_input_ids=start).logits[0, 0, wanted].double()
        row = {"input": text if isinstance(text, str) else {"text": text[0], "textPair": text[1]},
               "ids": inputs["input_ids"][0].tolist(), "logits": [float(f"{x:.9g}") for x in logits]}
        if name.startswith("MiniCheck"):
            row["support"] = float(f"{float(logits.softmax(-1)[1]):.9g}")
        rows.append(row)
    return rows


def main():
    torch.set_num_threads(1)
    tokenizer = rerankers.make_tokenizer(WORDS, -5.0)
    entries = []
    for seed, (name, (model_type, overrides, answers, labels)) in enumerate(MODELS.items(), 1201):
        config = transformers.AutoConfig.for_model(model_type, **overrides)
        network = transformers.AutoModelForSeq2SeqLM.from_config(config)
        model = {"seed": seed, "scales": rerankers.SCALES}
        values = {key: torch.from_numpy(golden.tensor_values(model, key, tuple(tensor.shape)))
                  for key, tensor in network.state_dict().items()
                  if not key.endswith(rerankers.TABLES) and (name in UNTIED or key != "lm_head.weight")}
        config = {**overrides, "model_type": model_type, "architectures": [type(network).__name__]}
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
            (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
            settings = {"tokenizer_class": "T5Tokenizer", "extra_ids": 10}
            (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
            save_file(values, folder / "model.safetensors", metadata={"format": "pt"})
            rows = score(folder, name, answers)
        print(name, "lengths", [len(row["ids"]) for row in rows], "std", torch.tensor([row["logits"] for row in rows]).std(0).tolist())
        entries.append({"name": name, "seed": seed, "config": config, "answers": answers, "labels": labels,
                        "tensors": {key: list(value.shape) for key, value in values.items()}, "rows": rows})
    OUT.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"scales": rerankers.SCALES, "words": WORDS})[:-1] + ', "models": [']
    lines += [",\n".join(json.dumps(entry) for entry in entries), "]}"]
    (OUT / "models.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
