"""The model of NVIDIA NeMo Curator's classifiers, which transformers does not have.

Written from what their cards say: a linear layer on the first token's state of the bare encoder, without a pooler.
"""
import transformers
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput


class CuratorClassifier(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.model = transformers.AutoModel.from_config(config)
        self.fc = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, input_ids, attention_mask):
        states = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return SequenceClassifierOutput(logits=self.fc(states)[:, 0])
