"""jina-reranker-v3 (JinaForRanking), which transformers does not have: a query and its documents in one causal context.

Written from what its repository's code is known to do, over transformers' Qwen3Model: texts are cut, by their tokens, and
turned back into text; the tokens that its vectors are read at are taken out of them; documents go in blocks; the state
behind each document and behind the query goes through two layers; a score is the cosine of document and query.
"""
import numpy as np
import torch
import transformers
from torch import nn

DOCUMENT, QUERY = "<|embed_token|>", "<|rerank_token|>"
BLOCK = 125
# What the model was trained with, word for word.
SYSTEM = ("You are a search relevance expert who can determine a ranking of the passages based on how relevant they are to "
          "the query. If the query is a question, how relevant a passage is depends on how well it answers the question. If "
          "not, try to analyze the intent of the query and assess how well each passage satisfies the intent. If an "
          "instruction is provided, you should follow the instruction when determining the ranking.")
TASK = ("I will provide you with {count} passages, each indicated by a numerical identifier. Rank the passages based on their "
        "relevance to query: {query}\n")
END = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"


def prompt_of(query, documents, instruction=None):
    clean = lambda text: text.replace(QUERY, "").replace(DOCUMENT, "")
    query = clean(query)
    parts = ["<|im_start|>system\n", SYSTEM, "<|im_end|>\n<|im_start|>user\n"]
    parts.append(TASK.replace("{count}", str(len(documents))).replace("{query}", query))
    if instruction:
        parts.append(f"<instruct>\n{instruction}\n</instruct>\n")
    for number, document in enumerate(documents):
        parts.append(f'<passage id="{number}">\n{clean(document)}{DOCUMENT}\n</passage>\n')
    return "".join(parts) + f"<query>\n{query}{QUERY}\n</query>{END}"


class JinaRanking(nn.Module):
    """Its tensors have the names of a JinaForRanking's."""

    def __init__(self, config, size):
        super().__init__()
        self.model = transformers.Qwen3Model(config)
        inner = config.hidden_size // 2
        self.projector = nn.Sequential(nn.Linear(config.hidden_size, inner, bias=False), nn.ReLU(),
                                       nn.Linear(inner, size, bias=False))

    def vectors(self, ids, tokenizer):
        """Of one block's documents [n, size] and query [size]."""
        ids = torch.tensor(ids)
        projected = self.projector(self.model(ids[None]).last_hidden_state[0])
        of = lambda content: projected[ids == tokenizer.convert_tokens_to_ids(content)]
        return of(DOCUMENT).numpy(), of(QUERY)[0].numpy()


def cosines(vectors, query):
    return vectors @ query / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(query))


def cut(text, tokenizer, most):
    """The text and how many tokens it has."""
    ids = tokenizer(text, truncation=True, max_length=most)["input_ids"]
    return (tokenizer.decode(ids) if len(ids) >= most else text), len(ids)


@torch.no_grad()
def rank(network, tokenizer, query, documents, *, max_length, max_query=512, max_document=2048, instruction=None):
    """The ids of each block, and the documents' scores."""
    query, query_length = cut(query, tokenizer, max_query)
    blocks, room = [[]], max_length - 2 * query_length
    for document, length in (cut(document, tokenizer, max_document) for document in documents):
        blocks[-1].append(document)
        room -= length
        if len(blocks[-1]) >= BLOCK or room <= max_document:
            blocks.append([])
            room = max_length - 2 * query_length
    blocks = [block for block in blocks if block]
    ids = [tokenizer(prompt_of(query, block, instruction))["input_ids"] for block in blocks]
    found = [network.vectors(block, tokenizer) for block in ids]
    weights = [((1 + cosines(*one)) / 2).max() for one in found]
    mean = np.average([query for _, query in found], axis=0, weights=weights)
    return ids, cosines(np.concatenate([vectors for vectors, _ in found]), mean)
