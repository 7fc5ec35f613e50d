#!/usr/bin/env python3
"""Small models of late interaction, with the scores that sentence-transformers' MultiVectorEncoder gives them.

    python scripts/make-late-interaction-fixtures.py

Writes test/fixtures/late-interaction/models.json: for each model its configuration, the shapes of its tensors and its
modules' (values are make-golden.py's function of seed and name, that of a module's tensor with the folder in front), its
other files, and what MultiVectorEncoder(folder) makes of the texts: the tokens of queries and documents, and the scores of
all pairs. Files of PyLate and of Stanford's ColBERT are written here as those write them, the others by save_pretrained. The
tokenizers are that of test/fixtures/causal-rerankers with another post-processor and a mask token, and the WordPiece
one made here.

Made with sentence-transformers 6.0.1, transformers 5.18.0, tokenizers 0.23.2, torch 2.13.0.
"""
import importlib
import json
import logging
import string
import tempfile
from pathlib import Path

import lfm2_bidirectional_reference  # registers its classes
import torch
import transformers
from safetensors.torch import save_file
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "test/fixtures/late-interaction"
golden = importlib.import_module("make-golden")

SCALES = {"embedding": 0.2, "linear": 2.2, "bias": 0.1, "norm": 0.2, "classifier": 4}
LONG = "The rivers of the north run to a cold sea, and ships wait there for the wind. " * 4
QUERIES = ["how do plants make food", "", "WHICH SEA?", LONG, "\u00dcn\u00efc\u00f6d\u00e9 \u6f22\u5b57 \u0440\u0435\u043a\u0430 \U0001f600", "?!"]
DOCUMENTS = ["Leaves turn light into sugar.", "Iron rusts in wet air", "", ". , ! ? ; :", LONG, "SALT, AND WATER: FROM THE SOIL!",
             "\u6f22\u5b57 \u304b\u306a, \u0440\u0435\u043a\u0430 \u00e9e\u0301 \U0001f600 x", "(a) [b] #c", "[MASK] [unused0] <mask> [Q] [q] x"]

BASE = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, max_position_embeddings=72)
MODERNBERT = {**BASE, "num_hidden_layers": 4, "local_attention": 12, "bos_token_id": 3, "cls_token_id": 3,
              "eos_token_id": 0, "sep_token_id": 0, "pad_token_id": 1}
ROBERTA = {**BASE, "max_position_embeddings": 74, "type_vocab_size": 1, "pad_token_id": 1}
DISTILBERT = dict(dim=32, n_layers=2, n_heads=4, hidden_dim=48, max_position_embeddings=72, pad_token_id=0)
DECODER = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=48,
               head_dim=8, max_position_embeddings=72, pad_token_id=1)
# Of layers that convolve over a few tokens. Both that and attention reach tokens that fill a query up.
LFM2 = {key: value for key, value in DECODER.items() if key != "head_dim"} | {
    "num_hidden_layers": 4, "block_multiple_of": 16, "layer_types": ["conv", "conv", "full_attention", "conv"],
    "rope_parameters": {"rope_type": "default", "rope_theta": 100.0}}
DENSE_CLASS = "sentence_transformers.base.modules.dense.Dense"
TRANSFORMER_CLASS = "sentence_transformers.models.Transformer"
IDENTITY = "torch.nn.modules.linear.Identity"

WORDS = """the of and to in how do plants make food leaf leaves turn light into sugar iron rust wet air river run cold sea which
salt water from soil query document ship wait there for wind north""".split()
ENDINGS = ["##" + ending for ending in [*string.ascii_lowercase, *string.digits, "s", "ing"]]
OTHERS = list("\u6f22\u5b57\u304b\u306a\u0440\u0435\u043a\u0430") + ["##\u0435", "##\u043a", "##\u0430", "##\u306a"]


