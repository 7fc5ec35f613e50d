"""What make-family-goldens.py makes: the small models of every family, how their checkpoints are written, and their inputs."""
from transformers.models.esm.configuration_esm import get_default_vocab_list

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
GPT_NEO = dict(hidden_size=48, num_layers=3, num_heads=4, vocab_size=7100, max_position_embeddings=512, window_size=20,
               attention_types=[[["global", "local"], 1], [["local"], 1]], bos_token_id=2, eos_token_id=3)
PHI = {**BASE, "rope_parameters": {**THETA_100, "partial_rotary_factor": 0.5}}
SQUEEZEBERT = {**BASE, "embedding_size": 48, "pad_token_id": 0}
GPTJ = dict(n_embd=48, n_layer=3, n_head=4, n_positions=512, vocab_size=7100, rotary_dim=8, bos_token_id=2, eos_token_id=3)
STABLELM = {**DECODER, "rope_parameters": {**THETA_100, "partial_rotary_factor": 0.5}}
FALCON = dict(hidden_size=48, num_hidden_layers=3, num_attention_heads=4, vocab_size=7100, max_position_embeddings=512,
              rope_parameters=THETA_100, bos_token_id=2, eos_token_id=3)
GPT2 = dict(n_embd=48, n_layer=3, n_head=4, n_positions=512, vocab_size=2501, pad_token_id=None, bos_token_id=0,
            eos_token_id=0)
GEMMA3 = {**DECODER, "head_dim": 24, "sliding_window": 20, "sliding_window_pattern": 2, "query_pre_attn_scalar": 30}
QWEN35 = {**DECODER, "head_dim": 24, "linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 16,
          "linear_value_head_dim": 16}
LFM2 = {**DECODER, "block_multiple_of": 16, "rope_parameters": THETA_100}
MOBILEBERT = {**BASE, "hidden_size": 64, "embedding_size": 24, "intra_bottleneck_size": 32, "num_feedforward_networks": 3,
              "classifier_activation": False, "hidden_act": "relu", "pad_token_id": 0}
JINA_BERT = {**BASE, "position_embedding_type": "alibi", "type_vocab_size": 2, "pad_token_id": 0}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}

YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "original_max_position_embeddings": 64}
LONGROPE = {**DECODER, "num_attention_heads": 3, "num_key_value_heads": 1, "original_max_position_embeddings": 48,
            "bos_token_id": 2, "eos_token_id": 3}
OLMO3 = {**DECODER, "num_hidden_layers": 4, "sliding_window": 20}

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

# The mask drops tokens, and others make up for it.
ESM = {**BASE, "position_embedding_type": "rotary", "token_dropout": True, "mask_token_id": 4, "pad_token_id": 0}
PROTEINS = get_default_vocab_list()

