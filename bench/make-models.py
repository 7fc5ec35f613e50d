#!/usr/bin/env python3
"""Makes the benchmark's models: checkpoint folders, with ONNX exports beside them for the ONNX Runtime peers.
Weights are random with a fixed seed and scaled so that logits differ from text to text; speed does not depend on them.
Usage: make-models.py [NAME ...]   (the four of the published tables, or those named; torch 2.13, transformers 5.18, onnx 1.23, onnxruntime 1.30 made the published figures)
"""
import math
import pathlib
import shutil
import string
import sys
import tempfile
import warnings

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from transformers import BartConfig, BartForSequenceClassification
from transformers import BertConfig, BertForSequenceClassification, BertModel
from transformers import DebertaV2Config, DebertaV2ForSequenceClassification
from transformers import DistilBertConfig, DistilBertForSequenceClassification
from transformers import LlamaConfig, LlamaForSequenceClassification
from transformers import Qwen3_5TextConfig, Qwen3_5TextForSequenceClassification
from transformers import Qwen3Config, Qwen3ForSequenceClassification

HERE = pathlib.Path(__file__).resolve().parent
TOKENIZER = HERE.parent / "test" / "fixtures" / "tokenizers" / "wordpiece-uncased"
OPSET = 17
LONGEST = 1024  # tokens that the tokenizer lets pass


def bert(vocabulary, hidden, layers, heads, intermediate, positions, labels):
    config = BertConfig(vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
                        intermediate_size=intermediate, max_position_embeddings=positions, num_labels=labels)
    return BertForSequenceClassification, config


def distilbert(vocabulary, hidden, layers, heads, intermediate, positions, labels):
    config = DistilBertConfig(vocab_size=vocabulary, dim=hidden, n_layers=layers, n_heads=heads,
                              hidden_dim=intermediate, max_position_embeddings=positions, num_labels=labels)
    return DistilBertForSequenceClassification, config


def bart(vocabulary, hidden, layers, heads, intermediate, positions, labels):
    """As many layers in the decoder as in the encoder; [PAD], [CLS] and [SEP] are the tokenizer's."""
    config = BartConfig(vocab_size=vocabulary, d_model=hidden, encoder_layers=layers, decoder_layers=layers,
                        encoder_attention_heads=heads, decoder_attention_heads=heads, encoder_ffn_dim=intermediate,
                        decoder_ffn_dim=intermediate, max_position_embeddings=positions, num_labels=labels,
                        pad_token_id=0, bos_token_id=2, eos_token_id=3, decoder_start_token_id=3, forced_eos_token_id=3)
    return BartForSequenceClassification, config


def deberta(vocabulary, hidden, layers, heads, intermediate, positions, labels):
    """With the settings of DeBERTa v3's checkpoints."""
    config = DebertaV2Config(vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
                             intermediate_size=intermediate, max_position_embeddings=positions, num_labels=labels,
                             relative_attention=True, max_relative_positions=-1, position_buckets=256, norm_rel_ebd="layer_norm",
                             share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0)
    return DebertaV2ForSequenceClassification, config


def llama(vocabulary, hidden, layers, heads, key_heads, intermediate, positions, labels):
    """With the rotation of Llama 3.2. Padding is what the Python peers pad with."""
    scaling = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
               "original_max_position_embeddings": 8192}
    config = LlamaConfig(vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
                         num_key_value_heads=key_heads, head_dim=64, intermediate_size=intermediate, rope_parameters=scaling,
                         max_position_embeddings=positions, rms_norm_eps=1e-5, num_labels=labels, pad_token_id=0, dtype="bfloat16")
    return LlamaForSequenceClassification, config


def qwen3(vocabulary, hidden, layers, heads, key_heads, intermediate, positions, labels):
    """Padding is what the Python peers pad with."""
    config = Qwen3Config(vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
                         num_key_value_heads=key_heads, head_dim=128, intermediate_size=intermediate,
                         max_position_embeddings=positions, num_labels=labels, pad_token_id=0)
    return Qwen3ForSequenceClassification, config


def qwen3_5(vocabulary, hidden, layers, heads, key_heads, linear_heads, intermediate, positions, labels):
    """With Qwen 3.5's heads of 256 and of 128 values, and every fourth layer the one that sees tokens."""
    config = Qwen3_5TextConfig(vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
                               num_key_value_heads=key_heads, linear_num_key_heads=linear_heads, linear_num_value_heads=linear_heads,
                               intermediate_size=intermediate, max_position_embeddings=positions, num_labels=labels, pad_token_id=0)
    return Qwen3_5TextForSequenceClassification, config


def colbert(vocabulary, hidden, layers, heads, intermediate, positions):
    """The bare encoder; see save_modules()."""
    return BertModel, BertConfig(vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
                                 intermediate_size=intermediate, max_position_embeddings=positions)