def wordpiece(added=()):
    """BERT's tokenizer, uncased, and its settings; `added`: contents as PyLate adds them."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens = dict.fromkeys([*special, *[f"[unused{i}]" for i in range(3)], *string.punctuation, *string.digits,
                            *string.ascii_lowercase, *WORDS, *ENDINGS, *OTHERS])
    vocab = {token: index for index, token in enumerate(tokens)}
    flags = {"single_word": False, "lstrip": False, "rstrip": False}
    placed = [{"id": vocab[token], "content": token, **flags, "normalized": False, "special": True} for token in special]
    placed += [{"id": len(vocab) + index, "content": content, **flags, "normalized": True, "special": False}
               for index, content in enumerate(added)]
    piece = lambda token, segment=0: {"SpecialToken": {"id": token, "type_id": segment}}
    text = lambda name, segment=0: {"Sequence": {"id": name, "type_id": segment}}
    content = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": placed,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                       "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing", "single": [piece("[CLS]"), text("A"), piece("[SEP]")],
            "pair": [piece("[CLS]"), text("A"), piece("[SEP]"), text("B", 1), piece("[SEP]", 1)],
            "special_tokens": {token: {"id": token, "ids": [vocab[token]], "tokens": [token]} for token in ("[CLS]", "[SEP]")},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": vocab},
    }
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 64,
              **{f"{role}_token": f"[{role.upper()}]" for role in ("pad", "unk", "cls", "sep", "mask")}}
    if added:
        config["added_tokens_decoder"] = {str(token["id"]): {key: token[key] for key in token if key != "id"}
                                          for token in placed}
    return len(vocab) + len(added), content, config


def byte_pairs(mask=True):
    """That of test/fixtures/causal-rerankers as an encoder's."""
    content = json.loads((ROOT / "test/fixtures/causal-rerankers/tokenizer.json").read_text(encoding="utf-8"))
    ids = {token["content"]: token["id"] for token in content["added_tokens"]}
    special = lambda token: {"SpecialToken": {"id": token, "type_id": 0}}
    text = lambda name: {"Sequence": {"id": name, "type_id": 0}}
    content["post_processor"] = {
        "type": "TemplateProcessing", "single": [special("<|begin|>"), text("A"), special("<|end|>")],
        "pair": [special("<|begin|>"), text("A"), special("<|end|>"), text("B"), special("<|end|>")],
        "special_tokens": {token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in ("<|begin|>", "<|end|>")},
    }
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "cls_token": "<|begin|>", "sep_token": "<|end|>",
              "pad_token": "<|turn|>", "model_max_length": 64, "model_input_names": ["input_ids", "attention_mask"],
              **({"mask_token": "<|stop|>"} if mask else {"eos_token": "<|end|>"})}
    return 704, content, config


def pylate(settings, layers, dense_class=DENSE_CLASS, transformer=None):
    """The files of a model of PyLate, by path; `layers`: settings of its Dense modules."""
    modules = [{"idx": 0, "name": "0", "path": "", "type": TRANSFORMER_CLASS}]
    modules += [{"idx": index, "name": str(index), "path": f"{index}_Dense", "type": dense_class}
                for index in range(1, len(layers) + 1)]
    return {"modules.json": modules, "config_sentence_transformers.json": settings,
            "sentence_bert_config.json": transformer or {"max_seq_length": 48, "do_lower_case": False},
            **{f"{index}_Dense/config.json": layer for index, layer in enumerate(layers, 1)}}


def dense(inputs, outputs, bias=False, activation=IDENTITY, **more):
    return {"in_features": inputs, "out_features": outputs, "bias": bias, "activation_function": activation, **more}


def layer(inputs, outputs, activation=torch.nn.Identity(), **more):
    return Dense(inputs, outputs, activation_function=activation, module_input_name="token_embeddings", **more)


