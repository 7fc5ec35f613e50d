"""Checkpoint folders with the files of XLNetTokenizer: a tokenizer.json, options, a SentencePiece model; for
make-convert-fixtures.py."""
from tokenizer_file_cases import PIECES, SPACE, document, sentencepiece_model, small_charsmap, template, token, unigram

XLNET = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), ("<cls>", 0.0), ("<sep>", 0.0), ("<pad>", 0.0), ("<mask>", 0.0),
         ("<eod>", 0.0), ("<eop>", 0.0), *PIECES, ("9,", -4.0)]


def xlnet_cases():
    """(name, model_type, files)"""
    charsmap = {"type": "Precompiled", "precompiled_charsmap": small_charsmap()}
    metaspace = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True}
    mask = {"__type": "AddedToken", **token("<mask>", lstrip=True, special=True)}
    added = [(i, piece) for i, (piece, _) in enumerate(XLNET[:9])]
    file = document(
        unigram(XLNET, 0), added, normalizer=charsmap, pre_tokenizer=metaspace,
        post_processor=template("$A <sep> <cls>:2", "$A <sep> $B:1 <sep>:1 <cls>:2", {"<sep>": 4, "<cls>": 3}),
    )  # fmt: skip
    del file["model"]["type"]
    config = {"tokenizer_class": "XLNetTokenizer"}
    yield "xlnet", "xlnet", {"tokenizer.json": file, "tokenizer_config.json": config}
    yield "xlnet without a class", "xlnet", {"tokenizer.json": file}
    yield "xlnet with its options", "xlnet", {
        "tokenizer.json": file,
        "tokenizer_config.json": {**config, "tokenizer_class": "XLNetTokenizerFast", "do_lower_case": True, "keep_accents": True,
                                  "remove_space": False, "add_prefix_space": False, "unk_id": 3, "mask_token": mask,
                                  "additional_special_tokens": ["<eop>", "<eod>"], "pad_token_type_id": 3},
    }  # fmt: skip
    yield "xlnet with other names and added_tokens_decoder", "xlnet", {
        "tokenizer.json": file,
        "tokenizer_config.json": {**config, "sep_token": "</s>", "cls_token": "<new>", "extra_special_tokens": ["<more>"],
                                  "added_tokens_decoder": {"0": token("<unk>", special=True), "6": mask, "14": token("<new>", special=True)}},
    }  # fmt: skip
    # As the published model is: punctuation is user-defined, too.
    model = sentencepiece_model([*XLNET, (".", -3.0)], charsmap=True, unk_id=0, user_defined=["<eop>", "."],
                                control=["<cls>", "<sep>", "<pad>", "<mask>", "<eod>"])  # fmt: skip
    extra = {"additional_special_tokens": ["<eop>", "<eod>"]}
    yield "xlnet from SentencePiece alone", "xlnet", {"spiece.model": model}
    yield "xlnet from SentencePiece, in lower case", "xlnet", {
        "spiece.model": model, "tokenizer_config.json": {**config, "do_lower_case": True, "keep_accents": True},
    }  # fmt: skip
    yield "xlnet from SentencePiece, with its list", "xlnet", {"spiece.model": model, "tokenizer_config.json": {**config, **extra}}
    yield "xlnet from SentencePiece, with special_tokens_map.json", "xlnet", {
        "spiece.model": model, "tokenizer_config.json": {"do_lower_case": False},
        "special_tokens_map.json": {**extra, "mask_token": {**token("<mask>", lstrip=True)}, "sep_token": "<sep>"},
    }  # fmt: skip
    yield "xlnet from SentencePiece, with lists in two files", "xlnet", {
        "spiece.model": model, "tokenizer_config.json": {**config, **extra, "mask_token": mask},
        "special_tokens_map.json": {**extra, "mask_token": {**token("<mask>", lstrip=True)}},
    }  # fmt: skip
    yield "xlnet from SentencePiece, with its list and added_tokens_decoder", "xlnet", {
        "spiece.model": model,
        "tokenizer_config.json": {**config, **extra, "added_tokens_decoder": {"6": mask, "7": token("<eod>", special=True)}},
    }  # fmt: skip
    yield "xlnet from SentencePiece, with added_tokens_decoder alone", "xlnet", {
        "spiece.model": model,
        "tokenizer_config.json": {**config, "added_tokens_decoder": {"6": mask, "7": token("<eod>", special=True)}},
    }  # fmt: skip
    yield "xlnet from SentencePiece with another unknown piece", "xlnet", {
        "spiece.model": sentencepiece_model([("a", -1.0), *XLNET[:9]], charsmap=True, unk_id=1), "tokenizer_config.json": config,
    }  # fmt: skip
