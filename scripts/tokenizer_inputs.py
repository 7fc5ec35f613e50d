"""Tokenizers that give their models other inputs: for check-configurations.py --inputs.

For every class of tokenizers with every model that has segments: `model_input_names` of several kinds, and templates with
several segments. What is compared is what transformers' pipeline for texts makes of them. Classes that lost their segments in
transformers 5 are asked for them, and `warns` says whether that makes a difference, of which `convert` has to warn.
"""
import copy
import json
import os

import torch
import transformers
from safetensors.torch import save_file
from transformers.pipelines.text_classification import TextClassificationPipeline

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "</s>", "<unk>", "<pad>", "<mask>", "<cls>", "<sep>", "<eop>", "<eod>",
          "en_XX"]
ROLES = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]", "bos": "[CLS]", "eos": "[SEP]"}
WORDS = [f"w{n}" for n in range(10, 60)]
CLASSES = {
    "WordPiece": ["BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "SqueezeBertTokenizer",
                  "ConvBertTokenizer", "LayoutLMTokenizer", "LxmertTokenizer", "MPNetTokenizer", "EsmTokenizer",
                  "PreTrainedTokenizerFast", None],
    "bytes": ["RobertaTokenizer", "BartTokenizer", "LongformerTokenizer", "GPT2Tokenizer", "CodeGenTokenizer", "GPTNeoXTokenizer",
              "DebertaTokenizer", "Qwen2Tokenizer", "LukeTokenizer", "BloomTokenizer"],
    "characters": ["LlamaTokenizer", "GemmaTokenizer", "PreTrainedTokenizerFast"],
    "Unigram": ["XLMRobertaTokenizer", "CamembertTokenizer", "AlbertTokenizer", "RemBertTokenizer", "XLNetTokenizer", "T5Tokenizer",
                "DebertaV2Tokenizer", "BigBirdTokenizer", "MBartTokenizer", "MLukeTokenizer", "PreTrainedTokenizerFast"],
}
# Tried with every model.
COMMON = ("BertTokenizer", "DistilBertTokenizer", "RobertaTokenizer", "GPT2Tokenizer", "XLMRobertaTokenizer", "AlbertTokenizer",
          "XLNetTokenizer", "DebertaV2Tokenizer", "BigBirdTokenizer", "PreTrainedTokenizerFast", None)
# Those which transformers 5 leaves without segments, and version 4 did not.
LOST = ("TokenizersBackend", "AlbertTokenizer", "RemBertTokenizer", "XLNetTokenizer")
TYPES, MASK = "token_type_ids", "attention_mask"
NAMES = [{}, *({"model_input_names": ["input_ids", *names]} for names in ([TYPES, MASK], [MASK], [TYPES], [])),
         {"return_token_type_ids": True}]
# Of models without a class for segments of their own.
SIZES = {"bert": [2, 1], "roberta": [1, 2], "deberta": [0, 2], "deberta-v2": [0, 2], "xlnet": [None], "mpnet": [None],
         "longformer": [1, 2], "luke": [2, 1], "ernie": [4], "gte": [0, 2], "data2vec-text": [1, 2], "xlm-roberta": [1, 2],
         **{kind: [2] for kind in ("electra", "megatron-bert", "albert", "rembert", "mobilebert", "squeezebert", "nomic_bert",
                                   "jina_embeddings_v3", "big_bird", "roberta-prelayernorm", "camembert", "distilbert")}}


def template(single, pair):
    def pieces(text):
        for part in text.split():
            name, segment = part.split(":")
            yield {"Sequence" if name in "AB" else "SpecialToken": {"id": name, "type_id": int(segment)}}
    tokens = {name: {"id": name, "ids": [TOKENS.index(name)], "tokens": [name]} for name in ("[CLS]", "[SEP]")}
    return {"type": "TemplateProcessing", "single": [*pieces(single)], "pair": [*pieces(pair)], "special_tokens": tokens}


