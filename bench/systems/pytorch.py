"""transformers on PyTorch, scaled dot product attention, f32, f16 or bf16."""
import inspect

import torch
import transformers
from batches import run_in_batches

TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
NAMES = ["input_ids", "attention_mask", "token_type_ids"]


class Model:
    def __init__(self, folder, dtype, threads, batch_size, device="cpu"):
        # PyTorch's word for what SYCL runs on.
        self.device = torch.device(device.replace("sycl", "xpu"))
        self.batch_size = batch_size
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        transformers.logging.set_verbosity_error()
        self.version = f"{torch.__version__}, transformers {transformers.__version__}"
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.model = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder, dtype=TYPES[dtype], attn_implementation=self.attention(folder)).eval().to(self.device)
        accepted = inspect.signature(self.model.forward).parameters
        self.names = [name for name in NAMES if name in accepted]

    @staticmethod
    def attention(folder):
        """DeBERTa's has no form but its own."""
        return "eager" if transformers.AutoConfig.from_pretrained(folder).model_type == "deberta-v2" else "sdpa"

    def logits(self, texts, pairs):
        def forward(inputs):
            tensors = {name: torch.from_numpy(values).to(self.device) for name, values in inputs.items()}
            return self.model(**tensors).logits.float().cpu().numpy()

        encoded = self.tokenizer(texts, pairs, truncation=True, return_token_type_ids="token_type_ids" in self.names)
        with torch.inference_mode():
            return run_in_batches(encoded, self.names, self.batch_size, forward)