XLNET = dict(d_model=48, n_layer=3, n_head=4, d_inner=80, vocab_size=2509)

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
    "curator": ("deberta-v2", {**DEBERTA, "hidden_size": 128, "num_attention_heads": 2, "position_buckets": 256,
                               "norm_rel_ebd": "layer_norm", "share_att_key": True, "pos_att_type": ["p2c", "c2p"],
                               "position_biased_input": False}),
    "modernbert-mean": ("modernbert", {**MODERNBERT, "classifier_pooling": "mean"}),
    "modernbert-biases": ("modernbert", {**MODERNBERT, "classifier_pooling": "cls", "norm_bias": True, "mlp_bias": True,
                                         "attention_bias": True, "classifier_bias": True}),
    "modernbert-decoder": ("modernbert-decoder", MODERNBERT),
    "modernbert-decoder-biases": ("modernbert-decoder", {
        **MODERNBERT, "norm_bias": True, "mlp_bias": True, "attention_bias": True, "classifier_bias": True, "pad_token_id": 3,
        "classifier_activation": "relu", "local_attention": 41, "layer_types": ["sliding_attention"] * 2 + ["full_attention"] * 2,
        "num_labels": 2, "rope_parameters": {"full_attention": {"rope_type": "linear", "rope_theta": 1000.0, "factor": 4.0},
                                             "sliding_attention": {"rope_type": "default", "rope_theta": 100.0}}}),
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
    "gpt2-word-segments": ("gpt2", {**GPT2, "vocab_size": 7100}),
    "gpt2-input-names": ("gpt2", {**GPT2, "pad_token_id": 0}),
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
    "lfm2-bidirectional": ("lfm2_bidirectional", {**LFM2, "layer_types": ["conv", "full_attention", "conv"]}),
    "lfm2-bidirectional-biases": ("lfm2_bidirectional", {**LFM2, "layer_types": ["conv", "conv", "full_attention"], "conv_bias": True,
                                                         "conv_L_cache": 4, "pad_token_id": 3, "num_labels": 1}),
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
    # Read without entities.
    "luke": ("luke", {**ROBERTA, "type_vocab_size": 2, "entity_vocab_size": 20, "entity_emb_size": 12}),
    "luke-plain": ("luke", {**ROBERTA, "entity_vocab_size": 20, "entity_emb_size": 48, "use_entity_aware_attention": False,
                            "hidden_act": "gelu_new", "num_labels": 1}),
    # Of the sparse one texts up to 576 tokens have all attention.
    "big-bird": ("big_bird", {**BASE, "attention_type": "original_full", "pad_token_id": 0}),
    "big-bird-sparse": ("big_bird", {**BASE, "num_random_blocks": 2, "use_bias": False, "rescale_embeddings": True,
                                     "hidden_act": "relu", "pad_token_id": 0, "num_labels": 1}),
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
    # The first with a tokenizer that ends texts with segment 2; texts are longer than the distances that the second tells.
    "xlnet": ("xlnet", XLNET),
    "xlnet-clamped": ("xlnet", {**XLNET, "vocab_size": 7100, "clamp_len": 12, "ff_activation": "relu", "summary_type": "mean",
                                "summary_activation": "gelu", "num_labels": 1}),
    "xlnet-causal": ("xlnet", {**XLNET, "vocab_size": 7100, "attn_type": "uni", "ff_activation": "gelu_new", "n_head": 3,
                               "summary_use_proj": False}),
    "esm": ("esm", ESM),
    "esm-absolute": ("esm", {**ROBERTA, "emb_layer_norm_before": True, "layer_norm_eps": 1e-5, "num_labels": 1}),
    "esm-proteins": ("esm", {**ESM, "vocab_size": len(PROTEINS), "mask_token_id": PROTEINS.index("<mask>"), "pad_token_id": 1}),
    "gpt-neo": ("gpt_neo", GPT_NEO),
    "phi": ("phi", PHI),
    "phi-shared-keys": ("phi", {**PHI, "num_key_value_heads": 2, "hidden_act": "relu", "pad_token_id": 0, "num_labels": 2}),
    "falcon": ("falcon", FALCON),
    "falcon-new": ("falcon", {**FALCON, "new_decoder_architecture": True, "num_kv_heads": 2, "bias": True, "pad_token_id": 0}),
    "falcon-serial": ("falcon", {**FALCON, "multi_query": False, "parallel_attn": False, "ffn_hidden_size": 80, "num_labels": 1}),
    "starcoder2": ("starcoder2", {**DECODER, "rope_parameters": THETA_100, "sliding_window": 20}),
    "starcoder2-unbiased": ("starcoder2", {**DECODER, "use_bias": False, "hidden_act": "relu", "pad_token_id": None, "num_labels": 2}),
    "gptj": ("gptj", GPTJ),
    "gptj-whole-heads": ("gptj", {**GPTJ, "rotary_dim": 12, "n_inner": 80, "activation_function": "silu", "pad_token_id": 0,
                                  "num_labels": 1}),
    "squeezebert": ("squeezebert", SQUEEZEBERT),
    "squeezebert-groups": ("squeezebert", {**SQUEEZEBERT, "q_groups": 1, "k_groups": 2, "v_groups": 3, "post_attention_groups": 4,
                                           "intermediate_groups": 8, "output_groups": 1, "num_labels": 2}),
    "stablelm": ("stablelm", STABLELM),
    "stablelm-parallel": ("stablelm", {**STABLELM, "use_parallel_residual": True, "use_qkv_bias": True, "num_key_value_heads": 4,
                                       "hidden_act": "gelu", "pad_token_id": None, "num_labels": 2}),
    "olmo3": ("olmo3", {**OLMO3, "rope_parameters": {"full_attention": {**YARN, "factor": 8.0, "attention_factor": 1.2},
                                                     "sliding_attention": THETA_100}}),
    "olmo3-unscaled": ("olmo3", {**OLMO3, "num_hidden_layers": 3, "rope_parameters": {"full_attention": THETA_100},
                                 "layer_types": ["full_attention", "sliding_attention", "full_attention"],
                                 "attention_bias": True, "num_labels": 1}),
    "phi-normalized": ("phi", {**PHI, "qk_layernorm": True, "num_key_value_heads": 2, "pad_token_id": 0}),
    "stablelm-normalized": ("stablelm", {**STABLELM, "qk_layernorm": True, "use_parallel_residual": True}),
    "hunyuan": ("hunyuan_v1_dense", {**DECODER, "head_dim": 16, "rope_parameters": {
        "rope_type": "dynamic", "rope_theta": 100.0, "alpha": 20.0, "factor": 1.0}}),
    "hunyuan-biases": ("hunyuan_v1_dense", {**DECODER, "head_dim": 12, "attention_bias": True, "num_labels": 1, "pad_token_id": None,
                                            "rope_parameters": {**YARN, "factor": 4.0}}),
    "ministral3": ("ministral3", {**DECODER, "head_dim": 16, "rope_parameters": {
        **YARN, "factor": 4.0, "original_max_position_embeddings": 512, "llama_4_scaling_beta": 0.1, "mscale": 1.0,
        "mscale_all_dim": 1.0}}),
    "seed-oss": ("seed_oss", {**DECODER, "head_dim": 16, "attention_out_bias": True, "rope_parameters": THETA_100}),
    "exaone4": ("exaone4", {**DECODER, "num_hidden_layers": 4, "sliding_window": 20, "sliding_window_pattern": 3,
                            "rope_parameters": THETA_100}),
    "exaone4-unlimited": ("exaone4", {**DECODER, "sliding_window": None, "layer_types": ["full_attention"] * 3, "num_labels": 2,
                                      "rope_parameters": LLAMA3}),
    "glm": ("glm", {**DECODER, "head_dim": 16, "rope_parameters": {**THETA_100, "partial_rotary_factor": 0.5}}),
    "glm4": ("glm4", {**DECODER, "head_dim": 12, "attention_bias": False, "pad_token_id": None, "num_labels": 2,
                      "rope_parameters": THETA_100}),
    "nemotron": ("nemotron", {**DECODER, "rope_parameters": {**THETA_100, "partial_rotary_factor": 0.5}}),
    "arcee": ("arcee", {**DECODER, "rope_parameters": THETA_100}),
    "helium": ("helium", {**DECODER, "head_dim": 12, "rope_parameters": THETA_100}),
    "olmo": ("olmo", {**DECODER, "rope_parameters": THETA_100}),
    "gpt-bigcode": ("gpt_bigcode", {**GPT2, "vocab_size": 7100, "n_inner": 80}),
    "gpt-bigcode-own-keys": ("gpt_bigcode", {**GPT2, "vocab_size": 7100, "multi_query": False, "scale_attn_weights": False,
                                             "activation_function": "relu", "pad_token_id": 0, "num_labels": 1}),
    "openai-gpt": ("openai-gpt", {**GPT2, "vocab_size": 1250}),
    "openai-gpt-silu": ("openai-gpt", {**GPT2, "vocab_size": 7100, "afn": "silu", "pad_token_id": 0, "num_labels": 1}),
    "mpt": ("mpt", dict(d_model=48, n_heads=4, n_layers=3, vocab_size=7100, max_seq_len=512)),
    "mpt-six-heads": ("mpt", dict(d_model=48, n_heads=6, n_layers=2, vocab_size=7100, max_seq_len=512, pad_token_id=0, num_labels=2,
                                  attn_config={"softmax_scale": 0.2})),
    "ibert": ("ibert", ROBERTA),
    "mvp": ("mvp", {**BART, "decoder_start_token_id": 2}),
    # Three layers with linear attention, then one without.
    "qwen3.5": ("qwen3_5_text", {**QWEN35, "num_hidden_layers": 4, "rope_parameters": THETA_100}),
    "qwen3.5-linear-last": ("qwen3_5_text", {**QWEN35, "num_hidden_layers": 2, "linear_num_key_heads": 4,
                                             "linear_conv_kernel_dim": 3, "attention_bias": True, "pad_token_id": 3,
                                             "layer_types": ["full_attention", "linear_attention"], "num_labels": 1}),
    "qwen3.5-pictures": ("qwen3_5", {"text_config": {**QWEN35, "layer_types": ["linear_attention", "full_attention",
                                                                               "linear_attention"]}, "vision_config": {
        "depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 48, "patch_size": 14,
        "num_position_embeddings": 4}}),
}

