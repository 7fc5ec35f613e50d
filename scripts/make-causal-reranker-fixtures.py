#!/usr/bin/env python3
"""Small causal language models as rerankers, with the scores that sentence-transformers' CrossEncoder gives them.

    python scripts/make-causal-reranker-fixtures.py

Writes test/fixtures/causal-rerankers/: tokenizer.json (byte-level BPE, trained on the golden sentences) and models.json:
for each model its configuration, the shapes of its tensors (values are make-golden.py's function of seed and name), the
other files by path, and for each call, a list of pairs with a prompt or none, tokens and scores of CrossEncoder.predict.

Made with sentence-transformers 6.0.1, transformers 5.18.0, tokenizers 0.23.2, torch 2.13.0.
"""
import importlib
import json
import shutil
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from sentence_transformers import CrossEncoder
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "test/fixtures/causal-rerankers"
golden = importlib.import_module("make-golden")

SCALES = {"embedding": 0.2, "linear": 2.2, "bias": 0.1, "norm": 0.2, "classifier": 4}
CONTROL = ["<|end|>", "<|turn|>", "<|stop|>", "<|begin|>"]
ORDINARY = ["<think>", "</think>"]
QWEN_WORDS = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
              r"|\s+(?!\S)|\s+")

PAIRS = [
    *golden.reranker_pairs("The rivers of the north run to a cold sea. " * 30),
    ["a <|stop|> b", "c<|turn|>system\nd<|end|>"],
    ["<think>why</think>", "{{ messages }} {% if x %} <b>&amp;</b>"],
    ["yes", "no"],
]
# Its last constant text joins with what stands before it; the prompt stands between the texts of the system's turn.
TURNS = """{%- set default = "Find passages that answer the query." -%}
<|turn|>system
{{ messages | selectattr("role", "eq", "system") | map(attribute="content") | first | default(default) }}
Answer yes or no.<|stop|>
{% for message in messages if message.role in ["query", "document"] %}
<|turn|>{{ message.role }}
{{ message.content }}<|stop|>
{% endfor %}
<|turn|>answer
{%- if add_generation_prompt %}

<think>

</think>

{% endif %}
"""
PARTS = """{{ bos_token }}{%- for m in messages -%}
{%- if m.role == "query" %}Query: {{ m.content[0].text }}
{%- elif m.role == "document" %}
Document: {{ m["content"][0]["text"] }}
{%- endif %}
{%- endfor %}
{%- if messages[0].role == "system" %}

Note: {{ messages[0].content[0].text }}{% endif %} relevant?
"""
# The document's end may join with the line break behind it.
OPEN_END = """{% for m in messages %}{{ m.role }}: {{ m.content }}
{% endfor %}"""
NO_PROMPT = """{% if messages[0].role == "system" %}{{ raise_exception("no system turn") }}{% endif -%}
<|turn|>{{ messages[0].content }}<|stop|>{{ messages[1].content }}<|stop|>{{ messages[0]["content"] }} ="""

BASE = dict(hidden_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=64,
            max_position_embeddings=96, bos_token_id=None, eos_token_id=None, pad_token_id=None)
QWEN3 = {**BASE, "head_dim": 16, "tie_word_embeddings": True}
QWEN35 = {**BASE, "head_dim": 16, "partial_rotary_factor": 0.5, "linear_num_key_heads": 2, "linear_num_value_heads": 4,
          "linear_key_head_dim": 12, "linear_value_head_dim": 12, "layer_types": ["linear_attention", "full_attention"]}
LFM2 = {**BASE, "num_hidden_layers": 3, "block_multiple_of": 24, "layer_types": ["conv", "full_attention", "conv"]}
# Of a model that reads pictures, too, the part that does; its weights are not read.
VISION = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 48, "patch_size": 14,
          "num_position_embeddings": 4}
CAPPED = {**BASE, "head_dim": 16, "sliding_window": 20, "attn_logit_softcapping": 5.0}
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"},
    {"idx": 1, "name": "1", "path": "1_LogitScore",
     "type": "sentence_transformers.cross_encoder.modules.logit_score.LogitScore"},
]
LOGITS = {"method": "forward", "method_output_name": "logits"}


def folder_files(score, modality=None, settings=None, **transformer):
    task = {"transformer_task": "text-generation", **transformer}
    if modality is not None:
        task |= {"modality_config": modality, "module_output_name": "causal_logits"}
    return {
        "modules.json": MODULES,
        "1_LogitScore/config.json": score,
        "sentence_bert_config.json": task,
        "config_sentence_transformers.json": {"model_type": "CrossEncoder", **(settings or {})},
    }


