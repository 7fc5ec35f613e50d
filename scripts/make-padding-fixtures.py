#!/usr/bin/env python3
"""Makes test/fixtures/padding: tiny classifiers whose texts hold the token that their positions do not count.

Versions that made the committed files: torch 2.13.0 (CPU), transformers 5.18.0, safetensors 0.8.0.
"""
import json
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parent.parent / "test/fixtures/padding"
VOCABULARY = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]", "the", "moon", "rocket", "is", "new", "##s", "."]
TEXTS = ["the moon is new", "[PAD] the [PAD] [PAD] moon is new.", "rockets [PAD]", "the the the rockets", "[PAD]" * 12]
SIZES = dict(vocab_size=len(VOCABULARY), hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2,
             max_position_embeddings=24)
# A pad_token_id that is a word's, as where a model was made with the default of its class and a vocabulary of its own.
CASES = {
    "roberta": dict(model_type="roberta", type_vocab_size=1, pad_token_id=1),
    "roberta-word": dict(model_type="roberta", type_vocab_size=1, pad_token_id=VOCABULARY.index("the")),
    "longformer": dict(model_type="longformer", type_vocab_size=1, pad_token_id=1, attention_window=4),
    "mpnet": dict(model_type="mpnet", pad_token_id=1),
}


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for seed, (name, settings) in enumerate(CASES.items()):
        folder = OUT / name
        folder.mkdir(parents=True)
        torch.manual_seed(seed)
        config = transformers.AutoConfig.for_model(**SIZES, **settings)
        network = transformers.AutoModelForSequenceClassification.from_config(config).eval()
        for parameter, value in network.named_parameters():
            with torch.no_grad():
                value.normal_(1.0 if "norm" in parameter.lower() and parameter.endswith("weight") else 0.0, 0.5)
        saved = {"architectures": [type(network).__name__], **SIZES, **settings}
        (folder / "config.json").write_text(json.dumps(saved, indent=1) + "\n")
        (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in VOCABULARY))
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}) + "\n")
        state = {key: value.contiguous() for key, value in network.state_dict().items()}
        save_file(state, folder / "model.safetensors", {"format": "pt"})
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        rows = []
        for text in TEXTS:
            with torch.inference_mode():
                logits = network(**tokenizer(text, return_tensors="pt")).logits[0].tolist()
            rows.append(json.dumps({"text": text, "logits": [float(f"{value:.9g}") for value in logits]}))
        (folder / "logits.json").write_text("[\n" + ",\n".join(rows) + "\n]\n")


if __name__ == "__main__":
    main()
