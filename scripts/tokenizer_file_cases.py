"""Checkpoint folders with the tokenizer files of each class, for make-convert-fixtures.py."""
import base64

from sentencepiece import sentencepiece_model_pb2

SPACE = "\u2581"


def token(content, **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, **flags}


def small_charsmap():
    """A precompiled charsmap that makes y of x: the root, x, and its replacement in a double array of four."""
    units = [0x79 << 10, (1 ^ 2) << 10 | 1 << 8 | ord("x"), 1 << 31, 0]
    data = b"".join(unit.to_bytes(4, "little") for unit in units)
    return base64.b64encode(len(data).to_bytes(4, "little") + data + b"y\0").decode()


def bpe(vocab, merges, **options):
    return {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
        "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": {t: i for i, t in enumerate(vocab)},
        "merges": merges, **options,
    }  # fmt: skip


def unigram(pieces, unk_id):
    return {"type": "Unigram", "unk_id": unk_id, "vocab": [list(p) for p in pieces], "byte_fallback": False}


def document(model, added=(), **parts):
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, **token(content, special=True)} for i, content in added],
        "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None, **parts, "model": model,
    }  # fmt: skip


BYTES = ["a", "b", "\u0120", "ab", "\u0120ab"]
MERGES = [["a", "b"], ["\u0120", "ab"]]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", *BYTES, "<mask>"]
ROBERTA_PROCESSING = {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": True, "add_prefix_space": False}
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
MERGES_TXT = "#version: 0.2\na b\n\u0120 ab\n"
CHARACTERS = ["<unk>", "<s>", "</s>", SPACE, "a", "b", "ab", "<0x0A>"]
CHARACTER_MERGES = [["a", "b"]]
PIECES = [(SPACE, -2.0), ("a", -3.25), ("b", -3.0000000000000004), (SPACE + "a", -1.5)]


def template(single, pair, ids):
    def part(text):
        name, _, segment = text.partition(":")
        kind = "Sequence" if name in ("$A", "$B") else "SpecialToken"
        return {kind: {"id": name.lstrip("$"), "type_id": int(segment or 0)}}

    return {
        "type": "TemplateProcessing",
        "single": [part(p) for p in single.split()],
        "pair": [part(p) for p in pair.split()],
        "special_tokens": {name: {"id": name, "ids": [i], "tokens": [name]} for name, i in ids.items()},
    }


PIECE_KINDS = {"<unk>": 2, "[UNK]": 2, "<s>": 3, "</s>": 3, "<bos>": 3, "<eos>": 3, "<pad>": 3, "[PAD]": 3, "[CLS]": 3, "[SEP]": 3}


def sentencepiece_model(pieces, kind="unigram", charsmap=False, user_defined=(), control=(), **trainer):
    """The file that SentencePiece writes, with exactly these pieces; its scores are f32."""
    proto = sentencepiece_model_pb2.ModelProto()
    for text, score in pieces:
        kind_of = 4 if text in user_defined else 3 if text in control else 6 if text.startswith("<0x") else PIECE_KINDS.get(text, 1)
        proto.pieces.add(piece=text, score=score, type=kind_of)
    proto.trainer_spec.model_type = {"unigram": 1, "bpe": 2}[kind]
    for key, value in trainer.items():
        setattr(proto.trainer_spec, key, value)
    proto.normalizer_spec.name = "nmt_nfkc"
    if charsmap:
        proto.normalizer_spec.precompiled_charsmap = base64.b64decode(small_charsmap())
    return proto.SerializeToString()


def sentencepiece_cases():
    """Checkpoints with a SentencePiece model and no tokenizer.json: (name, model_type, files)"""
    fairseq = sentencepiece_model([("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), *PIECES], charsmap=True, unk_id=0)
    mask = {"__type": "AddedToken", **token("<mask>", lstrip=True, special=True)}
    yield "xlm-roberta from SentencePiece", "xlm-roberta", {
        "sentencepiece.bpe.model": fairseq, "tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer", "mask_token": mask},
    }  # fmt: skip
    yield "xlm-roberta from SentencePiece alone", "xlm-roberta", {"sentencepiece.bpe.model": fairseq}
    yield "xlm-roberta from SentencePiece, with added_tokens_decoder", "xlm-roberta", {
        "sentencepiece.bpe.model": fairseq,
        "tokenizer_config.json": {
            "tokenizer_class": "XLMRobertaTokenizer",
            "added_tokens_decoder": {
                "0": token("<s>", special=True), "1": token("<pad>", special=True), "2": token("</s>", special=True),
                "3": token("<unk>", special=True), "8": token("<mask>", lstrip=True, special=True),
            },
            "additional_special_tokens": ["<new>"],
        },
    }  # fmt: skip
    own = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), ("<one>", 0.0), ("<two>", 0.0), *PIECES]
    own_model = sentencepiece_model(own, charsmap=True, user_defined=["<two>"], control=["<one>"], unk_id=0)
    yield "xlm-roberta from SentencePiece with tokens of its own", "xlm-roberta", {
        "sentencepiece.bpe.model": own_model, "tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer"},
    }  # fmt: skip
    yield "xlm-roberta from SentencePiece with tokens of its own and a list", "xlm-roberta", {
        "sentencepiece.bpe.model": own_model,
        "tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer", "additional_special_tokens": ["<new>"]},
    }  # fmt: skip
    yield "xlm-roberta from SentencePiece with tokens of its own and a new list", "xlm-roberta", {
        "sentencepiece.bpe.model": own_model,
        "tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer", "extra_special_tokens": ["<new>"]},
    }  # fmt: skip
    french = sentencepiece_model([("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), *PIECES], charsmap=True, unk_id=0)
    yield "camembert from SentencePiece", "camembert", {
        "sentencepiece.bpe.model": french, "tokenizer_config.json": {"tokenizer_class": "CamembertTokenizer"},
    }  # fmt: skip
    yield "camembert from SentencePiece, with its list", "camembert", {
        "sentencepiece.bpe.model": french,
        "tokenizer_config.json": {"tokenizer_class": "CamembertTokenizer", "additional_special_tokens": ["<s>NOTUSED", "</s>NOTUSED"]},
    }  # fmt: skip
    albert = [("<pad>", 0.0), ("<unk>", 0.0), ("[CLS]", 0.0), ("[SEP]", 0.0), ("[MASK]", 0.0), *PIECES]
    yield "albert from SentencePiece", "albert", {
        "spiece.model": sentencepiece_model(albert, charsmap=True, user_defined=["[MASK]"], unk_id=1, pad_id=0),
        "tokenizer_config.json": {"tokenizer_class": "AlbertTokenizer"},
    }  # fmt: skip
    yield "albert from SentencePiece alone, cased", "albert", {
        "spiece.model": sentencepiece_model(albert, charsmap=True, unk_id=1), "tokenizer_config.json": {"do_lower_case": False},
    }  # fmt: skip
    yield "albert from SentencePiece, with a mask that takes space and a list in special_tokens_map.json", "albert", {
        "spiece.model": sentencepiece_model(albert, charsmap=True, user_defined=["[MASK]"], unk_id=1, pad_id=0),
        "tokenizer_config.json": {"mask_token": {**mask, "content": "[MASK]"}},
        "special_tokens_map.json": {"additional_special_tokens": ["<new>"]},
    }  # fmt: skip
    rembert = [("[PAD]", 0.0), ("[UNK]", 0.0), ("<unk>", 0.0), ("[CLS]", 0.0), ("[SEP]", 0.0), ("[MASK]", 0.0), *PIECES]
    yield "rembert from SentencePiece", "rembert", {
        "sentencepiece.model": sentencepiece_model(rembert, charsmap=True, unk_id=2, pad_id=0),
        "tokenizer_config.json": {"tokenizer_class": "RemBertTokenizer", "pad_token": "[PAD]"},
    }  # fmt: skip
    big_bird = [("<pad>", 0.0), ("</s>", 0.0), ("<s>", 0.0), ("[CLS]", 0.0), ("[SEP]", 0.0), ("[MASK]", 0.0), *PIECES, ("<unk>", 0.0)]
    yield "big-bird from SentencePiece", "big_bird", {
        "spiece.model": sentencepiece_model(big_bird, charsmap=True, unk_id=10, pad_id=0, bos_id=2, eos_id=1),
        "tokenizer_config.json": {"tokenizer_class": "BigBirdTokenizer"},
    }  # fmt: skip
    deberta = [("[PAD]", 0.0), ("[CLS]", 0.0), ("[SEP]", 0.0), ("[UNK]", 0.0), *PIECES]
    deberta_model = sentencepiece_model(deberta, charsmap=True, unk_id=3, bos_id=1, eos_id=2, pad_id=0)
    deberta_config = {"do_lower_case": False, "vocab_type": "spm"}
    yield "deberta-v3 from SentencePiece", "deberta-v2", {
        "spm.model": deberta_model, "tokenizer_config.json": deberta_config, "added_tokens.json": {"[MASK]": 8},
        "special_tokens_map.json": {
            "bos_token": "[CLS]", "cls_token": "[CLS]", "eos_token": "[SEP]", "mask_token": "[MASK]", "pad_token": "[PAD]",
            "sep_token": "[SEP]", "unk_token": {**token("[UNK]", normalized=True)},
        },
    }  # fmt: skip
    yield "deberta-v2 from SentencePiece, unknown piece with a score", "deberta-v2", {
        "spm.model": sentencepiece_model([("<unk>", -5.0), *deberta], unk_id=2), "tokenizer_config.json": deberta_config,
    }  # fmt: skip
    characters = [(piece, float(-i)) for i, piece in enumerate(CHARACTERS)]
    t5_pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *PIECES]
    t5_model = sentencepiece_model(t5_pieces, charsmap=True, unk_id=2, pad_id=0, eos_id=1)
    yield "t5 from SentencePiece alone", "t5", {"spiece.model": t5_model}
    yield "t5 from SentencePiece, with its list", "t5", {
        "spiece.model": t5_model,
        "tokenizer_config.json": {"extra_ids": 2, "additional_special_tokens": ["<extra_id_0>", "<extra_id_1>"],
                                  "model_max_length": 512},
    }  # fmt: skip
    yield "t5 from SentencePiece, with a list in special_tokens_map.json", "t5", {
        "spiece.model": t5_model, "tokenizer_config.json": {"extra_ids": 2},
        "special_tokens_map.json": {"additional_special_tokens": ["<extra_id_0>", "<extra_id_1>", "<extra_id_2>"]},
    }  # fmt: skip
    yield "mt5 from SentencePiece", "mt5", {
        "spiece.model": t5_model,
        "tokenizer_config.json": {"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "additional_special_tokens": None},
    }  # fmt: skip

    for name, class_name in (("mbart", "MBartTokenizer"), ("mbart-50", "MBart50Tokenizer")):
        config = {"tokenizer_class": class_name}
        yield f"{name} from SentencePiece", "mbart", {"sentencepiece.bpe.model": fairseq, "tokenizer_config.json": config}
        yield f"{name} from SentencePiece with tokens of its own", "mbart", {
            "sentencepiece.bpe.model": own_model, "tokenizer_config.json": {**config, "src_lang": "fr_XX", "tgt_lang": "ro_RO"},
        }  # fmt: skip
        yield f"{name} from SentencePiece with tokens of its own and a list", "mbart", {
            "sentencepiece.bpe.model": own_model,
            "tokenizer_config.json": {**config, "additional_special_tokens": ["<new>", "de_DE"]},
        }  # fmt: skip
    yield "mbart from SentencePiece alone", "mbart", {"sentencepiece.bpe.model": fairseq}

    bpe_model = sentencepiece_model([*characters, (SPACE + "ab", -20.0), ("ba", -21.0), ("aba", -22.0)], "bpe", unk_id=0, byte_fallback=True)
    llama_config = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False, "legacy": False}
    yield "llama 2 from SentencePiece", "llama", {"tokenizer.model": bpe_model, "tokenizer_config.json": llama_config}
    yield "llama 2 from SentencePiece, legacy", "llama", {
        "tokenizer.model": bpe_model,
        "tokenizer_config.json": {
            **llama_config, "legacy": True, "bos_token": {"__type": "AddedToken", **token("<s>", normalized=True)},
            "added_tokens_decoder": {"0": token("<unk>", special=True), "1": token("<s>", special=True), "2": token("</s>", special=True)},
        },
    }  # fmt: skip
    yield "mistral from SentencePiece", "mistral", {"tokenizer.model": bpe_model, "tokenizer_config.json": llama_config}
    gemma = [("<pad>", 0.0), ("<eos>", 0.0), ("<bos>", 0.0), ("<unk>", 0.0), ("<mask>", 0.0), *characters[3:]]
    yield "gemma from SentencePiece", "gemma2", {
        "tokenizer.model": sentencepiece_model(gemma, "bpe", user_defined=["<mask>"], unk_id=3, byte_fallback=True),
        "tokenizer_config.json": {"tokenizer_class": "GemmaTokenizer", "add_bos_token": True},
    }  # fmt: skip


def language_cases(charsmap, metaspace, mask):
    """mBART's two classes on a file with three of their languages, and one that neither has in the vocabulary."""
    codes = ["ar_AR", "en_XX", "de_DE"]
    file = document(
        unigram([("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *PIECES, *((code, 0.0) for code in codes),
                 ("<mask>", 0.0)], 3),
        [(0, "<s>"), (1, "<pad>"), (2, "</s>"), (3, "<unk>"), (9, "en_XX"), (11, "<mask>")],
        normalizer=charsmap, pre_tokenizer=metaspace,
        post_processor=template("$A </s> ar_AR", "$A $B </s> ar_AR", {"</s>": 2, "ar_AR": 8}),
    )  # fmt: skip
    yield "mbart without a class", "mbart", {"tokenizer.json": file}
    yield "mbart under a generic class", "mbart", {
        "tokenizer.json": file, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "src_lang": "de_DE"},
    }  # fmt: skip
    yield "mbart with a language of its own", "mbart", {
        "tokenizer.json": file,
        "tokenizer_config.json": {"tokenizer_class": "MBartTokenizer", "src_lang": "xx_YY", "extra_special_tokens": ["xx_YY"]},
    }  # fmt: skip
    for name, class_name in (("mbart", "MBartTokenizer"), ("mbart-50", "MBart50TokenizerFast")):
        config = {"tokenizer_class": class_name, "src_lang": "de_DE", "tgt_lang": "ar_AR", "mask_token": mask}
        yield name, "mbart", {"tokenizer.json": file, "tokenizer_config.json": config}
        yield f"{name} with null for a language, flags and another end", "mbart", {
            "tokenizer.json": file,
            "tokenizer_config.json": {**config, "src_lang": None, "eos_token": "a", "add_bos_token": True, "add_eos_token": True,
                                      "add_prefix_space": False},
        }  # fmt: skip
        for key in ("additional_special_tokens", "extra_special_tokens"):
            yield f"{name} with {key}", "mbart", {
                "tokenizer.json": file, "tokenizer_config.json": {**config, key: ["<new>", "de_DE"]},
            }  # fmt: skip
        yield f"{name} with added_tokens_decoder", "mbart", {
            "tokenizer.json": file,
            "tokenizer_config.json": {**config, "added_tokens_decoder": {
                "0": token("<s>", special=True), "9": token("en_XX", special=True, lstrip=True), "12": token("hello"),
            }},
        }  # fmt: skip


def class_cases():
    """(name, model_type, files)"""
    roberta = document(bpe(ROBERTA, MERGES, continuing_subword_prefix="", end_of_word_suffix=""),
                       [(0, "<s>"), (1, "<pad>"), (2, "</s>"), (3, "<unk>"), (9, "<mask>")],
                       pre_tokenizer=BYTE_LEVEL, post_processor=ROBERTA_PROCESSING)  # fmt: skip
    config = {"tokenizer_class": "RobertaTokenizer"}
    mask = {"__type": "AddedToken", **token("<mask>", lstrip=True, special=True)}
    yield "roberta", "roberta", {"tokenizer.json": roberta, "tokenizer_config.json": config}
    yield "roberta without tokenizer_config.json", "roberta", {"tokenizer.json": roberta}
    yield "roberta with a prefix space and a mask", "roberta", {
        "tokenizer.json": roberta,
        "tokenizer_config.json": {**config, "add_prefix_space": True, "trim_offsets": False, "mask_token": mask},
    }
    yield "roberta with added_tokens_decoder", "roberta", {
        "tokenizer.json": roberta,
        "tokenizer_config.json": {
            **config, "added_tokens_decoder": {"9": mask, "0": token("<s>", normalized=True, special=True)},
        },
    }  # fmt: skip
    yield "roberta with added tokens that added_tokens_decoder lacks", "roberta", {
        "tokenizer.json": {**roberta, "added_tokens": [*roberta["added_tokens"], {"id": 10, **token("more", special=True)}]},
        "tokenizer_config.json": {**config, "added_tokens_decoder": {"9": mask, "10": token("other", special=True)}},
    }  # fmt: skip
    yield "a generic class with added tokens that added_tokens_decoder lacks", "roberta", {
        "tokenizer.json": {**roberta, "added_tokens": [*roberta["added_tokens"], {"id": 10, **token("more", special=True)}]},
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast",
                                  "added_tokens_decoder": {"9": mask, "11": token("other", special=True)}},
    }  # fmt: skip
    yield "roberta from vocab.json and merges.txt", "roberta", {
        "vocab.json": {t: i for i, t in enumerate(ROBERTA)}, "merges.txt": MERGES_TXT, "tokenizer_config.json": config,
    }  # fmt: skip
    yield "roberta with add_bos_token", "roberta", {
        "tokenizer.json": roberta, "tokenizer_config.json": {**config, "add_bos_token": True, "add_eos_token": True},
    }  # fmt: skip
    yield "bart in name only", "roberta", {"tokenizer.json": roberta, "tokenizer_config.json": {"tokenizer_class": "BartTokenizer"}}
    gpt2 = document(bpe([*BYTES, "<|endoftext|>"], ["a b", "\u0120 ab"]), [(5, "<|endoftext|>")], pre_tokenizer=BYTE_LEVEL)
    yield "gpt2", "gpt2", {"tokenizer.json": gpt2, "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer"}}
    yield "gpt2 with add_bos_token", "gpt2", {
        "tokenizer.json": gpt2, "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True},
    }  # fmt: skip
    yield "gpt2 from vocab.json and merges.txt", "gpt2", {
        "vocab.json": {t: i for i, t in enumerate([*BYTES, "<|endoftext|>"])}, "merges.txt": MERGES_TXT,
        "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer"},
    }  # fmt: skip
    yield "gpt2 from vocab.json with add_bos_token", "gpt2", {
        "vocab.json": {t: i for i, t in enumerate([*BYTES, "<|endoftext|>"])}, "merges.txt": MERGES_TXT,
        "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "add_eos_token": True},
    }  # fmt: skip
    codegen = {"tokenizer_class": "CodeGenTokenizer"}
    yield "codegen", "phi", {"tokenizer.json": {**gpt2, "post_processor": {**BYTE_LEVEL, "trim_offsets": False}},
                             "tokenizer_config.json": {**codegen, "add_prefix_space": True}}
    yield "codegen with add_bos_token", "gptj", {
        "tokenizer.json": {**gpt2, "normalizer": {"type": "NFC"}, "post_processor": BYTE_LEVEL},
        "tokenizer_config.json": {**codegen, "add_bos_token": True},
    }  # fmt: skip
    yield "codegen from vocab.json and merges.txt", "phi", {
        "vocab.json": {t: i for i, t in enumerate([*BYTES, "<|endoftext|>"])}, "merges.txt": MERGES_TXT,
        "tokenizer_config.json": {**codegen, "add_bos_token": True, "add_eos_token": True},
    }  # fmt: skip
    yield "roberta from vocab.json with add_eos_token", "roberta", {
        "vocab.json": {t: i for i, t in enumerate(ROBERTA)}, "merges.txt": MERGES_TXT,
        "tokenizer_config.json": {**config, "add_eos_token": True},
    }  # fmt: skip
    neox = document(bpe([*BYTES, "<|endoftext|>"], ["a b", "\u0120 ab"]), [(5, "<|endoftext|>"), (6, "<|padding|>")],
                    normalizer={"type": "NFC"}, pre_tokenizer=BYTE_LEVEL, post_processor=BYTE_LEVEL)  # fmt: skip
    yield "gpt_neox", "gpt_neox", {"tokenizer.json": neox, "tokenizer_config.json": {"tokenizer_class": "GPTNeoXTokenizer"}}
    yield "gpt_neox with flags", "gpt_neox", {
        "tokenizer.json": neox,
        "tokenizer_config.json": {"tokenizer_class": "GPTNeoXTokenizerFast", "add_bos_token": True, "add_prefix_space": True},
    }  # fmt: skip
    yield "gpt_neox without a class and with another pipeline", "gpt_neox", {"tokenizer.json": {
        **neox, "normalizer": None, "post_processor": template("<|endoftext|> $A", "$A $B:1", {"<|endoftext|>": 5})}}
    yield "gpt_neox from vocab.json with flags", "gpt_neox", {
        "vocab.json": {t: i for i, t in enumerate([*BYTES, "<|endoftext|>"])}, "merges.txt": MERGES_TXT,
        "tokenizer_config.json": {"tokenizer_class": "GPTNeoXTokenizer", "add_bos_token": True, "add_eos_token": True},
    }  # fmt: skip
    yield "no class for llama", "llama", {"tokenizer.json": gpt2}
    deberta = document(bpe(["[PAD]", "[CLS]", "[SEP]", "[UNK]", *BYTES, "[MASK]"], MERGES), [(1, "[CLS]"), (9, "[MASK]")],
                       pre_tokenizer=BYTE_LEVEL)  # fmt: skip
    yield "deberta", "deberta", {"tokenizer.json": deberta, "tokenizer_config.json": {"tokenizer_class": "DebertaTokenizer"}}
    qwen = document(bpe(BYTES, MERGES), [(5, "<|endoftext|>"), (6, "<|im_start|>")], normalizer={"type": "NFC"},
                    pre_tokenizer=BYTE_LEVEL, post_processor={**BYTE_LEVEL, "add_prefix_space": False})  # fmt: skip
    qwen_config = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_start|>", "pad_token": "<|endoftext|>"}
    yield "qwen2", "qwen2", {"tokenizer.json": qwen, "tokenizer_config.json": qwen_config}
    yield "qwen3 with flags", "qwen3", {
        "tokenizer.json": qwen,
        "tokenizer_config.json": {**qwen_config, "add_bos_token": False, "bos_token": None, "add_prefix_space": False,
                                  "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]},
    }  # fmt: skip
    yield "qwen2 under a generic class", "qwen2", {
        "tokenizer.json": qwen, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"},
    }  # fmt: skip
    llama3 = document(
        bpe(BYTES, MERGES, ignore_merges=True), [(5, "<|begin_of_text|>"), (6, "<|end_of_text|>")],
        pre_tokenizer=BYTE_LEVEL,
        post_processor={"type": "Sequence", "processors": [
            {**BYTE_LEVEL, "trim_offsets": False},
            template("<|begin_of_text|>:0 $A:0", "<|begin_of_text|>:0 $A:0 <|begin_of_text|>:1 $B:1", {"<|begin_of_text|>": 5})]},
    )  # fmt: skip
    llama3_config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"}
    yield "llama 3", "llama", {"tokenizer.json": llama3, "tokenizer_config.json": llama3_config}
    yield "llama 3 with add_eos_token", "llama", {
        "tokenizer.json": llama3, "tokenizer_config.json": {**llama3_config, "add_eos_token": True},
    }  # fmt: skip
    yield "llama 3 with add_bos_token", "llama", {
        "tokenizer.json": llama3, "tokenizer_config.json": {**llama3_config, "add_bos_token": True},
    }  # fmt: skip
    llama2 = document(
        bpe(CHARACTERS, CHARACTER_MERGES, unk_token="<unk>", fuse_unk=True, byte_fallback=True),
        [(0, "<unk>"), (1, "<s>"), (2, "</s>")],
        normalizer={"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": SPACE}, {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}]},
        post_processor=template("<s>:0 $A:0", "<s>:0 $A:0 <s>:1 $B:1", {"<s>": 1}),
    )  # fmt: skip
    llama2_config = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False, "bos_token": "<s>",
                     "eos_token": "</s>", "unk_token": "<unk>", "legacy": False}  # fmt: skip
    yield "llama 2", "llama", {"tokenizer.json": llama2, "tokenizer_config.json": llama2_config}
    yield "llama 2, legacy, without bos", "llama", {
        "tokenizer.json": llama2, "tokenizer_config.json": {**llama2_config, "legacy": True, "add_bos_token": False},
    }  # fmt: skip
    yield "llama 2 without prefix space or flags", "llama", {
        "tokenizer.json": llama2, "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizerFast", "add_prefix_space": False},
    }  # fmt: skip
    yield "mistral takes the file", "mistral", {"tokenizer.json": llama2, "tokenizer_config.json": llama2_config}
    gemma = document(
        bpe(["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *CHARACTERS[3:]], CHARACTER_MERGES, unk_token="<unk>", fuse_unk=True,
            byte_fallback=True),
        [(0, "<pad>"), (1, "<eos>"), (2, "<bos>"), (3, "<unk>")],
        normalizer={"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
        pre_tokenizer={"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
        post_processor=template("<bos>:0 $A:0", "<bos>:0 $A:0 <bos>:1 $B:1", {"<bos>": 2}),
    )  # fmt: skip
    gemma_config = {"tokenizer_class": "GemmaTokenizer", "add_bos_token": True, "add_eos_token": False}
    yield "gemma", "gemma2", {"tokenizer.json": gemma, "tokenizer_config.json": gemma_config}
    yield "gemma without flags", "gemma3_text", {"tokenizer.json": gemma, "tokenizer_config.json": {"tokenizer_class": "GemmaTokenizer"}}
    charsmap = {"type": "Precompiled", "precompiled_charsmap": small_charsmap()}
    metaspace = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True}
    xlmr = document(
        unigram([("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *PIECES, ("<mask>", 0.0)], 3),
        [(0, "<s>"), (1, "<pad>"), (2, "</s>"), (3, "<unk>"), (8, "<mask>")],
        normalizer={"type": "Sequence", "normalizers": [charsmap, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
        pre_tokenizer=metaspace,
        post_processor=template("<s> $A </s>", "<s> $A </s> </s> $B </s>", {"<s>": 0, "</s>": 2}),
    )  # fmt: skip
    yield "xlm-roberta", "xlm-roberta", {
        "tokenizer.json": xlmr, "tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer", "mask_token": mask},
    }  # fmt: skip
    yield "xlm-roberta without config", "xlm-roberta", {"tokenizer.json": xlmr}
    yield "gte names no class", "gte", {"tokenizer.json": xlmr}
    yield "jina-embeddings-v3 names no class", "jina_embeddings_v3", {"tokenizer.json": xlmr}
    yield "xlm-roberta under a generic class", "xlm-roberta", {
        "tokenizer.json": xlmr, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "cls_token": "<s>"},
    }  # fmt: skip
    camembert = document(
        unigram([("<s>NOTUSED", 0.0), ("<pad>", 0.0), ("</s>NOTUSED", 0.0), ("<unk>", 0.0), ("<unk>NOTUSED", -100.0), *PIECES,
                 ("<s>", 0.0), ("</s>", 0.0), ("<mask>", 0.0)], 3),
        [(1, "<pad>"), (3, "<unk>"), (9, "<s>"), (10, "</s>"), (11, "<mask>")],
        normalizer=charsmap, pre_tokenizer=metaspace,
        post_processor=template("<s> $A </s>", "<s> $A </s> </s> $B </s>", {"<s>": 9, "</s>": 10}),
    )  # fmt: skip
    yield "camembert with extra_special_tokens", "camembert", {
        "tokenizer.json": camembert,
        "tokenizer_config.json": {"tokenizer_class": "CamembertTokenizer", "extra_special_tokens": ["<new>"]},
    }  # fmt: skip
    yield "camembert", "camembert", {"tokenizer.json": camembert, "tokenizer_config.json": {"tokenizer_class": "CamembertTokenizer"}}
    albert = document(
        unigram([("<pad>", 0.0), ("<unk>", 0.0), ("[CLS]", 0.0), ("[SEP]", 0.0), ("[MASK]", 0.0), *PIECES], 1),
        [(0, "<pad>"), (1, "<unk>"), (2, "[CLS]"), (3, "[SEP]"), (4, "[MASK]")],
        normalizer=charsmap, pre_tokenizer=metaspace,
        post_processor=template("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", {"[CLS]": 2, "[SEP]": 3}),
    )  # fmt: skip
    yield "albert", "albert", {"tokenizer.json": albert, "tokenizer_config.json": {"tokenizer_class": "AlbertTokenizer"}}
    yield "albert, cased", "albert", {
        "tokenizer.json": albert,
        "tokenizer_config.json": {"tokenizer_class": "AlbertTokenizer", "do_lower_case": False, "keep_accents": True},
    }  # fmt: skip
    rembert = document(
        unigram([("<pad>", 0.0), ("[UNK]", 0.0), ("<unk>", 0.0), ("[CLS]", 0.0), ("[SEP]", 0.0), ("[MASK]", 0.0), *PIECES], 1),
        [(0, "<pad>"), (2, "<unk>"), (3, "[CLS]"), (4, "[SEP]"), (5, "[MASK]")],
        normalizer=charsmap, pre_tokenizer=metaspace,
        post_processor=template("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", {"[CLS]": 3, "[SEP]": 4}),
    )  # fmt: skip
    yield "rembert", "rembert", {"tokenizer.json": rembert, "tokenizer_config.json": {"tokenizer_class": "RemBertTokenizer"}}
    yield "rembert without a class", "rembert", {"tokenizer.json": rembert, "tokenizer_config.json": {}}
    yield "rembert, lower case without accents", "rembert", {
        "tokenizer.json": rembert,
        "tokenizer_config.json": {"tokenizer_class": "RemBertTokenizer", "do_lower_case": True, "keep_accents": False,
                                  "add_prefix_space": False},
    }  # fmt: skip
    for name, class_name, file in (("luke", "LukeTokenizer", roberta), ("mluke", "MLukeTokenizer", xlmr)):
        config = {"tokenizer_class": class_name}
        yield name, "luke", {"tokenizer.json": file, "tokenizer_config.json": config}
        yield f"{name} with a mask, lists and names", "luke", {
            "tokenizer.json": file,
            "tokenizer_config.json": {**config, "mask_token": mask, "additional_special_tokens": ["<ent>", "<new>"], "task": None,
                                      "add_prefix_space": True, "entity_mask_token": "[MASK]"},
        }  # fmt: skip
        yield f"{name} as it is saved", "luke", {
            "tokenizer.json": {**file, "added_tokens": [*file["added_tokens"], *(
                {"id": 1 + file["added_tokens"][-1]["id"] + i, **token(content, special=True)} for i, content in enumerate(["<ent>", "<ent2>", "[UNK]", "[PAD]", "[MASK]"]))]},
            "tokenizer_config.json": {**config, "extra_special_tokens": ["<ent>", "<ent2>"], "entity_token_1": "<ent>"},
        }  # fmt: skip
    yield "luke without a class", "luke", {"tokenizer.json": roberta}
    yield "luke as RobertaTokenizer", "luke", {
        "vocab.json": {t: i for i, t in enumerate(ROBERTA)}, "merges.txt": MERGES_TXT,
        "added_tokens.json": {"<ent>": 10, "<ent2>": 11}, "special_tokens_map.json": {"additional_special_tokens": ["<ent>", "<ent2>"]},
        "tokenizer_config.json": {"tokenizer_class": "RobertaTokenizer"},
    }  # fmt: skip
    big_bird = document(
        unigram([("<pad>", 0.0), ("</s>", 0.0), ("<s>", 0.0), *PIECES, ("[CLS]", 0.0), ("[SEP]", 0.0), ("[MASK]", 0.0), ("<unk>", 0.0)], 10),
        [(0, "<pad>"), (1, "</s>"), (2, "<s>"), (7, "[CLS]"), (8, "[SEP]"), (9, "[MASK]"), (10, "<unk>")],
        normalizer=charsmap, pre_tokenizer=metaspace,
        post_processor=template("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", {"[CLS]": 7, "[SEP]": 8}),
    )  # fmt: skip
    yield "big-bird", "big_bird", {"tokenizer.json": big_bird, "tokenizer_config.json": {"tokenizer_class": "BigBirdTokenizer"}}
    yield "big-bird without a class", "big_bird", {"tokenizer.json": big_bird}
    yield "big-bird with segments, without a prefix space", "big_bird", {
        "tokenizer.json": big_bird,
        "tokenizer_config.json": {"tokenizer_class": "BigBirdTokenizerFast", "add_prefix_space": False,
                                  "model_input_names": ["input_ids", "attention_mask", "token_type_ids"]},
    }  # fmt: skip
    debertav2 = document(
        unigram([("[PAD]", 0.0), ("[CLS]", 0.0), ("[SEP]", 0.0), ("[UNK]", 0.0), *PIECES, ("[MASK]", 0.0)], 3),
        [(0, "[PAD]"), (1, "[CLS]"), (2, "[SEP]"), (3, "[UNK]"), (8, "[MASK]")],
        normalizer={"type": "Sequence", "normalizers": [{"type": "Strip", "strip_left": True, "strip_right": True}, charsmap]},
        pre_tokenizer={"type": "Sequence", "pretokenizers": [metaspace]},
        post_processor=template("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", {"[CLS]": 1, "[SEP]": 2}),
    )  # fmt: skip
    debertav2_config = {"tokenizer_class": "DebertaV2Tokenizer", "do_lower_case": False, "split_by_punct": False, "sp_model_kwargs": {}}
    yield "deberta-v3", "deberta-v2", {"tokenizer.json": debertav2, "tokenizer_config.json": debertav2_config}
    yield "deberta-v2 with lower case and punctuation", "deberta-v2", {
        "tokenizer.json": debertav2, "tokenizer_config.json": {**debertav2_config, "do_lower_case": True, "split_by_punct": True},
    }  # fmt: skip
    t5 = document(
        unigram([("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *PIECES, ("<extra_id_1>", 0.0), ("<extra_id_0>", 0.0)], 2),
        [(0, "<pad>"), (1, "</s>"), (2, "<unk>"), (7, "<extra_id_1>"), (8, "<extra_id_0>")],
        normalizer=charsmap, pre_tokenizer=metaspace, post_processor=template("$A </s>", "$A </s> $B </s>", {"</s>": 1}),
    )  # fmt: skip
    for key in ("additional_special_tokens", "extra_special_tokens"):
        yield f"t5 with more sentinels than the file has and {key}", "t5", {
            "tokenizer.json": t5, "tokenizer_config.json": {"tokenizer_class": "T5Tokenizer", "extra_ids": 5, key: ["<new>"]},
        }  # fmt: skip
    yield "t5", "t5", {
        "tokenizer.json": t5,
        "tokenizer_config.json": {"tokenizer_class": "T5Tokenizer", "extra_ids": 2,
                                  "additional_special_tokens": ["<extra_id_0>", "<extra_id_1>"]},
    }  # fmt: skip
    yield from language_cases(charsmap, metaspace, mask)
    mpnet = {
        "vocab.txt": "<s>\n<pad>\n</s>\n<unk>\n[UNK]\nhello\n##s\n<mask>\n",
        "tokenizer_config.json": {"tokenizer_class": "MPNetTokenizer"},
    }
    yield "mpnet from vocab.txt", "mpnet", mpnet
    yield "megatron-bert from vocab.txt", "megatron-bert", {
        "vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\n##s\n", "tokenizer_config.json": {"do_lower_case": False},
    }  # fmt: skip
