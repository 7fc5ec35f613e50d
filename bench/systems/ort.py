"""ONNX Runtime from Python with the tokenizers package, f32 or dynamic int8: its engine at its best."""
import json
import pathlib

import onnxruntime
import tokenizers
from batches import run_in_batches


class Model:
    def __init__(self, folder, dtype, threads, batch_size):
        self.batch_size = batch_size
        folder = pathlib.Path(folder)
        self.version = f"{onnxruntime.__version__}, tokenizers {tokenizers.__version__}"
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        limit = json.loads((folder / "tokenizer_config.json").read_text())["model_max_length"]
        self.tokenizer.enable_truncation(limit)
        self.tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        file = "model_quantized.onnx" if dtype == "int8" else "model.onnx"
        self.session = onnxruntime.InferenceSession(folder / "onnx" / file, options, providers=["CPUExecutionProvider"])
        self.names = [each.name for each in self.session.get_inputs()]

    def tokenize(self, texts, pairs):
        encodings = self.tokenizer.encode_batch(texts if pairs is None else list(zip(texts, pairs)))
        return {"input_ids": [each.ids for each in encodings], "attention_mask": [each.attention_mask for each in encodings],
                "token_type_ids": [each.type_ids for each in encodings]}

    def logits(self, texts, pairs):
        encoded = self.tokenize(texts, pairs)
        return run_in_batches(encoded, self.names, self.batch_size, lambda inputs: self.session.run(None, inputs)[0])