# name: (model type, class of the checkpoint, configuration, tokenizer, files, or a function of the folder to modules and
# further arguments)
CASES = {
    "pylate-bert": ("bert", "BertModel", BASE, wordpiece(["[Q] ", "[D] "]), pylate({
        "__version__": {"sentence_transformers": "5.1.1", "transformers": "4.56.2", "pytorch": "2.8.0"},
        "model_type": "ColBERT", "prompts": {}, "default_prompt_name": None, "similarity_fn_name": "MaxSim",
        "query_prefix": "[Q] ", "document_prefix": "[D] ", "query_length": 14, "document_length": 26,
        "attend_to_expansion_tokens": False, "do_query_expansion": True}, [dense(32, 16)], "pylate.models.Dense.Dense")),
    # From before the kind of a model was saved; prefixes that are no tokens, and layers that become one.
    "pylate-modernbert": ("modernbert", "ModernBertModel", MODERNBERT, byte_pairs(), pylate({
        "prompts": {"query": "[Q] Search: ", "document": ""}, "default_prompt_name": None, "similarity_fn_name": "MaxSim",
        "query_prefix": "[Q] ", "document_prefix": "[D] ", "query_length": 12, "document_length": 40,
        "attend_to_expansion_tokens": False, "do_query_expansion": False, "skiplist_words": [".", ",", "?", "s"]},
        [dense(32, 48, use_residual=True), dense(48, 48, bias=True, use_residual=True), dense(48, 12, bias=True)],
        "pylate.models.Dense.Dense")),
    # A layer with a window, behind which some of what fills short queries up lies and sees nothing.
    "pylate-window": ("modernbert", "ModernBertModel", MODERNBERT, byte_pairs(), pylate({
        "similarity_fn_name": "MaxSim", "query_prefix": "<|stop|>", "document_prefix": "<think>", "query_length": 20,
        "document_length": 64, "skiplist_words": []}, [dense(32, 24, bias=True)])),
    "native-distilbert": ("distilbert", "DistilBertModel", DISTILBERT, wordpiece(), lambda folder: (
        [Transformer(folder, query_length=20, document_length=30,
                     query_expansion={"strategy": "min", "attend": True, "length": 12}),
         layer(32, 12, bias=False),
         MultiVectorMask(skiplist_words=list(string.punctuation), skiplist_tasks=["query", "document"]),
         Normalize(module_input_name="token_embeddings")],
        {"prompts": {"query": "query: ", "document": "document: "}, "similarity_fn_name": "meanmaxsim"})),
    "native-roberta": ("roberta", "RobertaModel", ROBERTA, byte_pairs(), lambda folder: (
        [Transformer(folder, query_expansion={"strategy": "fixed", "attend": False, "length": 16, "token": "x"}),
         layer(32, 40, torch.nn.GELU()), layer(40, 10), MultiVectorMask()], {})),
    "native-states": ("electra", "ElectraModel", {**BASE, "embedding_size": 24}, wordpiece(), lambda folder: (
        [Transformer(folder, document_length=40), layer(32, 32, torch.nn.Tanh(), bias=False),
         Normalize(module_input_name="token_embeddings"),
         # Documents of these alone have nothing that scores.
         MultiVectorMask(skiplist_words=["[CLS]", "[SEP]", "[UNK]", *string.punctuation])], {})),
    "native-qwen3": ("qwen3", "Qwen3Model", DECODER, byte_pairs(mask=False), lambda folder: (
        [Transformer(folder, query_length=30, query_expansion={"strategy": "min", "attend": False, "length": 10}),
         layer(32, 20), MultiVectorMask(skiplist_words=["."]), Normalize(module_input_name="token_embeddings")],
        {"prompts": {"query": "Question ", "document": ""}})),
    "stanford-bert": ("bert", "HF_ColBERT", BASE, wordpiece(), {"artifact.metadata": {
        "query_maxlen": 18, "doc_maxlen": 28, "mask_punctuation": True, "attend_to_mask_tokens": False,
        "query_token": "[Q]", "query_token_id": "[unused0]", "doc_token": "[D]", "doc_token_id": "[unused1]", "dim": 16}}),
    # Without settings: those of Stanford's class.
    "stanford-defaults": ("bert", "HF_ColBERT", BASE, wordpiece(), {}),
    "pylate-lfm2": ("lfm2", "Lfm2Model", LFM2, byte_pairs(mask=False), pylate({
        "model_type": "ColBERT", "similarity_fn_name": "MaxSim", "query_prefix": "[Q] ", "document_prefix": "[D] ",
        "query_length": 16, "document_length": 40, "attend_to_expansion_tokens": False, "do_query_expansion": True},
        [dense(32, 16)], "pylate.models.Dense.Dense")),
    "pylate-lfm2-biases": ("lfm2", "Lfm2Model", {**LFM2, "conv_bias": True, "conv_L_cache": 4}, byte_pairs(mask=False), pylate({
        "model_type": "ColBERT", "similarity_fn_name": "MaxSim", "query_prefix": "[Q] ", "document_prefix": "",
        "query_length": 16, "document_length": 40, "attend_to_expansion_tokens": False, "do_query_expansion": True},
        [dense(32, 16)], "pylate.models.Dense.Dense")),
    "native-lfm2": ("lfm2", "Lfm2Model", {**LFM2, "num_hidden_layers": 2, "layer_types": ["full_attention", "conv"]},
                    byte_pairs(mask=False), lambda folder: (
        [Transformer(folder, query_length=30, query_expansion={"strategy": "min", "attend": True, "length": 10}),
         layer(32, 20), MultiVectorMask(skiplist_words=["."]), Normalize(module_input_name="token_embeddings")],
        {"prompts": {"query": "Question ", "document": ""}})),
    "pylate-lfm2-bidirectional": ("lfm2_bidirectional", "Lfm2BidirectionalModel", LFM2, byte_pairs(mask=False), pylate({
        "model_type": "ColBERT", "similarity_fn_name": "MaxSim", "query_prefix": "[Q] ", "document_prefix": "[D] ",
        "query_length": 16, "document_length": 40, "attend_to_expansion_tokens": False, "do_query_expansion": True},
        [dense(32, 16)], "pylate.models.Dense.Dense")),
    "pylate-lfm2-own-code": ("lfm2_bidirectional", "Lfm2BidirectionalModel", {**LFM2, "conv_zero_padding": False, "conv_L_cache": 4},
                             byte_pairs(mask=False), pylate({
        "model_type": "ColBERT", "similarity_fn_name": "MaxSim", "query_prefix": "[Q] ", "document_prefix": "[D] ",
        "query_length": 16, "document_length": 40, "attend_to_expansion_tokens": False, "do_query_expansion": True},
        [dense(32, 16)], "pylate.models.Dense.Dense")),
}
# What config.json says in the place of the above where the class was published as the repository's own code.
OWN_CODE = {"pylate-lfm2-own-code": {"model_type": "lfm2", "conv_zero_padding": None,
                                     "auto_map": {"AutoModel": "modeling_lfm2_bidirectional.Lfm2BidirectionalModel"}}}