# Written as transformers saves them: with the names and the joined layers of the code that they were first published with.
SAVED = ("gte-saved", "gte-first", "nomic-saved", "nomic-first", "jina-v3-saved")

# Configurations of that code, which names its class otherwise, or not at all.
FIRST = {
    "curator": {"base_model": "microsoft/deberta-v3-base", "fc_dropout": 0.2, "id2label": {"0": "High", "1": "Medium", "2": "Low"},
                "label2id": {"High": 0, "Medium": 1, "Low": 2}},
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

# Models that look segments up among their words; BertTokenizer, which has WordPiece, gives them any, others where it is asked.
WORD_SEGMENTS = ("gpt2", "gpt_neo", "gptj", "openai-gpt")
INPUT_NAMES = {"gpt2-input-names": ["input_ids", "token_type_ids", "attention_mask"]}

# Tokenizers of pipelines.json.br; the others have WordPiece.
TOKENIZERS = {"bart-nli": "roberta", "mbart-nli": "xlm-roberta", "mbart-50": "xlm-roberta", "gpt2": "gpt2", "gpt2-unscaled": "gpt2", "gpt2-input-names": "gpt2", "gpt-neox": "gpt2", "gpt-neox-serial": "gpt2",
              "openai-gpt": "openai-gpt",
              **{name: "t5" for name in ("t5", "t5-gated", "t5-silu", "mt5", "umt5")}, "xlnet": "xlm-roberta"}

# Vocabularies of tokenizers that have no other file.
VOCABULARIES = {"esm-proteins": PROTEINS}

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
    "gpt2-input-names": ["<|endoftext|>", "the end<|endoftext|><|endoftext|>", ["one<|endoftext|>", "two"]],
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
    "xlnet": ["", "``one'' A\u0301ngstr\u00f6m  two ", "a<sep>b<cls>", "the <mask> end <eop><eod>", ["a<sep>", "b <pad>"], ["", ""]],
    "esm": ["[MASK]", "one [MASK] two [MASK][MASK]", ["[MASK] three", "[PAD] four [MASK]"]],
    "esm-absolute": ["one [MASK] two"],
    "esm-proteins": ["", "MKTAYIAKQR", "mktay", "M K T\tA", "MKj jVjj kk<mask>", "<mask><mask>MK", "<cls>M<eos>K<pad>-.<null_1>Q", "<MASK>",
                     "MK\x1cjj\x1dkk\u2003nn\u200bmm", "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ" * 12, ["MKTAY", "QISFV<mask>"], ["", "K"],
                     ["MKTAYIAKQ" * 40, "QISFVKSHF" * 50], ["MKTAYIAKQ" * 50, "QISFVKSHF" * 40], ["MKTAYIAKQ" * 9, "QISFVKSHF" * 90]],
}
