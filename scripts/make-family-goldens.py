#!/usr/bin/env python3
"""Makes test/golden/families.json: logits of Python transformers for one small checkpoint or more of every family.

Versions that made the committed file: torch 2.13.0 (CPU), transformers 5.18.0, tokenizers 0.23.2.
Weights are not stored: they come from make-golden.py's function of seed, name and index, rounded to bf16, so that a
checkpoint stored as F32, F16 or BF16 is the same model. The names and shapes of its tensors are stored. Needs Node for
the tokenizers of test/fixtures/tokenizers/pipelines.json.br. With names of families as arguments those are made, and what
is new; the others are kept.
"""
import importlib
import itertools
import json
import re
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from jina_bert_reference import JinaBertForSequenceClassification
from llama_bidirectional_reference import LlamaBidirectionalForSequenceClassification
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, normalizers

golden = importlib.import_module("make-golden")

NUM_TEXTS, NUM_PAIRS = 28, 14
SCALES = {"embedding": 0.2, "linear": 2.2, "bias": 0.1, "norm": 0.2, "classifier": 4}
# Where no norm keeps what many layers make of them from growing.
OWN_SCALES = {"mobilebert": {"linear": 1.4}, **{name: {"linear": 1.6} for name in ("t5", "t5-gated", "t5-silu", "mt5", "umt5")}}
UNKNOWN = 1

BASE = dict(hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=80, vocab_size=7100,
            max_position_embeddings=512)