def write(folder, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(content), encoding="utf-8")


def write_weights(folder, values):
    """The tensors, each in the file of its folder, without the folder's name."""
    for place in {name.rpartition("/")[0] for name in values}:
        own = {name.rpartition("/")[2]: value for name, value in values.items() if name.rpartition("/")[0] == place}
        save_file(own, folder / place / "model.safetensors", metadata={"format": "pt"})


def saved_files(folder, make, own):
    """The JSON files of save_pretrained but for the model's and the tokenizer's, and the shapes of the modules' tensors."""
    modules, arguments = make(str(folder))
    encoder = MultiVectorEncoder(modules=modules, device="cpu", **arguments)
    with tempfile.TemporaryDirectory() as temporary:
        encoder.save_pretrained(temporary)
        paths = [path for path in Path(temporary).rglob("*.json") if path.name not in ("config.json", *own)]
        paths += Path(temporary).glob("*/config.json")
        files = {str(path.relative_to(temporary)): json.loads(path.read_text()) for path in sorted(paths)}
    shapes = {f"{index}_{type(module).__name__}/{name}": list(tensor.shape)
              for index, module in enumerate(modules[1:], 1) for name, tensor in module.state_dict().items()}
    return files, shapes


def shapes_of_layers(files):
    """Of PyLate's files, which are written here."""
    shapes = {}
    for path, config in files.items():
        if not path.endswith("_Dense/config.json"):
            continue
        place, inputs, outputs = path.split("/")[0], config["in_features"], config["out_features"]
        shapes[f"{place}/linear.weight"] = [outputs, inputs]
        if config["bias"]:
            shapes[f"{place}/linear.bias"] = [outputs]
        if config.get("use_residual") and inputs != outputs:
            shapes[f"{place}/residual.weight"] = [outputs, inputs]
    return shapes


