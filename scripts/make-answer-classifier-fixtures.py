#!/usr/bin/env python3
"""Small language models that answer a chat with one of their labels, as the code on the cards of guard models runs them.

    python scripts/make-answer-classifier-fixtures.py

Writes test/fixtures/answer-classifiers/models.json: two tokenizers (byte-level BPE as Qwen has it, BPE over whole texts as
Gemma has it), and for each model its configuration, the shapes of its tensors (values are make-golden.py's function of seed
and name), and rows: a chat, a text or a pair, the variables of the template, the tokens of apply_chat_template with what the
answer begins with behind them, and the logits of the answers' tokens after the last one, in F64. A row with a maxLength is
cut before what stands behind the last message. The chat templates are made up for the tests, with what published ones use.

Made with transformers 5.18.0, tokenizers 0.23.2, torch 2.13.0.
"""
import importlib
import json
import os
from pathlib import Path

import torch
import transformers
from transformers import PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "test/fixtures/answer-classifiers"
golden = importlib.import_module("make-golden")
causal = importlib.import_module("make-causal-reranker-fixtures")
published = importlib.import_module("make-published-reranker-fixtures")

ANSWERS = ["Safety: Safe", "Safety: Unsafe", "Safety: Cont", "safe", "unsafe", "Yes", "No", "yes\n\nno"]
SIZES = {**causal.BASE, "max_position_embeddings": 320}

