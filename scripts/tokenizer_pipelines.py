"""Tokenizers of every kind that published checkpoints use, built with transformers' own classes around vocabularies
that are trained here. Versions: tokenizers 0.23.2, transformers 5.18.0, sentencepiece 0.2.2."""
import base64
import io
import itertools
import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

SPACE = "\u2581"
CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN35 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CL100K_POSSESSIVE = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)
CL100K_SHORT = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)


# --- vocabularies ------------------------------------------------------------------------------------------------


def train_vocabularies(lines, size):
    """{"bytes": {tokens, merges}, "characters": {tokens, merges}, "unigram": {pieces, charsmap}, "suffixed": ...}"""
    lines = [line for line in lines if line.strip()]
    return {
        "bytes": train_byte_pairs(lines, size),
        "suffixed": train_suffixed(lines, size // 2),
        **train_sentencepiece(lines, size),
    }


def tokens_and_merges(tokenizer):
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    return {"tokens": tokens, "merges": model["merges"]}


def train_byte_pairs(lines, size):
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(CL100K), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=sorted(alphabet), show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    return tokens_and_merges(tokenizer)


def train_suffixed(lines, size):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=size, limit_alphabet=400, end_of_word_suffix="</w>", special_tokens=["<unk>"], show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokens_and_merges(tokenizer)


def train_sentencepiece(lines, size):
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2
    from tokenizers.models import BPE
    from transformers.convert_slow_tokenizer import SentencePieceExtractor

    def train(**options):
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_writer=model, vocab_size=size, minloglevel=2, num_threads=2,
            shuffle_input_sentence=False, **options)  # fmt: skip
        return model.getvalue()

    proto = sentencepiece_model_pb2.ModelProto.FromString(
        train(model_type="unigram", character_coverage=0.998, normalization_rule_name="nmt_nfkc"))  # fmt: skip
    unigram = {
        "pieces": [[piece.piece, piece.score] for piece in proto.pieces[3:]],
        "charsmap": base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode(),
    }
    with tempfile.NamedTemporaryFile(suffix=".model") as file:
        file.write(train(model_type="bpe", character_coverage=0.995, byte_fallback=True, split_digits=True,
                         normalization_rule_name="identity", remove_extra_whitespaces=False,
                         allow_whitespace_only_pieces=True))  # fmt: skip
        file.flush()
        extracted = SentencePieceExtractor(file.name).extract(BPE)
    vocabulary = extracted["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.get)
    assert tokens[:3] == ["<unk>", "<s>", "</s>"]
    return {"unigram": unigram, "characters": {"tokens": tokens[3:], "merges": [list(m) for m in extracted["merges"]]}}


# --- pipelines ---------------------------------------------------------------------------------------------------


def numbered(tokens):
    return {token: i for i, token in enumerate(tokens)}


def pairs(merges):
    return [tuple(merge) for merge in merges]


def backend(tokenizer):
    tokenizer._tokenizer.no_truncation()
    return tokenizer._tokenizer


def byte_pairs(base, first=(), last=()):
    data = base["bytes"]
    return {"vocab": numbered([*first, *data["tokens"], *last]), "merges": pairs(data["merges"])}


def gpt2(base):
    from transformers import GPT2Tokenizer

    return backend(GPT2Tokenizer(**byte_pairs(base, last=["<|endoftext|>"])))


ROBERTA = ["<s>", "<pad>", "</s>", "<unk>"]


def roberta(base, **options):
    from transformers import AddedToken, RobertaTokenizer

    mask = AddedToken("<mask>", lstrip=True, special=True)
    return backend(RobertaTokenizer(**byte_pairs(base, ROBERTA, ["<mask>"]), mask_token=mask, **options))


def deberta(base):
    from transformers import DebertaTokenizer

    return backend(DebertaTokenizer(**byte_pairs(base, ["[PAD]", "[CLS]", "[SEP]", "[UNK]"], ["[MASK]"])))


def qwen2(base):
    from transformers import Qwen2Tokenizer

    tokenizer = Qwen2Tokenizer(**byte_pairs(base))
    tokenizer.add_tokens(["<|im_start|>", "<|im_end|>"], special_tokens=True)
    tokenizer.add_tokens(["<tool_call>", "<think>"])
    return backend(tokenizer)


def split_byte_pairs(base, regex, **options):
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(**byte_pairs(base), **options))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(regex), "isolated", False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def llama3(base):
    """As LlamaConverter's TikToken part writes Llama 3."""
    from tokenizers import AddedToken, processors

    tokenizer = split_byte_pairs(base, CL100K, ignore_merges=True)
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"]
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    begin = "<|begin_of_text|>"
    template = processors.TemplateProcessing(
        single=f"{begin}:0 $A:0", pair=f"{begin}:0 $A:0 {begin}:1 $B:1",
        special_tokens=[(begin, tokenizer.token_to_id(begin))])  # fmt: skip
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    return tokenizer