def tokens_of(encoder, texts, task):
    """Of each text alone; those that fill it up included."""
    rows = []
    for text in texts:
        features = encoder.preprocess([text], prompt=encoder.prompts[task], task=task)
        keep = features["attention_mask"].bool()
        if "query_expansion_positions" in features:
            keep |= features["query_expansion_positions"].bool()
        rows.append(features["input_ids"][keep].tolist())
    return rows


@torch.no_grad()
def measure(folder):
    # In f64, where sums of small differences do not say which f32 was used.
    encoder = MultiVectorEncoder(str(folder), device="cpu").double()
    encoder.eval()
    scores = encoder.similarity(encoder.encode_query(QUERIES, batch_size=1), encoder.encode_document(DOCUMENTS, batch_size=1))
    result = {"queries": tokens_of(encoder, QUERIES, "query"), "documents": tokens_of(encoder, DOCUMENTS, "document"),
              "scores": [[float(f"{score:.9g}") for score in row] for row in scores.tolist()]}
    real = scores[scores > -1e8]
    print(folder.name, "queries", [len(row) for row in result["queries"]], "documents",
          [len(row) for row in result["documents"]], "scores", float(real.min()), float(real.max()), "std",
          float(scores[:, :2].std()), "empty", int((scores < -1e8).sum()), flush=True)
    return result


def main():
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    entries = []
    for seed, (name, (model_type, class_name, config, (size, content, tokenizer), own)) in enumerate(CASES.items(), 1301):
        config = transformers.AutoConfig.for_model(model_type, vocab_size=size, **config)
        network = transformers.AutoModel.from_config(config)
        model = {"seed": seed, "scales": SCALES}
        is_stanford = class_name == "HF_ColBERT"
        shapes = {("bert." if is_stanford else "") + key: list(tensor.shape) for key, tensor in network.state_dict().items()
                  if tensor.dtype == torch.float32}
        if is_stanford:
            shapes["linear.weight"] = [16, 32]
        written = {"tokenizer.json": content, "tokenizer_config.json": tokenizer}
        config = {**config.to_diff_dict(), "architectures": [class_name], "model_type": model_type}
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / name
            folder.mkdir()
            write(folder, {"config.json": config, **written})
            values = lambda: {key: torch.from_numpy(golden.tensor_values(model, key, tuple(shape)))
                              for key, shape in shapes.items()}
            write_weights(folder, values())
            files, more = saved_files(folder, own, written) if callable(own) else (own, shapes_of_layers(own))
            shapes.update(more)
            write(folder, files)
            write_weights(folder, values())
            expected = measure(folder)
            config.update(OWN_CODE.get(name, {}))
        is_word_piece = content["model"]["type"] == "WordPiece"
        entries.append({"name": name, "seed": seed, "config": config, "tensors": shapes, "tokenizerConfig": tokenizer,
                        "postProcessor": content["post_processor"],
                        "addedTokens": content["added_tokens"] if is_word_piece else None,
                        "files": files, "expected": expected})
    _, content, _ = wordpiece()
    OUT.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"scales": SCALES, "queries": QUERIES, "documents": DOCUMENTS, "wordPiece": content})[:-1]
             + ', "models": [']
    lines += [",\n".join(json.dumps(entry) for entry in entries), "]}"]
    (OUT / "models.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
