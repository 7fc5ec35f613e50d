"""The class of nvidia/llama-3.2-nv-rerankqa-1b-v2's own code, which transformers does not have.

Written from the layout of its checkpoint: a Llama whose tokens see all others, behind it the mean of the states (or the
first, or the last), the scores divided by a temperature.
"""
import torch
import transformers
from transformers.modeling_outputs import SequenceClassifierOutput


class LlamaBidirectionalConfig(transformers.LlamaConfig):
    model_type = "llama_bidirec"

    def __init__(self, pooling="avg", temperature=1.0, **rest):
        super().__init__(**rest)
        self.pooling = pooling
        self.temperature = temperature

    def to_diff_dict(self):
        """transformers takes a temperature for one of sampling and leaves it out."""
        return {**super().to_diff_dict(), "temperature": self.temperature}


class LlamaBidirectionalModel(transformers.LlamaModel):
    config_class = LlamaBidirectionalConfig


class LlamaBidirectionalForSequenceClassification(transformers.LlamaForSequenceClassification):
    config_class = LlamaBidirectionalConfig

    def forward(self, input_ids, attention_mask):
        assert attention_mask.all(), "one text, without padding"
        length = input_ids.shape[1]
        visible = torch.zeros(1, 1, length, length)
        states = self.model(input_ids=input_ids, attention_mask=visible).last_hidden_state
        pooled = {"avg": states.mean(1), "cls": states[:, 0], "last": states[:, -1]}[self.config.pooling]
        return SequenceClassifierOutput(logits=self.score(pooled) / self.config.temperature)


transformers.AutoConfig.register("llama_bidirec", LlamaBidirectionalConfig)
transformers.AutoModel.register(LlamaBidirectionalConfig, LlamaBidirectionalModel)