# Asks another question about what the assistant said than about what the user said, and begins the answer by itself.
POLICY = """{%- set asked = 'reply' if messages[-1].role == 'assistant' else 'question' -%}
<|im_start|>user
Is the last {{ asked }} safe?

{% for message in messages %}
{{ ('USER: ' if message.role == 'user' else 'ASSISTANT: ') + message.content }}

{% endfor %}
Begin with 'Safety: Safe', 'Safety: Unsafe' or 'Safety: Controversial'.<|im_end|>
<|im_start|>assistant
<think>

</think>

"""
GUIDELINE = """{{ bos_token }}{% set replied = messages | length == 2 %}A {{ 'reply' if replied else 'question' }} and a rule.

Question: {{ messages[0]['content'] | trim }}
{% if replied %}Reply: {{ messages[1]['content'] | trim }}
{% endif %}
Rule: {{ guideline | trim }}

Does it break the rule, 'Yes' or 'No'?

"""
RISK = """{%- set rules = {'harm': 'It does harm.', 'profanity': 'It is coarse.'} -%}
{%- if guardian_config is defined and guardian_config.risk_name not in rules and not guardian_config.risk_definition -%}
{{ raise_exception('no such risk: ' ~ guardian_config.risk_name) }}
{%- endif -%}
{%- set name = guardian_config.risk_name if guardian_config is defined else 'harm' -%}
{%- for message in messages %}
<|im_start|>{{ message.role | capitalize }}
{{ message.content }}<|im_end|>
{%- endfor %}
{%- if documents %}{% for document in documents %}
[{{ loop.index }}] {{ document.text }}{% endfor %}{% endif %}
Risk: {{ guardian_config.risk_definition or rules[name] if guardian_config is defined else rules[name] }}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
CATEGORIES = """{{- bos_token -}}
{%- if categories is not defined -%}{%- set categories = {'S1': 'Force.', 'S2': 'Fraud.', 'S3': 'Slander.'} -%}{%- endif -%}
{%- set left_out = excluded if excluded is defined else [] -%}
{%- for key in categories -%}{%- if key not in left_out -%}{{- key + ': ' + categories[key] + '\\n' -}}{%- endif -%}{%- endfor -%}
{%- for message in messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception('user and assistant must take turns') }}
    {%- endif -%}
    {%- for part in message['content'] | selectattr('type', 'equalto', 'text') -%}
        {{- message['role'] | capitalize + ': ' + part['text'] | trim + '\\n\\n' -}}
    {%- endfor -%}
{%- endfor -%}
{{- 'safe or unsafe?<eos>' -}}"""
TURNS = """{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

LONG = "The rivers of the north run to a cold sea. " * 40
TEXTS = ["which sea?", " two  spaces ", "", "Yes, and no.\n", "ünïcödé 漢字 😀", {"text": "which sea?", "textPair": "A cold one.\n\n"},
         {"text": "\n", "textPair": "safe"}]


def chat(*turns, structured=False):
    roles = ["user", "assistant"] * len(turns)
    return [{"role": role, "content": [{"type": "text", "text": turn}] if structured else turn}
            for role, turn in zip(roles, turns)]


# name: tokenizer, model_type, configuration, template, answers' tokens, labels, prefix, generation prompt, rows
CASES = {
    "Qwen3Guard-Gen-0.6B": (
        "qwen", "qwen3", {**SIZES, "head_dim": 16, "tie_word_embeddings": True}, POLICY, ["\u0120Safe", "\u0120Unsafe", "\u0120Cont"],
        ["Safe", "Unsafe", "Controversial"], "Safety:", False,
        [*TEXTS, {"messages": chat("which sea?", "A cold one.", "How cold?")}, {"messages": chat("a", "b", "c", "d")},
         {"text": LONG, "maxLength": 96}, {"text": "a", "textPair": LONG, "maxLength": 320}]),
    "shieldgemma-2b": (
        "gemma", "gemma2", {**SIZES, "head_dim": 16, "sliding_window": 40, "final_logit_softcapping": 3.0}, GUIDELINE,
        ["Yes", "No"], ["Yes", "No"], "", False,
        [*({"input": text, "variables": {"guideline": "No cold seas. \n"}} for text in TEXTS),
         {"text": LONG, "maxLength": 80, "variables": {"guideline": "A rule"}}]),
    "granite-guardian-3.1-2b": (
        "qwen", "granite", {**SIZES, "embedding_multiplier": 12.0, "residual_multiplier": 0.22, "logits_scaling": 0.5,
                            "attention_multiplier": 0.02}, RISK, ["Yes", "No"], ["Yes", "No"], "", True,
        [*TEXTS, {"input": "which sea?", "variables": {"guardian_config": {"risk_name": "profanity"}}},
         {"input": "x", "variables": {"guardian_config": {"risk_name": "own", "risk_definition": "It is \"own\" & <b>"}}},
         {"input": "y", "variables": {"documents": [{"text": "One."}, {"text": "Two."}]}},
         {"input": "y", "variables": {"add_generation_prompt": False}},
         {"messages": [{"role": "context", "content": "Seas are cold."}, *chat("which sea?", "A warm one.")]}]),
    "Llama-Guard-3-1B": (
        "gemma", "llama", {**SIZES, "tie_word_embeddings": True}, CATEGORIES, ["safe", "unsafe"], ["safe", "unsafe"], "\n\n", False,
        [*TEXTS, {"messages": chat("which sea?", "A cold one.", "Why?", structured=True)},
         {"input": "x", "variables": {"categories": {"A": "Own."}}}, {"input": "x", "variables": {"excluded": ["S2"]}},
         {"text": LONG, "maxLength": 100}]),
    "my-turns": (
        "qwen", "qwen2", {**SIZES, "tie_word_embeddings": True}, TURNS, ["yes", "no", "\u0120Cont"], ["yes", "no", "Cont"], "It is ", True,
        [*TEXTS, {"messages": [{"role": "system", "content": "Be brief."}, *chat("a")]}, {"text": LONG, "maxLength": 64}]),
    "my-texts": (
        "gemma", "mistral", SIZES, None, ["Safe", "Yes"], ["Safe", "Yes"], "", True,
        [*TEXTS[:5], {"text": LONG, "maxLength": 64}]),
    "my-lfm2-texts": (
        "gemma", "lfm2", {**SIZES, "block_multiple_of": 24, "layer_types": ["conv", "full_attention"]}, None, ["Safe", "Yes"],
        ["Safe", "Yes"], "", True, [*TEXTS[:5], {"text": LONG, "maxLength": 64}]),
}


def as_chat(text, structured):
    if "messages" in text:
        return text["messages"]
    turns = [text] if isinstance(text, str) else [text["text"], text["textPair"]] if "textPair" in text else [text["text"]]
    return chat(*turns, structured=structured)


def written(tokenizer, messages, prefix, generates, variables):
    options = {"add_generation_prompt": generates, **variables}
    text = tokenizer.apply_chat_template(messages, tokenize=False, **options)
    return text if text.endswith(prefix) else text + prefix


def replaced(messages, text):
    *before, last = messages
    return [*before, {**last, "content": text if isinstance(last["content"], str) else [{"type": "text", "text": text}]}]


def encode(tokenizer, row, template, prefix, generates):
    """Tokens of a row. Without a template a text is one like any other."""
    limit = row.get("maxLength")
    own = row["input"]
    if template is None:
        return tokenizer(own if isinstance(own, str) else own["text"], truncation=limit is not None, max_length=limit)["input_ids"]
    messages = as_chat(own, "selectattr" in template)
    variables = row.get("variables", {})
    ids = published.plain(tokenizer, written(tokenizer, messages, prefix, generates, variables))
    if prefix == "" and "documents" not in variables:
        assert ids == tokenizer.apply_chat_template(messages, return_dict=False, **{"add_generation_prompt": generates, **variables})
    if limit is None:
        return ids
    fillers = [written(tokenizer, replaced(messages, filler), prefix, generates, variables) for filler in ("0", "1 2 3 4")]
    end = published.plain(tokenizer, os.path.commonprefix([filler[::-1] for filler in fillers])[::-1])
    assert len(ids) > limit > len(end) > 0
    return ids[:limit - len(end)] + end


def rows_of(rows):
    for row in rows:
        if isinstance(row, str) or not {"input", "maxLength"} & row.keys():
            yield {"input": row}
        elif "input" in row:
            yield row
        else:
            limit = {key: row[key] for key in ("maxLength", "variables") if key in row}
            yield {"input": {key: value for key, value in row.items() if key not in limit}, **limit}


def main():
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    published.SENTENCES += ANSWERS * 200
    tokenizers = {"qwen": published.qwen_tokenizer(ANSWERS), "gemma": published.gemma_tokenizer()}
    entries = []
    for seed, (name, case) in enumerate(CASES.items(), 801):
        kind, model_type, sizes, template, answers, labels, prefix, generates, rows = case
        special = published.special_tokens(kind)
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokenizers[kind], chat_template=template, **special)
        config = transformers.AutoConfig.for_model(model_type, vocab_size=len(tokenizer) + 3, **sizes)
        network = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        tensors = published.weights(network, seed)
        ids_of = [tokenizer.convert_tokens_to_ids(token) for token in answers]
        assert set(answers) <= tokenizer.get_vocab().keys(), name
        found = []
        for row in rows_of(rows):
            ids = encode(tokenizer, row, template, prefix, generates)
            with torch.no_grad():
                last = network(input_ids=torch.tensor([ids])).logits[0, -1]
            found.append({**row, "ids": ids, "logits": [float(f"{float(last[token]):.9g}") for token in ids_of]})
        print(name, [len(row["ids"]) for row in found], "std", torch.tensor([row["logits"] for row in found]).std(0).tolist())
        settings = {} if template is None else {"chat_template": template}
        entry = published.entry(name, seed, kind, network, tensors, tokenizers, settings)
        entries.append({**entry, "answers": answers, "labels": labels, "prefix": prefix, "rows": found})
    head = {"scales": causal.SCALES, "tokenizers": {kind: json.loads(own.to_str()) for kind, own in tokenizers.items()}}
    lines = [json.dumps(head, ensure_ascii=False)[:-1] + ', "models": [', ",\n".join(json.dumps(entry) for entry in entries), "]}"]
    (OUT / "models.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