def modernbert(base):
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.BPE(**byte_pairs(base)))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True)
    tokenizer.add_special_tokens(["<|padding|>"])
    tokenizer.add_tokens([AddedToken(" " * n, normalized=True) for n in range(24, 1, -1)])
    tokenizer.add_tokens(["|||EMAIL_ADDRESS|||"])
    mask = AddedToken("[MASK]", lstrip=True, special=True, normalized=False)
    tokenizer.add_special_tokens(["[CLS]", "[SEP]", "[PAD]", mask])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:0 [SEP]:0",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")])  # fmt: skip
    return tokenizer


def starcoder(base):
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(**byte_pairs(base)))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.add_special_tokens(["<|endoftext|>"])
    return tokenizer


def falcon(base):
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(**byte_pairs(base)))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Punctuation(behavior="contiguous"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
            pre_tokenizers.Digits(individual_digits=False),
            pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated"),
        ]
    )
    tokenizer.add_special_tokens(["<|endoftext|>"])
    return tokenizer


def openai_gpt(base):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    data = base["suffixed"]
    tokenizer = Tokenizer(
        models.BPE(vocab=numbered(data["tokens"]), merges=pairs(data["merges"]), unk_token="<unk>", fuse_unk=False,
                   end_of_word_suffix="</w>"))  # fmt: skip
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["<unk>"])
    return tokenizer


def character_pairs(base, first):
    data = base["characters"]
    return {"vocab": numbered([*first, *data["tokens"]]), "merges": pairs(data["merges"])}


def llama2(base):
    from transformers import LlamaTokenizer

    return backend(LlamaTokenizer(**character_pairs(base, ["<unk>", "<s>", "</s>"]), add_bos_token=True))


def llama2_legacy(base):
    """The file that transformers 4 wrote for Llama 2 and Mistral 7B."""
    from tokenizers import Tokenizer, models, normalizers, processors

    pieces = character_pairs(base, ["<unk>", "<s>", "</s>"])
    tokenizer = Tokenizer(models.BPE(**pieces, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s>:0 $A:0", pair="<s>:0 $A:0 <s>:1 $B:1", special_tokens=[("<s>", 1)])  # fmt: skip
    return tokenizer


def unknown_characters(base):
    """Without bytes to fall back on; unknown characters stay apart."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    pieces = character_pairs(base, ["<unk>", "<s>", "</s>"])
    tokenizer = Tokenizer(models.BPE(**pieces, unk_token="<unk>", fuse_unk=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=True)
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return tokenizer


def gemma(base):
    from transformers import GemmaTokenizer

    first = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    tokenizer = GemmaTokenizer(**character_pairs(base, first), add_bos_token=True)
    tokenizer.add_tokens(["<start_of_turn>", "<end_of_turn>"], special_tokens=True)
    tokenizer.add_tokens(["\n\n", "\n\n\n", SPACE * 2, SPACE * 3, "<b>", "</b>"])
    return backend(tokenizer)


def pieces(base, first, last=()):
    return [*((token, 0.0) for token in first), *map(tuple, base["unigram"]["pieces"]), *((token, 0.0) for token in last)]


def charsmap(base):
    return base64.b64decode(base["unigram"]["charsmap"])


def xlm_roberta(base):
    from transformers import AddedToken, XLMRobertaTokenizer

    mask = AddedToken("<mask>", lstrip=True, special=True)
    vocab = pieces(base, ["<s>", "<pad>", "</s>", "<unk>"], ["<mask>"])
    return backend(XLMRobertaTokenizer(vocab=vocab, _spm_precompiled_charsmap=charsmap(base), mask_token=mask))


def camembert(base):
    from transformers import CamembertTokenizer

    first = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>"]
    vocab = pieces(base, first, ["<mask>"])
    return backend(CamembertTokenizer(vocab=vocab, _spm_precompiled_charsmap=charsmap(base)))


def albert(base, **options):
    from transformers import AddedToken, AlbertTokenizer

    mask = AddedToken("[MASK]", lstrip=True, special=True)
    vocab = pieces(base, ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"])
    return backend(AlbertTokenizer(vocab=vocab, _spm_precompiled_charsmap=charsmap(base), mask_token=mask, **options))


DEBERTA_V2 = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]


def deberta_v2(base, **options):
    from transformers import DebertaV2Tokenizer

    return backend(DebertaV2Tokenizer(vocab=pieces(base, DEBERTA_V2, ["[MASK]"]), **options))


def deberta_v2_file(base):
    """The file that transformers 4 wrote for DeBERTa-v3."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(pieces(base, DEBERTA_V2, ["[MASK]"]), 3))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Strip(), normalizers.Precompiled(charsmap(base)), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(prepend_scheme="always")])
    tokenizer.add_special_tokens(
        [AddedToken("[UNK]", normalized=True, special=True)] + [t for t in DEBERTA_V2 if t != "[UNK]"] + ["[MASK]"])  # fmt: skip
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)])  # fmt: skip
    return tokenizer


