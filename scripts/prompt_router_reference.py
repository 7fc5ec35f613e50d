"""The prompt router of LFM2.5's encoders (Lfm2BidirForSequenceRouting), which transformers does not have.

Written from what is documented of the class and its method `route`: the list of labels and the text are tokenized as one
string; a text is the mean of the states of its tokens and a label that of the tokens that hold some of it, by their offsets,
in characters, and zeros where there are none; each is projected and divided by its length, and the cosine times a scale
is the label's logit.
"""
import torch
from torch import nn

from lfm2_bidirectional_reference import Lfm2BidirectionalModel

HEADING, BULLET, SEPARATOR = "Categories:\n", "- ", "\n\nText:\n"


class PromptRouter(nn.Module):
    """Its tensors have the names of a Lfm2BidirForSequenceRouting's."""

    def __init__(self, config, size=256):
        super().__init__()
        self.lfm2 = Lfm2BidirectionalModel(config)
        self.tok_proj = nn.Linear(config.hidden_size, size)
        self.rule_proj = nn.Linear(config.hidden_size, size)
        self.logit_scale = nn.Parameter(torch.tensor(1.0))
        self.score_bias = nn.Parameter(torch.tensor(0.0))

    def forward(self, ids, text, labels):
        """ids [n]; the tokens of the text, and those of each label. The logits of the labels."""
        states = self.lfm2(torch.tensor([ids])).last_hidden_state[0]
        mean = lambda tokens: states[tokens].mean(0) if tokens else torch.zeros(states.shape[1])
        unit = lambda x: nn.functional.normalize(x, dim=-1)
        query = unit(self.tok_proj(mean(text)))
        rules = unit(self.rule_proj(torch.stack([mean(tokens) for tokens in labels])))
        return rules @ query * self.logit_scale.exp().clamp(max=30) + self.score_bias


def listed(labels):
    """What stands before the text."""
    return HEADING + "\n".join(BULLET + label for label in labels) + SEPARATOR


def encode(tokenizer, text, labels):
    """The ids of the whole, the places of the text's tokens, and those of each label."""
    prefix = listed(labels)
    whole = tokenizer(prefix + text, return_offsets_mapping=True)
    places = [(place, begin, end) for place, (begin, end) in enumerate(whole["offset_mapping"]) if begin != end]
    spans, begin = [], len(HEADING)
    for label in labels:
        begin += len(BULLET)
        spans.append([place for place, first, last in places if first < begin + len(label) and last > begin])
        begin += len(label) + 1
    return whole["input_ids"], [place for place, _, last in places if last > len(prefix)], spans