BERT = {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
TEXT = "[CLS]:0 A:0 [SEP]:0"
TEMPLATES = [None, template(TEXT, f"{TEXT} B:1 [SEP]:1"), template(TEXT, f"{TEXT} B:2 [SEP]:2"),
             template("[CLS]:1 A:0 [SEP]:0", f"{TEXT} B:0 [SEP]:1"), template(TEXT, f"{TEXT} B:0 [SEP]:0"), BERT,
             {"type": "Sequence", "processors": [BYTES, template(TEXT, f"{TEXT} B:1 [SEP]:1")]},
             {**BERT, "type": "RobertaProcessing", "trim_offsets": True, "add_prefix_space": False}, BYTES]


def tokenizer_file(kind):
    added = [{"id": TOKENS.index(token), "content": token, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": True} for token in TOKENS[:5]]
    parts = {"normalizer": None, "pre_tokenizer": {"type": "Whitespace"}, "decoder": None}
    if kind == "WordPiece":
        model = {"unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                 "vocab": {token: index for index, token in enumerate([*TOKENS, *WORDS])}}
        parts |= {"normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                                 "lowercase": True}, "pre_tokenizer": {"type": "BertPreTokenizer"}}
    elif kind == "Unigram":
        model = {"unk_id": 1, "byte_fallback": False, "vocab": [*([token, 0.0] for token in TOKENS),
                                                                *([f"\u2581{word}", -2.0] for word in WORDS), ["\u2581", -3.0]]}
        parts["pre_tokenizer"] = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
    else:
        space = "\u0120" if kind == "bytes" else "\u2581"
        merges = [(space, "w"), *((f"{space}w", digit) for digit in "12345"),
                  *((f"{space}w{n // 10}", str(n % 10)) for n in range(10, 60))]
        vocab = [*TOKENS, space, *"w0123456789", *("".join(merge) for merge in merges)]
        model = {"dropout": None, "unk_token": None if kind == "bytes" else "[UNK]", "byte_fallback": False, "fuse_unk": False,
                 "continuing_subword_prefix": None, "end_of_word_suffix": None, "ignore_merges": False, "merges": merges,
                 "vocab": {token: index for index, token in enumerate(vocab)}}
        parts["pre_tokenizer"] = {**BYTES, "add_prefix_space": True} if kind == "bytes" else {
            "type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": False}
    kind = "BPE" if kind in ("bytes", "characters") else kind
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, **parts, "model": {"type": kind, **model}}


def tokenizers(is_full):
    """Labels, and the two files."""
    for kind, names in CLASSES.items():
        for name in names if is_full else set(names) & set(COMMON):
            for inputs in NAMES if is_full else NAMES[:3]:
                for index, processor in enumerate(TEMPLATES if is_full else TEMPLATES[1:3]):
                    config = {**{f"{role}_token": token for role, token in ROLES.items()}, **inputs, "extra_ids": 0}
                    if name is not None:
                        config["tokenizer_class"] = name
                    file = {**tokenizer_file(kind), "post_processor": processor}
                    yield f"{name or kind}, {json.dumps(inputs)}, template {index}", file, config


def items(rng):
    words = lambda length: " ".join(rng.choices(WORDS, k=length))  # noqa: E731
    return [words(1), words(9), [words(2), words(7)], words(4), [words(11), words(1)], [words(3), words(3)]]


def logits(pipeline, item, **asked):
    text = item if isinstance(item, str) else {"text": item[0], "text_pair": item[1]}
    try:
        with torch.inference_mode():
            return pipeline._forward(pipeline.preprocess(text, **asked)).logits[0].double().tolist()
    except Exception:  # noqa: BLE001 - whatever it is, there is nothing to compare
        return None


def write_all(helpers, bases, out):
    """cases.json and checkpoints of every base."""
    inputs = items(helpers.RANDOM)
    found, seen = {}, set()
    for kind, name, config, model_class, base in bases:
        for size in SIZES.get(kind, []) if kind not in seen else []:
            seen.add(kind)
            changed = {**copy.deepcopy(base), **({} if size is None else {"type_vocab_size": size})}
            network = model_class(type(config).from_dict(copy.deepcopy(changed))).float().eval()
            state = helpers.weights(network)
            network.load_state_dict(state, strict=False)
            (out / kind).mkdir(parents=True, exist_ok=True)
            weights = out / kind / f"{size}.safetensors"
            save_file(state, weights, metadata={"format": "pt"})
            cases = found.setdefault(kind, [])
            for label, file, tokenizer_config in tokenizers(kind == "bert" and size == 2):
                folder = out / kind / f"{len(cases):04}"
                folder.mkdir()
                for path, content in {"config.json": changed, "tokenizer.json": file, "tokenizer_config.json": tokenizer_config}.items():
                    (folder / path).write_text(json.dumps(content))
                case = {"label": f"{name} {size}, {label}", "folder": folder.name, "rows": None}
                cases.append(case)
                os.link(weights, folder / "model.safetensors")
                pipeline = object.__new__(TextClassificationPipeline)
                try:
                    pipeline.model, pipeline.tokenizer = network, transformers.AutoTokenizer.from_pretrained(folder)
                except Exception as error:  # noqa: BLE001
                    case["error"] = f"{type(error).__name__}: {error}"[:200]
                    continue
                plain = rows = [logits(pipeline, item) for item in inputs]
                if type(pipeline.tokenizer).__name__ in LOST and "model_input_names" not in tokenizer_config:
                    rows = [logits(pipeline, item, return_token_type_ids=True) for item in inputs]
                    if size in (0, 1) or kind == "distilbert":
                        rows = plain
                case |= {"rows": rows if any(rows) else None, "warns": rows != plain}
            (out / kind / "cases.json").write_text(json.dumps({"items": inputs, "cases": cases}))
            print(kind, name, size, len(cases), "cases", flush=True)