def t5(base):
    from transformers import T5Tokenizer

    vocab = pieces(base, ["<pad>", "</s>", "<unk>"], [f"<extra_id_{i}>" for i in range(9, -1, -1)])
    return backend(T5Tokenizer(vocab=vocab, extra_ids=10, _spm_precompiled_charsmap=charsmap(base)))


def unigram_bytes(base):
    """Unigram that falls back on bytes, with every normal form and odd space."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    fallback = [(f"<0x{byte:02X}>", 0.0) for byte in range(256)]
    vocab = [("<unk>", 0.0), *fallback, *pieces(base, [])]
    tokenizer = Tokenizer(models.Unigram(vocab, 0, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Metaspace(prepend_scheme="never", split=False)]
    )
    tokenizer.add_special_tokens(["<unk>"])
    return tokenizer


def mpnet(wordpiece):
    from transformers import MPNetTokenizer

    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    vocab = numbered([*specials, *wordpiece, "<mask>"])
    return backend(MPNetTokenizer(vocab=vocab))


PIPELINES = {
    "gpt2": gpt2,
    "roberta": roberta,
    "roberta-prefix-space": lambda base: roberta(base, add_prefix_space=True),
    "deberta": deberta,
    "llama3": llama3,
    "qwen2": qwen2,
    "gpt4": lambda base: split_byte_pairs(base, CL100K_POSSESSIVE),
    "gpt4-short": lambda base: split_byte_pairs(base, CL100K_SHORT),
    "gpt4o": lambda base: split_byte_pairs(base, O200K),
    "tekken": lambda base: split_byte_pairs(base, TEKKEN),
    "qwen35": lambda base: split_byte_pairs(base, QWEN35),
    "modernbert": modernbert,
    "starcoder": starcoder,
    "falcon": falcon,
    "openai-gpt": openai_gpt,
    "llama2": llama2,
    "llama2-legacy": llama2_legacy,
    "unknown-characters": unknown_characters,
    "gemma": gemma,
    "xlm-roberta": xlm_roberta,
    "camembert": camembert,
    "albert": albert,
    "albert-cased": lambda base: albert(base, do_lower_case=False, keep_accents=True),
    "deberta-v2": deberta_v2,
    "deberta-v2-punctuation": lambda base: deberta_v2(base, do_lower_case=True, split_by_punct=True),
    "deberta-v2-file": deberta_v2_file,
    "t5": t5,
    "unigram-bytes": unigram_bytes,
}


def build(name, base):
    """A tokenizers.Tokenizer; `base` as train_vocabularies() returns it."""
    return PIPELINES[name](base)