ROBERTA = {**BASE, "max_position_embeddings": 514, "pad_token_id": 1, "type_vocab_size": 1}
DECODER = {**BASE, "num_key_value_heads": 2, "pad_token_id": 0}
DEBERTA = {**BASE, "relative_attention": True, "type_vocab_size": 0}
MODERNBERT = {**BASE, "num_hidden_layers": 4, "local_attention": 16, "pad_token_id": 0, "bos_token_id": 2,
              "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
# Two segments, so that pairs differ from texts; positions turn fast enough to tell the far from the near.
ROTARY = {**BASE, "type_vocab_size": 2, "pad_token_id": 0, "rope_parameters": {"rope_type": "default", "rope_theta": 100.0}}
EUROBERT = {**DECODER, "bos_token_id": 2, "eos_token_id": 3, "mask_token_id": 4}
THETA_100 = {"rope_type": "default", "rope_theta": 100.0}
NEOX = {**BASE, "vocab_size": 2502, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
OPT = {**BASE, "ffn_dim": 80, "word_embed_proj_dim": 48, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
BLOOM = dict(hidden_size=48, n_layer=3, vocab_size=7100, seq_length=512, pad_token_id=0, bos_token_id=2, eos_token_id=3)
GPT2 = dict(n_embd=48, n_layer=3, n_head=4, n_positions=512, vocab_size=2501, pad_token_id=None, bos_token_id=0,
            eos_token_id=0)
GEMMA3 = {**DECODER, "head_dim": 24, "sliding_window": 20, "sliding_window_pattern": 2, "query_pre_attn_scalar": 30}
MOBILEBERT = {**BASE, "hidden_size": 64, "embedding_size": 24, "intra_bottleneck_size": 32, "num_feedforward_networks": 3,
              "classifier_activation": False, "hidden_act": "relu", "pad_token_id": 0}
JINA_BERT = {**BASE, "position_embedding_type": "alibi", "type_vocab_size": 2, "pad_token_id": 0}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}

YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "original_max_position_embeddings": 64}
LONGROPE = {**DECODER, "num_attention_heads": 3, "num_key_value_heads": 1, "original_max_position_embeddings": 48,
            "bos_token_id": 2, "eos_token_id": 3}

# Encoders with a decoder, wide enough for the types in blocks; [CLS] and [SEP] of the tokenizer are their bos and eos.
BART = dict(d_model=64, encoder_layers=3, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=2,
            encoder_ffn_dim=96, decoder_ffn_dim=64, vocab_size=7100, max_position_embeddings=512, pad_token_id=0,
            bos_token_id=2, eos_token_id=3, decoder_start_token_id=3, forced_eos_token_id=3)
# mBART's decoder reads the text's last token first; [SEP] in place of that, or the code of a language.
MBART = {**{key: value for key, value in BART.items() if key != "decoder_start_token_id"}, "encoder_layers": 2}
# The vocabulary of XLM-RoBERTa's tokenizer with the codes of the languages in it.
MBART_LANGUAGES = {**MBART, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "forced_eos_token_id": 2,
                   "scale_embedding": True}
# Heads of another size than the hidden size shared out among them; texts are longer than the far bucket begins.
T5 = dict(d_model=48, d_kv=20, d_ff=80, num_layers=3, num_decoder_layers=2, num_heads=3, vocab_size=2560, pad_token_id=0,
          eos_token_id=1, decoder_start_token_id=0)

FAMILIES = {
    "roberta": ("roberta", ROBERTA),
    "xlm-roberta": ("xlm-roberta", ROBERTA),
    "camembert": ("camembert", ROBERTA),
    "electra": ("electra", {**BASE, "embedding_size": 48}),
    "electra-projected": ("electra", {**BASE, "embedding_size": 24}),
    "albert": ("albert", {**BASE, "embedding_size": 16}),
    "albert-groups": ("albert", {**BASE, "embedding_size": 16, "num_hidden_layers": 4, "num_hidden_groups": 2}),
    "mpnet": ("mpnet", {**BASE, "max_position_embeddings": 514}),
    "deberta-v3": ("deberta-v2", {**DEBERTA, "position_buckets": 16, "norm_rel_ebd": "layer_norm", "share_att_key": True,
                                  "pos_att_type": ["p2c", "c2p"], "position_biased_input": False}),
    "deberta-own-keys": ("deberta-v2", {**DEBERTA, "pos_att_type": ["p2c", "c2p"], "max_relative_positions": 30}),
    "deberta-c2p": ("deberta-v2", {**DEBERTA, "pos_att_type": ["c2p"], "type_vocab_size": 2}),
    "deberta-p2c": ("deberta-v2", {**DEBERTA, "pos_att_type": ["p2c"], "position_buckets": 8}),
    "deberta-absolute": ("deberta-v2", {**DEBERTA, "relative_attention": False, "pos_att_type": ["p2c", "c2p"]}),
    "modernbert-mean": ("modernbert", {**MODERNBERT, "classifier_pooling": "mean"}),
    "modernbert-biases": ("modernbert", {**MODERNBERT, "classifier_pooling": "cls", "norm_bias": True, "mlp_bias": True,
                                         "attention_bias": True, "classifier_bias": True}),
    "llama": ("llama", {**DECODER, "rope_parameters": LLAMA3}),
    "llama-biases": ("llama", {**DECODER, "attention_bias": True, "mlp_bias": True, "pad_token_id": 3}),
    "mistral": ("mistral", {**DECODER, "sliding_window": 20}),
    "qwen2": ("qwen2", DECODER),
    "qwen2-window": ("qwen2", {**DECODER, "use_sliding_window": True, "sliding_window": 12, "max_window_layers": 1}),
    "qwen3": ("qwen3", {**DECODER, "head_dim": 32}),
    "gemma2": ("gemma2", {**DECODER, "head_dim": 24, "sliding_window": 20, "query_pre_attn_scalar": 30,
                          "attn_logit_softcapping": 5.0}),
    "deberta": ("deberta", {**DEBERTA, "pos_att_type": "c2p|p2c", "position_biased_input": False}),
    "deberta-c2p-segments": ("deberta", {**DEBERTA, "pos_att_type": ["c2p"], "type_vocab_size": 2,
                                         "max_relative_positions": 20}),
    "bart": ("bart", BART),
    "bart-scaled": ("bart", {**BART, "encoder_layers": 1, "decoder_layers": 3, "encoder_attention_heads": 2,
                             "decoder_attention_heads": 8, "scale_embedding": True, "activation_function": "gelu_new",
                             "decoder_start_token_id": 2}),
    "bart-short-decoder": ("bart", {**BART, "decoder_layers": 1, "activation_function": "relu"}),
    "bart-nli": ("bart", {**BART, "vocab_size": 2505, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
                          "decoder_start_token_id": 2, "forced_eos_token_id": 2,
                          "id2label": {0: "contradiction", 1: "neutral", 2: "entailment"}}),
    "mbart": ("mbart", MBART),
    "mbart-scaled": ("mbart", {**MBART, "encoder_layers": 1, "decoder_layers": 3, "encoder_attention_heads": 2,
                               "decoder_attention_heads": 8, "scale_embedding": True, "activation_function": "gelu_new",
                               "decoder_start_token_id": 2, "num_labels": 1}),
    "mbart-relu": ("mbart", {**MBART, "decoder_layers": 1, "activation_function": "relu"}),
    "mbart-nli": ("mbart", {**MBART_LANGUAGES, "vocab_size": 2530,
                            "id2label": {0: "contradiction", 1: "neutral", 2: "entailment"}}),
    "mbart-50": ("mbart", {**MBART_LANGUAGES, "vocab_size": 2557}),
    "gte": ("gte", ROTARY),
    "gte-saved": ("gte", {**ROTARY, "type_vocab_size": 0, "hidden_act": "gelu_new",
                          "rope_parameters": {"rope_type": "linear", "rope_theta": 100.0, "factor": 2.0}}),
    "gte-first": ("gte", ROTARY),
    "nomic": ("nomic_bert", ROTARY),
    "nomic-saved": ("nomic_bert", {**ROTARY, "head_dim": 16, "hidden_act": "gelu"}),
    "jina-v3": ("jina_embeddings_v3", ROTARY),
    "jina-v3-saved": ("jina_embeddings_v3", {**ROTARY, "type_vocab_size": 1, "hidden_act": "relu"}),
    "eurobert": ("eurobert", EUROBERT),
    "eurobert-bos": ("eurobert", {**EUROBERT, "classifier_pooling": "bos", "attention_bias": True, "mlp_bias": True}),
    "eurobert-mean": ("eurobert", {**EUROBERT, "classifier_pooling": "mean", "num_key_value_heads": 4, "head_dim": 16}),
    "xlm-roberta-flash": ("xlm-roberta", ROBERTA),
    "ernie": ("ernie", {**BASE, "type_vocab_size": 4, "hidden_act": "relu"}),
    "ernie-task": ("ernie", {**BASE, "use_task_id": True}),
    "megatron-bert": ("megatron-bert", {**BASE, "type_vocab_size": 2}),
    "roberta-prelayernorm": ("roberta-prelayernorm", ROBERTA),
    "xlm-roberta-xl": ("xlm-roberta-xl", {**ROBERTA, "pad_token_id": 0, "max_position_embeddings": 513}),
    "data2vec": ("data2vec-text", {**ROBERTA, "type_vocab_size": 2}),
    "gemma": ("gemma", {**DECODER, "head_dim": 24}),
    "gemma-biases": ("gemma", {**DECODER, "head_dim": 16, "num_key_value_heads": 1, "attention_bias": True,
                               "pad_token_id": None, "rope_parameters": {"rope_type": "default", "rope_theta": 100.0}}),
    "gemma3": ("gemma3_text", {**GEMMA3, "rope_parameters": {
        "full_attention": {"rope_type": "linear", "rope_theta": 1000.0, "factor": 4.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 100.0}}}),
    "gemma3-both-ways": ("gemma3_text", {**GEMMA3, "sliding_window": 15, "use_bidirectional_attention": True,
                                         "sliding_window_pattern": 3, "num_hidden_layers": 4, "pad_token_id": 3}),
    "gpt2": ("gpt2", GPT2),
    "gpt2-unscaled": ("gpt2", {**GPT2, "n_inner": 80, "activation_function": "relu", "scale_attn_weights": False,
                               "reorder_and_upcast_attn": True, "pad_token_id": 0, "num_labels": 1}),
    "ministral": ("ministral", {**DECODER, "sliding_window": 20, "head_dim": 16,
                                "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}),
    "phi3": ("phi3", {**DECODER, "bos_token_id": 2, "eos_token_id": 3}),
    "phi3-window": ("phi3", {**DECODER, "num_key_value_heads": None, "sliding_window": 16, "pad_token_id": None,
                             "hidden_act": "gelu", "bos_token_id": 2, "eos_token_id": 3, "rope_parameters": {
                                 "rope_type": "default", "rope_theta": 100.0, "partial_rotary_factor": 0.5}}),
    "smollm3": ("smollm3", {**DECODER, "no_rope_layers": [0, 1, 0], "rope_parameters": THETA_100}),
    "smollm3-window": ("smollm3", {**DECODER, "no_rope_layer_interval": 2, "use_sliding_window": True,
                                   "sliding_window": 20, "attention_bias": True, "mlp_bias": True}),
    "gemma3-pictures": ("gemma3", {"text_config": GEMMA3, "vision_config": {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28,
        "patch_size": 14}, "mm_tokens_per_image": 4}),
    "gpt-neox": ("gpt_neox", {**NEOX, "rope_parameters": {**THETA_100, "partial_rotary_factor": 0.5}}),
    "gpt-neox-serial": ("gpt_neox", {**NEOX, "use_parallel_residual": False, "attention_bias": False, "hidden_act": "gelu_new",
                                     "num_attention_heads": 2}),
    "opt": ("opt", OPT),
    "opt-after": ("opt", {**OPT, "do_layer_norm_before": False, "enable_bias": False, "activation_function": "gelu",
                          "pad_token_id": None, "num_labels": 2}),
    "nomic-first": ("nomic_bert", {**ROTARY, "intermediate_size": 256, "vocab_size": 7104, "hidden_act": "gelu"}),
    "jina-bert": ("bert", {**JINA_BERT, "num_attention_heads": 12, "feed_forward_type": "geglu", "auto_map": {
        "AutoModelForSequenceClassification": "modeling_bert.JinaBertForSequenceClassification"}}),
    "jina-bert-shared-code": ("bert", {**JINA_BERT, "num_attention_heads": 6, "feed_forward_type": "reglu", "auto_map": {
        "AutoModelForSequenceClassification":
            "jinaai/jina-bert-implementation--modeling_bert.JinaBertForSequenceClassification"}}),
    "deberta-conv": ("deberta-v2", {**DEBERTA, "position_buckets": 16, "norm_rel_ebd": "layer_norm", "share_att_key": True,
                                    "pos_att_type": "p2c|c2p", "position_biased_input": False, "conv_kernel_size": 3,
                                    "conv_act": "gelu"}),
    "deberta-conv-wide": ("deberta-v2", {**DEBERTA, "relative_attention": False, "conv_kernel_size": 5,
                                         "num_hidden_layers": 1, "type_vocab_size": 2}),
    "qwen2-yarn": ("qwen2", {**DECODER, "rope_parameters": {**YARN, "factor": 4.0}}),
    "llama-yarn": ("llama", {**DECODER, "head_dim": 24, "rope_parameters": {
        **YARN, "factor": None, "beta_fast": 8.0, "beta_slow": 0.5, "truncate": False, "mscale": 1.0, "mscale_all_dim": 0.4}}),
    "qwen3-yarn": ("qwen3", {**DECODER, "head_dim": 32, "rope_parameters": {
        **YARN, "rope_theta": 1e6, "factor": 8.0, "attention_factor": 1.3}}),
    # Texts up to 48 tokens turn otherwise than longer ones; of the two without a share, whole heads do.
    "phi3-longrope": ("phi3", {**LONGROPE, "rope_parameters": {
        "rope_type": "longrope", "rope_theta": 1e4, "partial_rotary_factor": 0.75,
        "short_factor": [1.0, 1.0, 1.1, 1.3, 1.7, 2.0], "long_factor": [1.1, 2.0, 4.5, 9.0, 17.0, 30.0]}}),
    "phi3-longrope-whole": ("phi3", {**LONGROPE, "sliding_window": 40, "rope_parameters": {
        "rope_type": "longrope", "rope_theta": 1e4, "attention_factor": 0.8, "short_factor": [1.0 + i / 8 for i in range(8)],
        "long_factor": [2.0 + 3 * i for i in range(8)]}}),
    "llama-bidirectional": ("llama_bidirec", {**DECODER, "pooling": "avg", "temperature": 0.5, "rope_parameters": LLAMA3}),
    "llama-bidirectional-last": ("llama_bidirec", {**DECODER, "pooling": "last", "attention_bias": True, "num_labels": 1}),
    "olmo2": ("olmo2", {**DECODER, "rope_parameters": THETA_100}),
    "olmo2-biases": ("olmo2", {**DECODER, "num_key_value_heads": 1, "attention_bias": True, "pad_token_id": 3}),
    "opt-projected": ("opt", {**OPT, "word_embed_proj_dim": 24, "do_layer_norm_before": False}),
    "opt-projected-before": ("opt", {**OPT, "word_embed_proj_dim": 32, "num_labels": 2}),
    "bloom": ("bloom", {**BLOOM, "n_head": 4}),
    "bloom-six-heads": ("bloom", {**BLOOM, "n_head": 6, "pad_token_id": None, "num_labels": 2}),
    # The windows are far shorter than the texts.
    "longformer": ("longformer", {**ROBERTA, "attention_window": 16}),
    "longformer-segments": ("longformer", {**ROBERTA, "type_vocab_size": 2, "attention_window": [4, 4], "hidden_act": "gelu_new",
                                           "num_hidden_layers": 2, "num_labels": 1}),
    "longformer-one-layer": ("longformer", {**ROBERTA, "attention_window": 64, "num_hidden_layers": 1}),
    "mobilebert": ("mobilebert", MOBILEBERT),
    "mobilebert-pooler": ("mobilebert", {**MOBILEBERT, "num_feedforward_networks": 1, "classifier_activation": True,
                                         "hidden_act": "gelu", "num_hidden_layers": 1}),
    "rembert": ("rembert", {**BASE, "input_embedding_size": 20, "output_embedding_size": 24, "type_vocab_size": 2}),
    "t5": ("t5", T5),
    "t5-gated": ("t5", {**T5, "num_layers": 2, "num_decoder_layers": None, "d_kv": 16, "feed_forward_proj": "gated-gelu",
                        "tie_word_embeddings": False, "decoder_start_token_id": 2}),
    "t5-silu": ("t5", {**T5, "num_decoder_layers": 1, "feed_forward_proj": "gated-silu", "num_labels": 1,
                       "relative_attention_num_buckets": 20, "relative_attention_max_distance": 50}),
    "mt5": ("mt5", T5),
    "umt5": ("umt5", T5),
}

# What transformers has no class for, by the class that stands for it here.
REFERENCES = {
    "llama-bidirectional": LlamaBidirectionalForSequenceClassification,
    "llama-bidirectional-last": LlamaBidirectionalForSequenceClassification,
    "jina-bert": lambda config: JinaBertForSequenceClassification(config, slope_factor=0.5),
    "jina-bert-shared-code": lambda config: JinaBertForSequenceClassification(config, slope_factor=1),
}

# Written as transformers saves them: with the names and the joined layers of the code that they were first published with.
SAVED = ("gte-saved", "gte-first", "nomic-saved", "nomic-first", "jina-v3-saved")

# Configurations of that code, which names its class otherwise.
FIRST = {
    "gte-first": {"architectures": ["NewForSequenceClassification"], "model_type": "new",
                  "auto_map": {"AutoConfig": "Alibaba-NLP/new-impl--configuration.NewConfig"}, **BASE, "type_vocab_size": 2,
                  "hidden_act": "gelu", "layer_norm_eps": 1e-12, "layer_norm_type": "layer_norm", "pack_qkv": True,
                  "position_embedding_type": "rope", "rope_theta": 50.0, "rope_scaling": {"type": "ntk", "factor": 8.0},
                  "logn_attention_scale": False, "logn_attention_clip1": False, "unpad_inputs": False,
                  "use_memory_efficient_attention": False},
    "nomic-first": {"architectures": ["NomicBertForSequenceClassification"], "model_type": "nomic_bert", "n_embd": 48,
                    "n_layer": 3, "n_head": 4, "n_inner": 200, "n_positions": 2048, "max_trained_positions": 512,
                    "rotary_scaling_factor": 2.0, "vocab_size": 7100, "pad_vocab_size_multiple": 64, "type_vocab_size": 2,
                    "activation_function": "geglu", "layer_norm_epsilon": 1e-12, "rotary_emb_base": 100,
                    "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": False, "rotary_emb_scale_base": None,
                    "prenorm": False, "causal": False, "use_rms_norm": False, "parallel_block": False,
                    "qkv_proj_bias": False, "mlp_fc1_bias": False, "mlp_fc2_bias": False},
}
# The encoder's names there.
FIRST_NAMES = {"gte-first": ("gte.", "new."), "nomic-first": ("nomic_bert.", "bert.")}

# Names of flash-attn's BERT for those of transformers, which has three layers for the one of queries, keys and values.
FLASH = {
    "xlm-roberta-flash": {
        "embeddings.LayerNorm.": "emb_ln.",
        ".layer.": ".layers.",
        "attention.output.dense.": "mixer.out_proj.",
        "attention.output.LayerNorm.": "norm1.",
        "intermediate.dense.": "mlp.fc1.",
        ".output.dense.": ".mlp.fc2.",
        ".output.LayerNorm.": ".norm2.",
    },
}
PROJECTIONS = [f"attention.self.{part}." for part in ("query", "key", "value")]
JOINED = "mixer.Wqkv."

# Tokenizers of pipelines.json.br; the others have WordPiece.
TOKENIZERS = {"bart-nli": "roberta", "mbart-nli": "xlm-roberta", "mbart-50": "xlm-roberta", "gpt2": "gpt2", "gpt2-unscaled": "gpt2", "gpt-neox": "gpt2", "gpt-neox-serial": "gpt2",
              **{name: "t5" for name in ("t5", "t5-gated", "t5-silu", "mt5", "umt5")}}

# The classes of tokenizers that know languages, and the settings for them.
LANGUAGES = {
    "mbart-nli": {"tokenizer_class": "MBartTokenizer", "src_lang": "de_DE"},
    # With a limit that most of the inputs are cut to.
    "mbart-50": {"tokenizer_class": "MBart50Tokenizer", "src_lang": "ro_RO", "tgt_lang": "en_XX", "model_max_length": 40},
}

# Texts and pairs that are read in windows of so many tokens, which share some.
WINDOWS = {"maxLength": 20, "overlap": 3, "inputs": [
    " ".join(f"the {number} rivers</s>" if number % 7 == 0 else f"and {number}" for number in range(30)),
    ["Which", " ".join(f"answer {number}" for number in range(25))],
]}

# Inputs beside those of texts.json and pairs.json: control tokens in the text, texts of 48 and 49 tokens.
MORE = {
    "phi3-longrope": [" ".join(["a"] * 46), " ".join(["a"] * 47)],
    "phi3-longrope-whole": [" ".join(["the"] * 46), " ".join(["the"] * 47)],
    "gpt2": ["<|endoftext|>", "one<|endoftext|>two", "the end<|endoftext|><|endoftext|>"],
    "gpt-neox": ["<|endoftext|>", "one<|endoftext|>two", "the end<|endoftext|><|endoftext|>"],
    "gpt-neox-serial": ["the end<|endoftext|><|endoftext|>"],
    "gpt2-unscaled": ["<|endoftext|>", "one<|endoftext|>two", "the end<|endoftext|><|endoftext|>"],
    "bart-nli": ["", "a</s>b", "</s>", "one</s></s>two</s>", "<s>again</s> and <pad> again", "the end</s> ",
                 ["a</s>", "b"], ["", "</s>"], ["", ""], ["premise</s></s>hypothesis</s>", "hypothesis"]],
    "mbart-nli": ["", "a</s>b", "</s>", "<s>again</s> and <pad> again", "<pad><pad> in front", "in en_XX and de_DE ",
                  ["a</s>", "b"], ["", ""], ["premise</s> de_DE", "ro_RO <pad> hypothesis"]],
    "mbart-50": ["", "a</s>b", "</s>", "two  spaces and <pad> again", "in ro_RO", ["a</s>", "b <pad>"], ["", ""]],
    "t5": ["", "a</s>b", "</s>", "<pad> one</s> two <extra_id_3>", ["a</s>", "b"], ["", ""]],
    "umt5": ["", "a</s>b", ["", "</s>"], "<extra_id_0> again <unk>"],
}

# What a model has for pictures.
PICTURES = ("model.vision_tower.", "model.multi_modal_projector.")

# Names under which an encoder with a decoder has one tensor again.
TIED = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight")


def scales_of(name):
    return {**SCALES, **OWN_SCALES.get(name, {})}


def choose(tokenizer, items, count, reads_padding):
    """Indices of hard inputs first; without unknown words where the model takes their id for padding."""
    def fits(item):
        ids = tokenizer.encode(*([item] if isinstance(item, str) else item)).ids
        return 0 < len(ids) <= 512 and not (reads_padding and UNKNOWN in ids)
    order = [*range(60, 80), *range(0, 60), *range(80, 100)]
    return [index for index in order if fits(items[index])][:count]


def build(seed, name, model_type, config):
    config = transformers.AutoConfig.for_model(model_type, **{"num_labels": 3, **config})
    config._attn_implementation = "eager"
    make = REFERENCES.get(name, transformers.AutoModelForSequenceClassification.from_config)
    network = make(config).eval()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.safetensors")
        state = network.state_dict()
        if name in SAVED:
            network.save_pretrained(folder)
            state = load_file(file)
        if name in FLASH:
            state = join_as_flash(state, FLASH[name])
        model = {"seed": seed, "scales": scales_of(name)}
        values = {}
        tied = TIED if config.is_encoder_decoder else ()
        for tensor_name, tensor in state.items():
            if tensor.dtype == torch.float32 and not tensor_name.endswith(tied) and not tensor_name.startswith(PICTURES):
                if name in FIRST:
                    tensor_name = tensor_name.replace(*FIRST_NAMES[name], 1)
                exact = torch.from_numpy(golden.tensor_values(model, tensor_name, tuple(tensor.shape)))
                values[tensor_name] = exact.to(torch.bfloat16).float()
        if name in SAVED:
            own, first = FIRST_NAMES.get(name, ("", ""))
            named = {re.sub(f"^{re.escape(first)}", own, key): value for key, value in values.items()}
            save_file(named, file, metadata={"format": "pt"})
            network, loaded = type(network).from_pretrained(folder, attn_implementation="eager", output_loading_info=True)
            assert not any(loaded[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), loaded
        else:
            own = split_as_own(values, FLASH[name]) if name in FLASH else values
            missing, unexpected = network.load_state_dict(own, strict=False)
            ends = ("position_ids", "token_type_ids", *tied)
            assert not unexpected and all(key.endswith(ends) or key.startswith(PICTURES) for key in missing), missing
    if name == "gte-first":
        turn_by_ntk(network.gte.rotary_emb, FIRST[name]["rope_theta"], FIRST[name]["rope_scaling"]["factor"])
    return network.eval(), {name: list(tensor.shape) for name, tensor in values.items()}


def join_as_flash(state, names):
    joined = {}
    for own, tensor in state.items():
        if PROJECTIONS[0] in own:
            tensor = torch.cat([state[own.replace(PROJECTIONS[0], part)] for part in PROJECTIONS])
            own = own.replace(PROJECTIONS[0], JOINED)
        elif any(part in own for part in PROJECTIONS):
            continue
        for before, after in names.items():
            own = own.replace(before, after)
        joined[own] = tensor
    return joined


def split_as_own(values, names):
    own = {}
    for name, tensor in values.items():
        for before, after in reversed(names.items()):
            name = name.replace(after, before)
        parts = [(part, chunk) for part, chunk in zip(PROJECTIONS, tensor.chunk(3))] if JOINED in name else [(JOINED, tensor)]
        own |= {name.replace(JOINED, part): chunk for part, chunk in parts}
    return own


def turn_by_ntk(rotary, theta, factor):
    """The first code's frequencies, which transformers has no name for: https://kexue.fm/archives/9706, equation 6."""
    size = 2 * len(rotary.inv_freq)
    plain = 1.0 / ((theta * factor) ** (torch.arange(0, size, 2).float() / size))
    rotary.inv_freq.copy_(plain / factor ** (2 / size))


def load_tokenizer(name):
    if name not in TOKENIZERS:
        return Tokenizer.from_file(str(golden.TOKENIZER / "tokenizer.json"))
    if name in LANGUAGES:
        return language_tokenizer(LANGUAGES[name], golden.pipeline_tokenizer(TOKENIZERS[name]))
    tokenizer = Tokenizer.from_str(json.dumps(golden.pipeline_tokenizer(TOKENIZERS[name])))
    if name.startswith("gpt-neox"):
        tokenizer.normalizer = normalizers.NFC()  # which its class brings along
    return tokenizer


def language_tokenizer(settings, file):
    """As transformers reads it from the disk, the codes of the class's languages before the mask."""
    module = importlib.import_module(getattr(transformers, settings["tokenizer_class"]).__module__)
    vocabulary = file["model"]["vocab"]
    vocabulary[-1:-1] = [[code, 0.0] for code in module.FAIRSEQ_LANGUAGE_CODES]
    file["added_tokens"][-1]["id"] = len(vocabulary) - 1
    with tempfile.TemporaryDirectory() as folder:
        for part, content in (("tokenizer.json", file), ("tokenizer_config.json", settings), ("config.json", {"model_type": "mbart"})):
            Path(folder, part).write_text(json.dumps(content), encoding="utf-8")
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder).backend_tokenizer
    return LanguageTokenizer(tokenizer, settings.get("model_max_length", 512))


class LanguageTokenizer:
    """Cuts texts that were read whole: encode() of this version stops reading at the limit."""

    def __init__(self, tokenizer, max_length):
        self.tokenizer, self.max_length = tokenizer, max_length

    def encode(self, *texts, **truncation):
        self.tokenizer.no_truncation()
        parts = [self.tokenizer.encode(text, add_special_tokens=False) for text in texts]
        self.tokenizer.enable_truncation(**{"max_length": self.max_length, **truncation})
        return self.tokenizer.post_process(*parts)


def run(network, tokenizer, item):
    return logits(network, tokenizer.encode(*([item] if isinstance(item, str) else item)))


def run_windows(network, tokenizer):
    """Logits of each window of each input; of a pair the second text is parted."""
    rows = []
    for item in WINDOWS["inputs"]:
        texts = [item] if isinstance(item, str) else item
        strategy = "only_first" if len(texts) == 1 else "only_second"
        first = tokenizer.encode(*texts, max_length=WINDOWS["maxLength"], stride=WINDOWS["overlap"], strategy=strategy)
        rows.append([logits(network, window) for window in (first, *first.overflowing)])
    return rows


def logits(network, encoding):
    inputs = {"input_ids": torch.tensor([encoding.ids]), "attention_mask": torch.ones(1, len(encoding.ids), dtype=torch.long)}
    if getattr(network.config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = torch.tensor([encoding.type_ids])
    with torch.inference_mode():
        return [float(f"{value:.9g}") for value in network(**inputs).logits[0].double().tolist()]


def main():
    torch.set_num_threads(1)
    texts, pairs = golden.make_texts()
    path = golden.GOLDEN / "families.json"
    made = {entry["name"]: entry for entry in json.loads(path.read_text("utf-8"))}
    # A family keeps its seed, and so its weights, wherever it stands in the table.
    new_seeds = itertools.count(1 + max(entry["seed"] for entry in made.values()))
    lines = []
    for name, (model_type, overrides) in FAMILIES.items():
        if name in made and sys.argv[1:] and name not in sys.argv[1:]:
            lines.append(json.dumps(made[name]))
            continue
        seed = made[name]["seed"] if name in made else next(new_seeds)
        network, shapes = build(seed, name, model_type, overrides)
        tokenizer = load_tokenizer(name)
        reads_padding = overrides.get("pad_token_id") == UNKNOWN or model_type == "mpnet"
        text_indices = choose(tokenizer, texts, NUM_TEXTS, reads_padding)
        pair_indices = choose(tokenizer, pairs, NUM_PAIRS, reads_padding)
        assert len(text_indices) == NUM_TEXTS and len(pair_indices) == NUM_PAIRS
        items = [texts[index] for index in text_indices] + [pairs[index] for index in pair_indices] + MORE.get(name, [])
        rows = [run(network, tokenizer, item) for item in items]
        print(name, "std", torch.tensor(rows).std(0).tolist(), flush=True)
        config = FIRST.get(name) or {**network.config.to_diff_dict(), "architectures": [type(network).__name__]}
        entry = {"name": name, "seed": seed, "scales": scales_of(name), "config": config, "tensors": shapes,
                 "texts": text_indices, "pairs": pair_indices, "rows": rows}
        if name in TOKENIZERS:
            entry["tokenizer"] = TOKENIZERS[name]
        if name in LANGUAGES:
            entry["languages"] = LANGUAGES[name]
            entry["windows"] = {**WINDOWS, "rows": run_windows(network, tokenizer)}
        if name in MORE:
            entry["more"] = MORE[name]
        lines.append(json.dumps(entry))
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