MODELS = {
    "bert-2l-128": bert(7100, 128, 2, 2, 512, 128, 4),
    "bert-4l-312": bert(30522, 312, 4, 12, 1200, 512, 3),
    "minilm-6l-384": bert(30522, 384, 6, 12, 1536, 512, 1),
    "distilbert-6l-768": distilbert(30522, 768, 6, 6, 3072, 512, 2),
    "bart-6l-768": bart(50265, 768, 6, 12, 3072, 1024, 3),
    "deberta-6l-768": deberta(128100, 768, 6, 12, 3072, 512, 3),
    "llama-16l-2048": llama(128256, 2048, 16, 32, 8, 8192, 131072, 2),
    "qwen3-6l-1024": qwen3(30522, 1024, 6, 16, 8, 3072, 1024, 1),
    "qwen3.5-8l-1024": qwen3_5(30522, 1024, 8, 8, 2, 16, 3584, 1024, 1),
    "colbert-12l-384": colbert(30522, 384, 12, 12, 1536, 512),
}
ON_REQUEST = {"bart-6l-768", "colbert-12l-384", "deberta-6l-768", "llama-16l-2048", "qwen3-6l-1024", "qwen3.5-8l-1024"}
WITHOUT_ONNX = {"colbert-12l-384", "llama-16l-2048", "qwen3-6l-1024", "qwen3.5-8l-1024"}
VECTOR_SIZE = 96


def randomize(model):
    """Unlike transformers' own start (deviation 0.02), rows of unit gain: every layer and the head move the logits.
    Qwen 3.5's norms store weight - 1, but for those of linear attention's heads."""
    adds_one = isinstance(model, Qwen3_5TextForSequenceClassification)
    generator = torch.Generator().manual_seed(20261122)
    for name, parameter in model.named_parameters():
        values = torch.randn(parameter.shape, generator=generator)
        if parameter.dim() == 2 and "embeddings" not in name:
            values /= math.sqrt(parameter.shape[1])
        elif "norm" in name.lower() and name.endswith("weight"):
            values = (0 if adds_one and "linear_attn" not in name else 1) + 0.1 * values
        else:
            values *= 0.1
        parameter.data.copy_(values)


def save_tokenizer(folder, positions):
    for name in ("tokenizer.json", "vocab.txt"):
        shutil.copy(TOKENIZER / name, folder / name)
    config = (TOKENIZER / "tokenizer_config.json").read_text()
    (folder / "tokenizer_config.json").write_text(config.replace('"model_max_length": 512', f'"model_max_length": {positions}'))


def save_modules(folder):
    """Makes the bare encoder in the folder a model of late interaction, with the lengths and queries of
    answerai-colbert-small-v1: queries grow to 32 tokens, documents are cut to 300, punctuation does not score."""
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    torch.manual_seed(20261128)
    with tempfile.TemporaryDirectory() as bare:  # what is mapped must not be written over
        for file in [each for each in folder.iterdir() if each.is_file()]:
            shutil.move(file, bare)
        encoder = Transformer(bare, document_length=300, query_expansion={"strategy": "fixed", "length": 32})
        tokens = {"module_input_name": "token_embeddings"}
        projection = Dense(encoder.get_embedding_dimension(), VECTOR_SIZE, bias=False, activation_function=torch.nn.Identity(), **tokens)
        modules = [encoder, projection, MultiVectorMask(skiplist_words=list(string.punctuation)), Normalize(**tokens)]
        MultiVectorEncoder(modules=modules, prompts={"query": "[unused0] ", "document": "[unused1] "}).save(str(folder))


def export_onnx(architecture, checkpoint, path):
    """The form in which the Hub's ONNX exports come: opset 17, free batch and length, attention as plain products."""
    model = architecture.from_pretrained(checkpoint, attn_implementation="eager").eval()
    names = ["input_ids", "attention_mask"] + (["token_type_ids"] if architecture is BertForSequenceClassification else [])
    ids = torch.randint(5, 7000, (2, 16))
    ids[:, -1] = 3  # [SEP], which BART looks for
    values = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": torch.zeros_like(ids)}

    class Positional(torch.nn.Module):
        """torch.onnx traces positional inputs; transformers takes them by name."""
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, *inputs):
            return self.model(**dict(zip(names, inputs))).logits

    dynamic = {name: {0: "batch", 1: "length"} for name in names} | {"logits": {0: "batch"}}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(Positional().eval(), tuple(values[name] for name in names), path, input_names=names,
                          output_names=["logits"], dynamic_axes=dynamic, opset_version=OPSET, dynamo=False)


def quantize(source, target):
    """Dynamic int8 as transformers.js' own script does it, per channel, which is the more exact of its two settings."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = pathlib.Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_dynamic(prepared, target, per_channel=True, weight_type=QuantType.QInt8,
                         extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True})


def main():
    for name in sys.argv[1:] or [model for model in MODELS if model not in ON_REQUEST]:
        architecture, config = MODELS[name]
        folder = HERE / "models" / name
        (folder / "onnx").mkdir(parents=True, exist_ok=True)
        model = architecture(config).eval()
        randomize(model)
        if config.dtype == torch.bfloat16:
            model = model.to(torch.bfloat16)
        model.save_pretrained(folder)
        save_tokenizer(folder, min(config.max_position_embeddings, LONGEST))
        if architecture is BertModel:
            save_modules(folder)
        if name not in WITHOUT_ONNX:
            export_onnx(architecture, folder, folder / "onnx" / "model.onnx")
            quantize(folder / "onnx" / "model.onnx", folder / "onnx" / "model_quantized.onnx")
            # The exporter's constants inside DeBERTa's branches are in no order that the checker accepts.
            if architecture is not DebertaV2ForSequenceClassification:
                onnx.checker.check_model(str(folder / "onnx" / "model_quantized.onnx"))
        print(f"{folder.relative_to(HERE.parent)}: {sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters")


if __name__ == "__main__":
    main()
