#!/usr/bin/env python3
"""Small language models under the names of published rerankers, scored as the code on their cards scores them.

    python scripts/make-published-reranker-fixtures.py

Writes test/fixtures/published-rerankers/models.json: three tokenizers (byte-level BPE as Qwen has it; BPE over whole texts
whose line breaks are tokens of their own, as Gemma has it; BPE over whole texts as MiniCPM has it), and for each model its configuration, the shapes of its
tensors (values are make-golden.py's function of seed and name), and for each prompt tokens and logit of every pair, in F64. What
is written here is what each repository's code does: text, order of tokenizing and joining, where it cuts, the logit taken.
Classifiers whose chat template takes a pair: tokens and scores of sentence-transformers' CrossEncoder. Reward models: a chat in the tokenizer's chat template, as transformers renders, tokenizes and scores it.

Made with sentence-transformers 6.0.1, transformers 5.18.0, tokenizers 0.23.2, torch 2.13.0.
"""
import importlib
import json
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "test/fixtures/published-rerankers"
golden = importlib.import_module("make-golden")
causal = importlib.import_module("make-causal-reranker-fixtures")

LONG = "The rivers of the north run to a cold sea. " * 30
# Queries of any length are cut each in its own way, or not at all; white space at either end is not always kept.
PAIRS = [[text.strip() for text in pair] for pair in golden.reranker_pairs(LONG) if len(pair[0]) < 200]
PAIRS += [["<think>why</think>", "Yes, no & <b>"], ["Yes", "No"], ["which sea", LONG.strip()]]
ENDS = [["which sea?\n", "A cold one.\n\n"], ["\n\nwhich sea? ", " \n"], ["", "\n"], ["\n", ""], ["a\n", LONG + "\n\n"]]
LIMIT = 288
JUDGE = "Judge by the date."
SENTENCES = (golden.GOLDEN / "sentences.txt").read_text(encoding="utf-8").split("\n") + ["Yes", "yes", "no", "x\n\ny"] * 200


def qwen_tokenizer(more=()):
    tokenizer = causal.train_tokenizer(more)
    tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens(["Yes"])
    tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    return tokenizer


def gemma_tokenizer():
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    words = [word for line in SENTENCES for word in line.replace(" ", " \u0000").split("\u0000")]
    tokenizer.train_from_iterator(words, trainers.BpeTrainer(vocab_size=900, special_tokens=special))
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = content["added_tokens"][:4]
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.add_tokens([AddedToken("\n" * count, normalized=False) for count in range(1, 6)])
    bos = tokenizer.token_to_id("<bos>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos> $B", special_tokens=[("<bos>", bos)])
    return tokenizer


def minicpm_tokenizer():
    """As SentencePiece has it: a mark for every space and one before every text, bytes for what the vocabulary lacks."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    words = [word for line in SENTENCES if "\n" not in line for word in line.split(" ")]
    tokenizer.train_from_iterator(words, trainers.BpeTrainer(vocab_size=700, special_tokens=special))
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = content["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))])
    return tokenizer


def plain(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def qwen3_reranker(tokenizer, query, document, prompt):
    """Card of Qwen/Qwen3-Reranker-0.6B: what stands around the pair is tokenized by itself, the pair is cut."""
    prefix = plain(tokenizer, '<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and '
                   'the Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n')
    suffix = plain(tokenizer, "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n")
    prompt = prompt or "Given a web search query, retrieve relevant passages that answer the query"
    ids = plain(tokenizer, f"<Instruct>: {prompt}\n<Query>: {query}\n<Document>: {document}")
    return prefix + ids[:LIMIT - len(prefix) - len(suffix)] + suffix


def bge_gemma(tokenizer, query, document, prompt):
    """FlagEmbedding's BaseLLMReranker: query, line break, passage, line break and prompt, each tokenized by itself."""
    line_break = plain(tokenizer, "\n")
    end = line_break + plain(tokenizer, prompt or "Given a query A and a passage B, determine whether the passage contains an "
                             "answer to the query by providing a prediction of either 'Yes' or 'No'.")
    ids = [tokenizer.bos_token_id, *plain(tokenizer, f"A: {query}")]
    passage = line_break + plain(tokenizer, f"B: {document}")
    return ids + passage[:LIMIT - len(end) - len(ids)] + end


