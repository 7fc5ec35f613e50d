#!/usr/bin/env python3
"""Makes a checkpoint of exactly the shape of Llama-3.2-1B with random weights, for scripts/check-full-size.mjs.

Usage: python scripts/make-full-size-checkpoint.py {tokenizer|weights|logits|all} FOLDER
1,235,818,496 parameters as bf16 and a byte-level BPE trained on this machine's text, with Llama 3's pattern and special
tokens; what that text lacks of 128,000 entries stays unused. `logits` runs transformers in float32 on the same weights and
writes transformers.json. Takes 2.5 GB of disk and 8 GB of memory.
Versions that made the published figures: torch 2.13.0, transformers 5.18.0, tokenizers 0.23.2, numpy 2.4.6.
"""
import importlib
import json
import pathlib
import struct
import sys
import time

import numpy

from tokenizer_pipelines import CL100K

VOCABULARY, BASE_TOKENS, SPECIAL_TOKENS = 128256, 128000, 256
HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD, INNER, LABELS = 2048, 16, 32, 8, 64, 8192, 2
PAD = "<|finetune_right_pad_id|>"
NAMED = {0: "<|begin_of_text|>", 1: "<|end_of_text|>", 4: PAD, 6: "<|start_header_id|>", 7: "<|end_header_id|>", 9: "<|eot_id|>"}
LENGTH = 512


def special_tokens():
    return [NAMED.get(index, f"<|reserved_special_token_{index}|>") for index in range(SPECIAL_TOKENS)]


def lines():
    """Messages and descriptions in many languages, then Python sources: Llama 3's vocabulary is as mixed."""
    yield from importlib.import_module("make-tokenizer-fixtures").corpus()
    for path in sorted(pathlib.Path("/usr/lib/python3").rglob("*.py")):
        yield from path.read_text("utf-8", "ignore").split("\n")


def make_tokenizer(folder):
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(CL100K), "isolated", False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=BASE_TOKENS, min_frequency=2, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(lines(), trainer)
    print(f"{tokenizer.get_vocab_size()} of {BASE_TOKENS} tokens trained", flush=True)
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special_tokens()])
    begin = NAMED[0]
    template = processors.TemplateProcessing(single=f"{begin}:0 $A:0", pair=f"{begin}:0 $A:0 {begin}:1 $B:1",
                                             special_tokens=[(begin, tokenizer.token_to_id(begin))])
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=begin, eos_token=NAMED[1], pad_token=PAD,
                            model_max_length=131072).save_pretrained(folder)


def configuration(folder):
    from transformers import AutoTokenizer, LlamaConfig

    tokenizer = AutoTokenizer.from_pretrained(folder)
    scaling = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
    return LlamaConfig(
        architectures=["LlamaForSequenceClassification"], vocab_size=VOCABULARY, hidden_size=HIDDEN,
        num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, head_dim=HEAD,
        intermediate_size=INNER, max_position_embeddings=131072, rms_norm_eps=1e-5, rope_parameters=scaling,
        tie_word_embeddings=True, num_labels=LABELS, dtype="bfloat16", bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)


def tensors():
    """Name, shape and standard deviation. Rows of unit gain, so that every layer moves the logits; None: around one."""
    gain = lambda columns: columns**-0.5
    kv = KV_HEADS * HEAD
    yield "model.embed_tokens.weight", (VOCABULARY, HIDDEN), 0.5
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        yield prefix + "input_layernorm.weight", (HIDDEN,), None
        yield prefix + "post_attention_layernorm.weight", (HIDDEN,), None
        for name, rows in (("q", HIDDEN), ("k", kv), ("v", kv), ("o", HIDDEN)):
            yield f"{prefix}self_attn.{name}_proj.weight", (rows, HIDDEN), gain(HIDDEN)
        yield prefix + "mlp.gate_proj.weight", (INNER, HIDDEN), gain(HIDDEN)
        yield prefix + "mlp.up_proj.weight", (INNER, HIDDEN), gain(HIDDEN)
        yield prefix + "mlp.down_proj.weight", (HIDDEN, INNER), gain(INNER)
    yield "model.norm.weight", (HIDDEN,), None
    yield "score.weight", (LABELS, HIDDEN), gain(HIDDEN)


def to_bf16(values):
    bits = values.view(numpy.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(numpy.uint16)


def make_weights(folder):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape, _ in tensors():
        size = 2 * int(numpy.prod(shape))
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    generator = numpy.random.default_rng(20261122)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, shape, deviation in tensors():
            values = generator.standard_normal(shape, dtype=numpy.float32)
            to_bf16(1 + numpy.float32(0.1) * values if deviation is None else numpy.float32(deviation) * values).tofile(file)
    configuration(folder).save_pretrained(folder)
    print(f"{offset // 2} parameters", flush=True)


def inputs(tokenizer):
    """Texts of exactly LENGTH tokens, short ones, and some that end in padding, which the head must look past."""
    golden = importlib.import_module("make-golden")
    texts, _ = golden.make_texts()
    long = []
    words = " ".join(texts).split()
    for start in (0, 700):
        count = 400
        while len(tokenizer(" ".join(words[start:start + count]))["input_ids"]) < LENGTH:
            count += 1
        ids = tokenizer(" ".join(words[start:start + count]))["input_ids"]
        # Cut among ASCII, or the text is not what its first tokens say.
        text = tokenizer.decode(ids[1:LENGTH])
        while len(tokenizer(text)["input_ids"]) > LENGTH:
            text = text[:-1]
        while len(tokenizer(text)["input_ids"]) < LENGTH:
            text += " a"
        long.append(text)
    short = [text for text in texts if 0 < len(text) < 300][:12]
    return long + short + [short[0] + PAD, short[1] + 3 * PAD, PAD + short[2]]


def make_logits(folder):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    texts = inputs(tokenizer)
    rows, lengths = [], []
    with torch.inference_mode():
        for text in texts:
            encoding = tokenizer(text, return_tensors="pt")
            start = time.time()
            rows.append([float(f"{value:.9g}") for value in model(**encoding).logits[0].double().tolist()])
            lengths.append(encoding["input_ids"].shape[1])
            print(f"{lengths[-1]} tokens, {time.time() - start:.1f} s: {rows[-1]}", flush=True)
        batch = tokenizer(texts[2:8], return_tensors="pt", padding=True)
        padded = model(**batch).logits.double()
    difference = float((padded - torch.tensor(rows[2:8], dtype=torch.float64)).abs().max())
    print(f"transformers' own padded batch differs by {difference:.2g}", flush=True)
    result = {"texts": texts, "tokens": lengths, "logits": rows}
    (folder / "transformers.json").write_text(json.dumps(result), encoding="utf-8")


def main():
    step, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, run in (("tokenizer", make_tokenizer), ("weights", make_weights), ("logits", make_logits)):
        if step in (name, "all"):
            run(folder)


if __name__ == "__main__":
    main()