def cases(ids):
    yes, no, zero = ids["yes"], ids["no"], ids["0"]
    messages = {"text": LOGITS, "message": {**LOGITS, "format": "flat"}}
    parts = {"text": LOGITS, "message": {**LOGITS, "format": "structured"}}
    scored = {"true_token_id": yes, "false_token_id": no, "module_input_name": "causal_logits"}
    return {
        "qwen3-turns": ("qwen3", QWEN3, {"chat_template.jinja": TURNS}, [None, "Judge the passage."]),
        "qwen3-texts": ("qwen3", QWEN3, {}, [None, "Instruct: "]),
        "qwen2-parts": ("qwen2", {**BASE, "tie_word_embeddings": False}, {"tokenizer": {"chat_template": PARTS}},
                        [None, "  Judge: <|stop|> it\n"]),
        "llama-open-end": ("llama", {**BASE, "tie_word_embeddings": True}, {"chat_template.jinja": OPEN_END},
                           [None, "a prompt"]),
        "llama-texts": ("llama", BASE, {}, [None]),
        "qwen3-no-prompt": ("qwen3", QWEN3, {"chat_template.jinja": NO_PROMPT}, [None]),
        "qwen3-saved": ("qwen3", QWEN3, {
            "chat_template.jinja": TURNS,
            **folder_files(scored, messages, {"prompts": {"web": "Judge the page.", "none": ""},
                                              "default_prompt_name": "web",
                                              "activation_fn": "torch.nn.modules.linear.Identity"},
                           processing_kwargs={"chat_template": {"add_generation_prompt": True}})},
            [None, "", "Another prompt"]),
        "qwen2-saved-texts": ("qwen2", {**BASE, "tie_word_embeddings": True}, {
            "chat_template.jinja": TURNS, **folder_files({"true_token_id": zero, "false_token_id": None})}, [None, "p "]),
        "qwen2-saved-parts": ("qwen2", BASE, {
            "chat_template.jinja": PARTS,
            **folder_files({"true_token_id": no, "false_token_id": zero}, parts, max_seq_length=48,
                           processing_kwargs={"chat_template": {"restore_suffix": False}})}, [None, "prompt"]),
        "mistral-saved-turns": ("mistral", {**BASE, "sliding_window": 20}, {
            "chat_template.jinja": TURNS, **folder_files(scored, messages, max_seq_length=64)}, [None, "Judge."]),
        "gemma-texts": ("gemma", {**BASE, "head_dim": 16, "tie_word_embeddings": False}, {}, [None, "p "]),
        "gemma3-saved-turns": ("gemma3_text", {**BASE, "head_dim": 16, "sliding_window": 20, "sliding_window_pattern": 2}, {
            "chat_template.jinja": TURNS, **folder_files(scored, messages)}, [None, "Judge."]),
        "phi3-turns": ("phi3", BASE, {"chat_template.jinja": TURNS}, [None, "Judge."]),
        "smollm3-texts": ("smollm3", {**BASE, "no_rope_layer_interval": 2}, {}, [None, "p "]),
        # Caps low enough to bend the logits.
        "gemma2-turns": ("gemma2", {**CAPPED, "final_logit_softcapping": 2.0}, {"chat_template.jinja": TURNS}, [None, "Judge."]),
        "gemma2-saved-one-token": ("gemma2", {**CAPPED, "final_logit_softcapping": 3.0}, {
            "chat_template.jinja": TURNS, **folder_files({"true_token_id": zero, "false_token_id": None})}, [None, "p "]),
        "gemma3-capped": ("gemma3_text", {**BASE, "head_dim": 16, "sliding_window": 20, "final_logit_softcapping": 2.5}, {},
                          [None, "p "]),
        "granite-texts": ("granite", {**BASE, "embedding_multiplier": 12.0, "residual_multiplier": 0.22,
                                      "attention_multiplier": 0.1, "logits_scaling": 0.5, "rms_norm_eps": 1e-5}, {},
                          [None, "p "]),
        "olmo2-texts": ("olmo2", BASE, {}, [None, "p "]),
        "hunyuan-turns": ("hunyuan_v1_dense", QWEN3, {"chat_template.jinja": TURNS}, [None, "Judge."]),
        "glm4-texts": ("glm4", {**BASE, "head_dim": 12}, {}, [None, "p "]),
        "qwen3.5-turns": ("qwen3_5_text", QWEN35, {"chat_template.jinja": TURNS}, [None, "Judge."]),
        "qwen3.5-pictures": ("qwen3_5", {"text_config": {**QWEN35, "tie_word_embeddings": True}, "vision_config": VISION,
                                         "tie_word_embeddings": True}, {"chat_template.jinja": TURNS}, [None, "Judge."]),
        "lfm2-texts": ("lfm2", LFM2, {}, [None, "p "]),
        "lfm2-saved-biases": ("lfm2", {**LFM2, "conv_bias": True, "conv_L_cache": 4, "tie_word_embeddings": False,
                                       "layer_types": ["full_attention", "conv", "full_attention"]}, {
            "chat_template.jinja": TURNS, **folder_files(scored, messages)}, [None, "Judge."]),
        # transformers has no cache for layers of this kind alone.
        "lfm2-convolutions": ("lfm2", {**LFM2, "layer_types": ["conv"] * 3, "conv_L_cache": 4, "use_cache": False,
                                       "block_auto_adjust_ff_dim": False}, {"chat_template.jinja": OPEN_END}, [None, "p "]),
    }


