"""A uni-encoder of the library gliclass, which transformers does not have, for one text at a time.

Written from what its configuration and tensors mean: the encoder reads the labels, each behind a mark, a separator and the
text; two projections, of the text's state and of each label's, then a scorer.
"""
import torch
import transformers
from torch import nn

MARK, SEPARATOR = "<<LABEL>>", "<<SEP>>"
# What gliclass takes where the configuration says nothing.
DEFAULTS = dict(scorer_type="simple", prompt_first=False, embed_class_token=True, extract_text_features=False,
                normalize_features=False, projector_hidden_act="gelu", class_token_pooling="first",
                use_segment_embeddings=False)


class Projector(nn.Module):
    def __init__(self, size, activation):
        super().__init__()
        self.linear_1 = nn.Linear(size, size)
        self.act = transformers.activations.ACT2FN[activation]
        self.linear_2 = nn.Linear(size, size)

    def forward(self, x):
        return self.linear_2(self.act(self.linear_1(x)))


class Product(nn.Module):
    def forward(self, text, labels):
        return labels @ text


class Layers(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(2 * size, hidden), nn.ReLU(), nn.Linear(hidden, hidden // 2), nn.ReLU(),
                                 nn.Linear(hidden // 2, 1))

    def forward(self, text, labels):
        return self.mlp(torch.cat([text.expand_as(labels), labels], -1))[:, 0]


class Halves(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.proj_text = nn.Linear(size, 2 * size)
        self.proj_label = nn.Linear(size, 2 * size)
        self.out_mlp = nn.Sequential(nn.Linear(3 * size, 4 * size), nn.Dropout(), nn.ReLU(), nn.Linear(4 * size, 1))

    def forward(self, text, labels):
        (first, second), (own_first, own_second) = self.proj_text(text).chunk(2), self.proj_label(labels).chunk(2, -1)
        return self.out_mlp(torch.cat([first.expand_as(own_first), own_first, second * own_second], -1))[:, 0]


class GLiClass(nn.Module):
    """Its tensors have the names of a GLiClassModel's."""

    def __init__(self, config, encoder, hidden=256):
        super().__init__()
        self.config = {**DEFAULTS, **config}
        size = encoder.config.hidden_size
        self.model = nn.Module()
        self.model.encoder_model = encoder
        self.model.text_projector = Projector(size, self.config["projector_hidden_act"])
        self.model.classes_projector = Projector(size, self.config["projector_hidden_act"])
        scorers = {"simple": Product, "mlp": lambda: Layers(size, hidden), "weighted-dot": lambda: Halves(size)}
        self.model.scorer = scorers[self.config["scorer_type"]]()
        self.model.logit_scale = nn.Parameter(torch.tensor(2.6592))
        if self.config["use_segment_embeddings"]:
            self.model.segment_embeddings = nn.Embedding(3, size)

    def text(self, text, labels):
        marked = "".join(MARK + label for label in labels) + SEPARATOR
        return marked + text if self.config["prompt_first"] else text + marked

    def forward(self, ids):
        """ids [n]; the logits of the labels."""
        separator = (ids == self.config["text_token_index"]).nonzero()[0, 0]
        states = self.states(ids, separator)
        reads_separator = self.config["extract_text_features"]
        text = self.model.text_projector(states[separator if reads_separator else 0])
        labels = self.model.classes_projector(self.label_states(ids, states, separator if reads_separator else len(ids)))
        if not self.config["normalize_features"]:
            return self.model.scorer(text, labels)
        unit = lambda x: x / (x.norm(dim=-1, keepdim=True) + 1e-8)
        return self.model.scorer(unit(text), unit(labels)) * self.model.logit_scale

    def states(self, ids, separator):
        if not self.config["use_segment_embeddings"]:
            return self.model.encoder_model(ids[None]).last_hidden_state[0]
        segments = (torch.arange(len(ids)) >= separator).long()
        embeddings = self.model.encoder_model.get_input_embeddings()(ids) + self.model.segment_embeddings(segments)
        return self.model.encoder_model(inputs_embeds=embeddings[None]).last_hidden_state[0]

    def label_states(self, ids, states, end):
        """Of each mark or the token behind it, or the mean up to the next mark, the last one's up to `end`."""
        places = (ids == self.config["class_token_index"]).nonzero()[:, 0]
        skipped = 0 if self.config["embed_class_token"] else 1
        if self.config["class_token_pooling"] == "first":
            return states[places + skipped]
        spans = zip(places.tolist(), [*places.tolist()[1:], int(end)])
        rows = [states[begin + skipped:stop] for begin, stop in spans]
        return torch.stack([own.mean(0) if len(own) else torch.zeros(states.shape[1]) for own in rows])