def zerank(tokenizer, query, document, prompt):
    """modeling_zeranker.py: query and document, without white space at their ends, as turns of system and user in Qwen 3's chat template."""
    text = f"<|im_start|>system\n{query}<|im_end|>\n<|im_start|>user\n{document}<|im_end|>\n"
    return plain(tokenizer, text + "<|im_start|>assistant\n")


def contextual(tokenizer, query, document, prompt):
    """Card of ContextualAI/ctxl-rerank-v2-instruct-multilingual-1b: one text, cut at its end."""
    instruction = f" {prompt}" if prompt else ""
    text = "Check whether a given document contains information helpful to answer the query.\n"
    text += f"<Document> {document}\n<Query> {query}{instruction} ??"
    return tokenizer(text, truncation=True, max_length=LIMIT)["input_ids"]


def mxbai(tokenizer, query, document, prompt):
    """mxbai_rerank_v2.py: each part is tokenized by itself; a query has three quarters of the room, a document what is left."""
    line_break = plain(tokenizer, "\n")
    prefix = plain(tokenizer, "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
                   "<|im_start|>user\n")
    end = line_break + plain(tokenizer, "You are a search relevance expert who evaluates how well documents match search queries. "
                             "For each query-document pair, carefully analyze the semantic relationship between them, then "
                             "provide your binary relevance judgment (0 for not relevant, 1 for relevant).\nRelevance:")
    end += plain(tokenizer, "<|im_end|>\n<|im_start|>assistant\n")
    room = MXBAI_LIMIT - len(prefix) - len(end)
    instruction = f"instruction: {prompt}\n" if prompt else ""
    first = plain(tokenizer, f"{instruction}query: {query}")[:room * 3 // 4]
    second = line_break + plain(tokenizer, f"document: {document}")
    return prefix + first + second[:room - len(first)] + end


def lightblue(tokenizer, query, document, prompt):
    """Card of lightblue/lb-reranker-0.5B-v1.0: a chat of system and user in Qwen 2.5's template, and the beginning of an answer."""
    text = ("<|im_start|>system\nGiven a query and a piece of text, output a score of 1-7 based on how related the query is to "
            "the text. 1 means least related and 7 is most related.<|im_end|>\n<|im_start|>user\n"
            f"<<<Query>>>\n{query}\n\n<<<Context>>>\n{document}<|im_end|>\n<|im_start|>assistant\n")
    return plain(tokenizer, text)


def expectation(logits, ids):
    """Its card adds up digit times probability; here over what the digits have of it, which of a trained model is nearly all."""
    probabilities = logits.softmax(-1)[ids]
    return (probabilities * torch.arange(1, len(ids) + 1)).sum() / probabilities.sum()


SIZES = {**causal.BASE, "max_position_embeddings": LIMIT}
MXBAI_LIMIT = 384
# These tokenize each part of a text by itself, and so are given texts whose ends would join with what follows too.
BY_PARTS = [bge_gemma, mxbai]
# name: tokenizer, model_type, configuration, how a pair becomes tokens, tokens that count, divisor, prompts
CASES = {
    "Qwen3-Reranker-0.6B": ("qwen", "qwen3", {**SIZES, "head_dim": 16, "tie_word_embeddings": True}, qwen3_reranker,
                            ["yes", "no"], 1, [None, JUDGE]),
    "bge-reranker-v2-gemma": ("gemma", "gemma", {**SIZES, "head_dim": 16, "tie_word_embeddings": True}, bge_gemma, ["Yes"], 1,
                              [None, JUDGE]),
    "zerank-1-small": ("qwen", "qwen3", {**SIZES, "head_dim": 16, "tie_word_embeddings": True, "max_position_embeddings": 1024},
                       zerank, ["Yes"], 5, [None]),
    "ctxl-rerank-v2-instruct-multilingual-1b": ("qwen", "qwen3", {**SIZES, "head_dim": 16}, contextual, [0], 1, [None, JUDGE]),
    "ctxl-rerank-v2-instruct-multilingual-6b": ("gemma", "mistral", SIZES, contextual, [0], 1, [None, JUDGE]),
    "mxbai-rerank-base-v2": ("qwen", "qwen2", {**SIZES, "tie_word_embeddings": True, "max_position_embeddings": MXBAI_LIMIT},
                             mxbai, ["1", "0"], 1, [None, JUDGE]),
    "lb-reranker-0.5B-v1.0": ("qwen", "qwen2", {**SIZES, "tie_word_embeddings": True, "max_position_embeddings": 1024},
                              lightblue, list("1234567"), 1, [None]),
}


TURNS = """{%- if bos_token %}{{ bos_token }}{% endif %}
{%- for message in messages %}
    {%- if message.role == "assistant" and loop.last %}
<|im_start|>assistant
<think>

</think>

{{ message.content }}<|im_end|>
    {%- else %}
{{ "<|im_start|>" + message.role + "\\n" + message.content + "<|im_end|>\\n" }}
    {%- endif %}
{%- endfor %}
"""
REWARDS = {
    "reward-qwen3": ("qwen", "qwen3", {**SIZES, "head_dim": 16}),
    # Its tokenizer adds the token that the template begins with too, so that cards take it off the rendered text.
    "reward-llama": ("gemma", "llama", SIZES),
}
CHATS = [[{"role": "user", "content": query}, {"role": "assistant", "content": document}] for query, document in PAIRS]
CHATS += [[{"role": "system", "content": JUDGE}, *CHATS[0], *CHATS[1]]]


def special_tokens(kind):
    if kind == "minicpm":
        return {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    if kind == "gemma":
        return {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return {"eos_token": "<|im_end|>", "pad_token": "<|end|>"}


CLASSES = {"qwen": "Qwen2Tokenizer", "gemma": "GemmaTokenizer", "minicpm": "LlamaTokenizer"}


def weights(network, seed):
    values = {key: torch.from_numpy(golden.tensor_values({"seed": seed, "scales": causal.SCALES}, key, tuple(tensor.shape)))
              for key, tensor in network.state_dict().items()
              if not (network.config.tie_word_embeddings and key == "lm_head.weight")}
    network.load_state_dict(values, strict=False)
    network.tie_weights()
    network.double()
    return {key: list(value.shape) for key, value in values.items()}


def entry(name, seed, kind, network, tensors, tokenizers, settings, **more):
    config = {**network.config.to_diff_dict(), "architectures": [type(network).__name__],
              "model_type": network.config.model_type}
    return {"name": name, "seed": seed, "tokenizer": kind, "config": config, "tensors": tensors,
            "tokenizerConfig": {"tokenizer_class": CLASSES[kind], **special_tokens(kind), **settings},
            "postProcessor": json.loads(tokenizers[kind].to_str())["post_processor"], "files": {}, **more}


def reward(name, seed, tokenizers):
    kind, model_type, sizes = REWARDS[name]
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokenizers[kind], chat_template=TURNS, **special_tokens(kind))
    config = transformers.AutoConfig.for_model(model_type, vocab_size=len(tokenizer) + 3, num_labels=1, **sizes)
    config.pad_token_id = tokenizer.pad_token_id
    network = transformers.AutoModelForSequenceClassification.from_config(config, attn_implementation="eager").eval()
    tensors = weights(network, seed)
    rows = []
    for chat in CHATS:
        ids = tokenizer.apply_chat_template(chat, truncation=True, max_length=LIMIT, return_dict=False)
        # What cards do instead.
        text = tokenizer.apply_chat_template(chat, tokenize=False).removeprefix(tokenizer.bos_token or "")
        assert ids == tokenizer(text, truncation=True, max_length=LIMIT)["input_ids"]
        with torch.no_grad():
            logits = network(input_ids=torch.tensor([ids])).logits
        rows.append({"ids": ids, "logit": float(f"{float(logits[0, 0]):.9g}")})
    print(name, [len(row["ids"]) for row in rows], "std", float(torch.tensor([row["logit"] for row in rows]).std()), flush=True)
    return entry(name, seed, kind, network, tensors, tokenizers, {"chat_template": TURNS}, rows=rows)


MINICPM = {**SIZES, "num_hidden_layers": 4}
SCALES = {"scale_emb": 12, "scale_depth": 1.4, "dim_model_base": 16}
START_LAYER = 2


@torch.no_grad()
def last_state(network, row, layer):
    """Of the row's last token behind the layer and the model's norm, which transformers has put on the last layer's already."""
    states = network.model(input_ids=torch.tensor([row]), output_hidden_states=True).hidden_states
    last = states[layer][0, -1]
    return last if layer == network.config.num_hidden_layers else network.model.norm(last)


def layerwise(name, seed, tokenizers):
    """modeling_minicpm_reranker.py's layers are Granite's with other names for what they are multiplied by; its heads, one row
    for each layer from start_layer on, read the normed states of the last token. Text: bge_gemma()."""
    kind = "minicpm"
    with tempfile.TemporaryDirectory() as folder:
        settings = {"tokenizer_class": CLASSES[kind], **special_tokens(kind)}
        causal.write(Path(folder), {"tokenizer.json": json.loads(tokenizers[kind].to_str()), "tokenizer_config.json": settings})
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    head_size = MINICPM["hidden_size"] // MINICPM["num_attention_heads"]
    layers = MINICPM["num_hidden_layers"]
    config = transformers.GraniteConfig(
        vocab_size=len(tokenizer) + 3, embedding_multiplier=SCALES["scale_emb"], attention_multiplier=head_size ** -0.5,
        residual_multiplier=SCALES["scale_depth"] / layers ** 0.5, tie_word_embeddings=False, **MINICPM)
    network = transformers.GraniteForCausalLM(config).eval()
    tensors = {key: shape for key, shape in weights(network, seed).items() if key != "lm_head.weight"}
    heads = {f"lm_head.{index}.linear_head.weight": [1, config.hidden_size] for index in range(layers + 1 - START_LAYER)}
    values = [torch.from_numpy(golden.tensor_values({"seed": seed, "scales": causal.SCALES}, key, shape)).double()
              for key, shape in heads.items()]
    pairs = PAIRS + ENDS
    calls = []
    for cutoff, prompt in [(None, None), (START_LAYER, None), (layers - 1, JUDGE)]:
        layer = layers if cutoff is None else cutoff
        ids = [bge_gemma(tokenizer, query, document, prompt) for query, document in pairs]
        logits = []
        for row in ids:
            last = last_state(network, row, layer)
            logits.append(float(f"{float(values[layer - START_LAYER][0] @ last):.9g}"))
        print(name, cutoff, prompt, "std", float(torch.tensor(logits).std()), flush=True)
        calls.append({"cutoffLayer": cutoff, "prompt": prompt, "ids": ids, "logits": logits})
    made = entry(name, seed, kind, network, {**tensors, **heads}, tokenizers, {}, ends=ENDS, calls=calls)
    sizes = {"vocab_size": config.vocab_size, "rms_norm_eps": config.rms_norm_eps, **MINICPM}
    made["config"] = {"architectures": ["LayerWiseMiniCPMForCausalLM"], "model_type": "minicpm", **sizes, **SCALES,
                      "start_layer": START_LAYER, "head_multi": True, "head_type": "simple",
                      "auto_map": {"AutoModelForCausalLM": "modeling_minicpm_reranker.LayerWiseMiniCPMForCausalLM"}}
    return made


GEMMA2 = {**SIZES, "num_hidden_layers": 5, "head_dim": 16, "query_pre_attn_scalar": 12, "sliding_window": 40,
          "attn_logit_softcapping": 4.0, "final_logit_softcapping": 5.0}


def lightweight(name, seed, tokenizers):
    """FlagEmbedding's gemma_model.py and lightweight.py: Gemma 2 up to a layer and its norm; of the layers that are asked for the
    n-th has the n-th head, so that of one layer it is the first. Text: bge_gemma() with another prompt."""
    kind = "gemma"
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokenizers[kind], **special_tokens(kind))
    config = transformers.Gemma2Config(vocab_size=len(tokenizer) + 3, **GEMMA2)
    network = transformers.Gemma2ForCausalLM._from_config(config, attn_implementation="eager").eval()
    tensors = weights(network, seed)
    layers = config.num_hidden_layers
    heads = {f"lm_head.{index}.linear_head.weight": [1, config.hidden_size] for index in range(layers + 1 - START_LAYER)}
    values = {"seed": seed, "scales": causal.SCALES}
    head = torch.from_numpy(golden.tensor_values(values, "lm_head.0.linear_head.weight", [1, config.hidden_size])).double()[0]
    pairs = PAIRS + ENDS
    calls = []
    for cutoff, prompt in [(None, None), (START_LAYER, None), (layers - 1, JUDGE)]:
        layer = layers if cutoff is None else cutoff
        text = prompt or "Predict whether passage B contains an answer to query A."
        ids = [bge_gemma(tokenizer, query, document, text) for query, document in pairs]
        logits = []
        for row in ids:
            last = last_state(network, row, layer)
            cap = config.final_logit_softcapping
            logits.append(float(f"{float(torch.tanh(head @ last / cap) * cap):.9g}"))
        print(name, cutoff, prompt, "std", float(torch.tensor(logits).std()), flush=True)
        calls.append({"cutoffLayer": cutoff, "prompt": prompt, "ids": ids, "logits": logits})
    made = entry(name, seed, kind, network, {**tensors, **heads}, tokenizers, {}, ends=ENDS, calls=calls)
    # The keys of the published one, which transformers 4.42 wrote.
    later = ("layer_types", "rope_parameters", "transformers_version", "use_bidirectional_attention")
    own = {key: value for key, value in made["config"].items() if key not in later}
    module = "BAAI/bge-reranker-v2.5-gemma2-lightweight--gemma_model"
    made["config"] = {**own, "architectures": ["CostWiseGemmaForCausalLM"], "model_type": "cost_wise_gemma",
                      "auto_map": {"AutoModelForCausalLM": f"{module}.CostWiseGemmaForCausalLM"}, **GEMMA2,
                      "cache_implementation": "hybrid", "hidden_act": "gelu_pytorch_tanh", "rope_theta": 10000.0,
                      "sliding_window_size": GEMMA2["sliding_window"], "torch_dtype": "float32",
                      "start_layer": START_LAYER, "layer_sep": 1, "layer_wise": True}
    return made


def saved_files(modality):
    return {
        "modules.json": causal.MODULES[:1],
        "sentence_bert_config.json": {"transformer_task": "sequence-classification", "modality_config": modality,
                                      "module_output_name": "scores",
                                      "processing_kwargs": {"chat_template": {"add_generation_prompt": True}}},
        "config_sentence_transformers.json": {"model_type": "CrossEncoder"},
    }


MESSAGES = {"text": causal.LOGITS, "message": {**causal.LOGITS, "format": "flat"}}
# name: model_type, configuration, files, prompts
TEMPLATED = {
    "headed-turns": ("qwen3", causal.QWEN3, {"chat_template.jinja": causal.TURNS}, [None, JUDGE]),
    "headed-saved": ("qwen2", causal.BASE, {"chat_template.jinja": causal.TURNS, **saved_files(MESSAGES)}, [None, JUDGE]),
    "headed-saved-texts": ("llama", causal.BASE, {"chat_template.jinja": causal.TURNS,
                                                  **saved_files({"text": causal.LOGITS})}, [None, "p "]),
}


def templated(name, seed, tokenizer):
    model_type, sizes, files, prompts = TEMPLATED[name]
    config = transformers.AutoConfig.for_model(model_type, vocab_size=tokenizer.get_vocab_size() + 3, num_labels=1, **sizes)
    config.pad_token_id = tokenizer.token_to_id("<|end|>")
    network = transformers.AutoModelForSequenceClassification.from_config(config).eval()
    tensors = weights(network, seed)
    content = {**network.config.to_diff_dict(), "architectures": [type(network).__name__], "model_type": model_type}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        own = causal.tokenizer_files(tokenizer, model_type, {})
        causal.write(folder, {"config.json": content, **own, **files})
        save_file({key: value.float() for key, value in network.state_dict().items()}, folder / "model.safetensors",
                  metadata={"format": "pt"})
        expected = causal.measure(folder, prompts, model_type)
    return {"name": name, "seed": seed, "config": content, "tensors": tensors, "files": files, "expected": expected,
            "tokenizerConfig": own["tokenizer_config.json"], "postProcessor": own["tokenizer.json"]["post_processor"]}


def main():
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    tokenizers = {"qwen": qwen_tokenizer(), "gemma": gemma_tokenizer(), "minicpm": minicpm_tokenizer()}
    entries = []
    for seed, (name, (kind, model_type, config, encode, counted, divisor, prompts)) in enumerate(CASES.items(), 701):
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokenizers[kind], **special_tokens(kind))
        config = transformers.AutoConfig.for_model(model_type, vocab_size=len(tokenizer) + 3, **config)
        network = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        tensors = weights(network, seed)
        ids_of = [token if isinstance(token, int) else plain(tokenizer, token)[0] for token in counted]
        calls = []
        ends = ENDS if encode in BY_PARTS else []
        pairs = PAIRS + ends
        for prompt in prompts:
            ids = [encode(tokenizer, query, document, prompt) for query, document in pairs]
            logits = []
            for row in ids:
                with torch.no_grad():
                    last = network(input_ids=torch.tensor([row])).logits[0, -1]
                if len(ids_of) > 2:
                    score = expectation(last, ids_of)
                else:
                    score = last[ids_of[0]] - (last[ids_of[1]] if len(ids_of) > 1 else 0)
                logits.append(float(f"{float(score) / divisor:.9g}"))
            print(name, prompt, [len(row) for row in ids], "std", float(torch.tensor(logits).std()), flush=True)
            calls.append({"prompt": prompt, "ids": ids, "logits": logits})
        entries.append(entry(name, seed, kind, network, tensors, tokenizers, {}, ends=ends, calls=calls))
    rewards = [reward(name, seed, tokenizers) for seed, name in enumerate(REWARDS, 751)]
    small = Tokenizer.from_file(str(ROOT / "test/fixtures/causal-rerankers/tokenizer.json"))
    headed = [templated(name, seed, small) for seed, name in enumerate(TEMPLATED, 771)]
    lines = [json.dumps({"scales": causal.SCALES, "pairs": PAIRS, "chats": CHATS, "rewards": rewards, "templated": headed,
                         "layerwise": layerwise("bge-reranker-v2-minicpm-layerwise", 791, tokenizers),
                         "lightweight": lightweight("bge-reranker-v2.5-gemma2-lightweight", 792, tokenizers),
                         "tokenizers": {kind: json.loads(own.to_str()) for kind, own in tokenizers.items()}},
                        ensure_ascii=False)[:-1] + ', "models": [']
    lines += [",\n".join(json.dumps(entry) for entry in entries), "]}"]
    (OUT / "models.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