def train_tokenizer(more=()):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(__import__("tokenizers").Regex(QWEN_WORDS), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    lines = (golden.GOLDEN / "sentences.txt").read_text(encoding="utf-8").split("\n")
    trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  special_tokens=CONTROL)
    tokenizer.train_from_iterator(lines + ["yes", "no", "x\n\n\n", *more] * 200, trainer)
    tokenizer.add_tokens(ORDINARY)
    begin = tokenizer.token_to_id("<|begin|>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|begin|> $A", pair="<|begin|> $A <|begin|> $B", special_tokens=[("<|begin|>", begin)])
    return tokenizer


def tokenizer_files(tokenizer, model_type, settings):
    content = json.loads(tokenizer.to_str())
    if model_type.startswith("qwen"):
        content["post_processor"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    config = {"tokenizer_class": "Qwen2Tokenizer" if model_type.startswith("qwen") else "PreTrainedTokenizerFast",
              "eos_token": "<|end|>", "pad_token": "<|end|>", "bos_token": "<|begin|>", "model_max_length": 80, **settings}
    return {"tokenizer.json": content, "tokenizer_config.json": config}


def write(folder, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def measure(folder, prompts, model_type):
    # Other implementations of attention leave Gemma 2's cap out.
    attention = {"attn_implementation": "eager"} if model_type == "gemma2" else {}
    # HunYuan's norms stand behind the rotation, so that padding before a text, which moves it, changes its score; and so
    # does padding that a convolution with biases reads.
    size = 1 if model_type in ("hunyuan_v1_dense", "lfm2") else 5
    encoder = CrossEncoder(str(folder), device="cpu", model_kwargs=attention)
    result = {"activation": type(encoder.activation_fn).__name__.lower(), "maxLength": encoder.max_seq_length, "calls": []}
    for prompt in prompts:
        features = encoder.preprocess(PAIRS, prompt=encoder._resolve_prompt(prompt, None))
        mask = features["attention_mask"]
        ids = [row[keep.bool()].tolist() for row, keep in zip(features["input_ids"], mask)]
        scores = encoder.predict(PAIRS, prompt=prompt, activation_fn=torch.nn.Identity(), batch_size=size)
        print(folder.name, prompt, "lengths", [len(row) for row in ids], "std", float(scores.std()), flush=True)
        result["calls"].append({"prompt": prompt, "ids": ids, "logits": [float(f"{x:.9g}") for x in scores]})
    return result


def main():
    torch.set_num_threads(1)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    tokenizer = train_tokenizer()
    (OUT / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    ids = {word: tokenizer.token_to_id(word) for word in ("yes", "no", "0")}
    assert None not in ids.values(), ids
    entries = []
    for seed, (name, (model_type, config, files, prompts)) in enumerate(cases(ids).items(), 301):
        files = dict(files)
        tokenizer_settings = files.pop("tokenizer", {})
        vocabulary = {"vocab_size": tokenizer.get_vocab_size() + 3}
        if "text_config" in config:
            config = transformers.AutoConfig.for_model(model_type, **{**config, "text_config": {**config["text_config"], **vocabulary}})
            network = transformers.AutoModelForImageTextToText.from_config(config).eval()
        else:
            config = transformers.AutoConfig.for_model(model_type, **vocabulary, **config)
            network = transformers.AutoModelForCausalLM.from_config(config).eval()
        model = {"seed": seed, "scales": SCALES}
        values = {key: torch.from_numpy(golden.tensor_values(model, key, tuple(tensor.shape)))
                  for key, tensor in network.state_dict().items()
                  if not (config.tie_word_embeddings and key == "lm_head.weight") and not key.startswith("model.visual.")}
        config = {**config.to_diff_dict(), "architectures": [type(network).__name__], "model_type": model_type}
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / name
            folder.mkdir()
            own = tokenizer_files(tokenizer, model_type, tokenizer_settings)
            # sentence-transformers wants what makes pictures into tokens beside a model that reads them; this is its text.
            text = {**config.get("text_config", {}), "architectures": ["Qwen3_5ForCausalLM"], "model_type": "qwen3_5_text"}
            write(folder, {"config.json": text if "text_config" in config else config, **own, **files})
            save_file(values, folder / "model.safetensors", metadata={"format": "pt"})
            expected = measure(folder, prompts, model_type)
        entries.append({"name": name, "seed": seed, "config": config,
                        "tensors": {key: list(value.shape) for key, value in values.items()},
                        "tokenizerConfig": own["tokenizer_config.json"],
                        "postProcessor": own["tokenizer.json"]["post_processor"], "files": files, "expected": expected})
    lines = [json.dumps({"scales": SCALES, "pairs": PAIRS})[:-1] + ', "models": [']
    lines += [",\n".join(json.dumps(entry) for entry in entries), "]}"]
    (OUT / "models.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
