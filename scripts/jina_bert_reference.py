"""JinaBERT as its first code computes it, for which transformers has no class: jinaai/jina-bert-implementation.

Written from the layout of its checkpoints. ALiBi is symmetric, -slope * |i - j|, and stands beside the scaled scores. Heads
beyond a power of two take every other slope of twice as many; in the code of jinaai/jina-reranker-v1-turbo-en, half of it.
"""
import math

import torch
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput


def alibi_slopes(num_heads, factor):
    def powers(count):
        first = 2 ** (-8 / count)
        return [first ** (index + 1) for index in range(count)]
    whole = 2 ** int(math.log2(num_heads))
    between = [slope * factor for slope in powers(2 * whole)[0::2]]
    return (powers(whole) + between)[:num_heads]


class Part(nn.Module):
    """Modules by name, so that tensors get the names of the checkpoints."""

    def __init__(self, /, **modules):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        size, inner = config.hidden_size, config.intermediate_size
        linears = {name: nn.Linear(size, size) for name in ("query", "key", "value")}
        norm = lambda: nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.attention = Part(self=Part(**linears), output=Part(dense=nn.Linear(size, size), LayerNorm=norm()))
        self.mlp = Part(gated_layers=nn.Linear(size, 2 * inner, bias=False), wo=nn.Linear(inner, size), layernorm=norm())
        self.num_heads = config.num_attention_heads
        self.activate = {"geglu": nn.functional.gelu, "reglu": nn.functional.relu}[config.feed_forward_type]

    def forward(self, x, bias):
        project, output = getattr(self.attention, "self"), self.attention.output
        split = lambda y: y.unflatten(-1, (self.num_heads, -1)).transpose(-2, -3)
        q, k, v = (split(linear(x)) for linear in (project.query, project.key, project.value))
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias
        mixed = (scores.softmax(-1) @ v).transpose(-2, -3).flatten(-2)
        x = output.LayerNorm(output.dense(mixed) + x)
        gate, up = self.mlp.gated_layers(x).chunk(2, dim=-1)
        return self.mlp.layernorm(self.mlp.wo(self.activate(gate) * up) + x)


class JinaBertForSequenceClassification(nn.Module):
    def __init__(self, config, slope_factor):
        super().__init__()
        size = config.hidden_size
        self.config = config
        self.slopes = torch.tensor(alibi_slopes(config.num_attention_heads, slope_factor))
        self.bert = Part(
            embeddings=Part(word_embeddings=nn.Embedding(config.vocab_size, size),
                            token_type_embeddings=nn.Embedding(config.type_vocab_size, size),
                            LayerNorm=nn.LayerNorm(size, eps=config.layer_norm_eps)),
            encoder=Part(layer=nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))),
            pooler=Part(dense=nn.Linear(size, size)))
        self.classifier = nn.Linear(size, config.num_labels)

    def forward(self, input_ids, attention_mask, token_type_ids):
        assert attention_mask.all()
        embeddings = self.bert.embeddings
        x = embeddings.word_embeddings(input_ids) + embeddings.token_type_embeddings(token_type_ids)
        x = embeddings.LayerNorm(x)
        places = torch.arange(input_ids.shape[1])
        bias = -self.slopes[:, None, None] * (places[None, :] - places[:, None]).abs()
        for layer in self.bert.encoder.layer:
            x = layer(x, bias)
        return SequenceClassifierOutput(logits=self.classifier(self.bert.pooler.dense(x[:, 0]).tanh()))
