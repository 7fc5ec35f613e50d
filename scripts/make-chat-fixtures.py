#!/usr/bin/env python3
"""Makes test/fixtures/chats.json: what transformers renders of chats in templates that use what published ones use.

Versions that made the committed file: transformers 5.18.0, jinja2 3.1.6. A text of null: the template raised an exception.
test/unit/api/chats.test.ts compares ours.
"""
import json
import random
from pathlib import Path

import jinja2
import transformers
from transformers.utils.chat_template_utils import render_jinja_template

OUTPUT = Path(__file__).resolve().parent.parent / "test/fixtures/chats.json"
VARIABLES = {"bos_token": "<s>", "eos_token": "</s>"}

TEMPLATES = {
    "turns": """{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- set rules = messages[0]['content'] | trim %}
    {%- set turns = messages[1:] %}
{%- else %}
    {%- set rules = 'Be brief.' %}
    {%- set turns = messages %}
{%- endif %}
{%- if tools is not none %}{{- 'no tools here' }}{%- endif %}
{{- '<|turn|>rules\\n' + rules + '<|stop|>' }}
{%- for turn in turns %}
    {{- '<|turn|>' + turn.role + '\\n' + turn['content'] | trim + '<|stop|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|turn|>' }}{%- else %}{{- eos_token }}{%- endif %}
""",
    "alternating": """{% if messages[0].role == 'system' %}{{ raise_exception('no rules, please') }}{% endif %}
{% for turn in messages %}
{% if (turn.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('one after the other, please') }}{% endif %}
{% set name = 'you' if turn.role == 'assistant' else 'me' %}
{{ name ~ ': ' ~ turn.content }}
{% endfor %}
""",
    "thoughts": """{%- set state = namespace(asked=-1) %}
{%- for turn in messages[::-1] %}
    {%- if state.asked < 0 and turn.role == 'user' and turn.content is string and not turn.content.startswith('<result>') %}
        {%- set state.asked = messages | length - 1 - loop.index0 %}
    {%- endif %}
{%- endfor %}
{%- for turn in messages %}
    {%- set said = turn.content %}
    {%- set thought = '' %}
    {%- if turn.role == 'assistant' and '</think>' in said %}
        {%- set thought = said.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set said = said.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<|' + turn.role + '|>' }}
    {%- if loop.index0 > state.asked and (loop.last or thought) %}
        {{- '<think>' + thought.strip('\\n') + '</think>' }}
    {%- endif %}
    {{- said.lstrip('\\n') + '\\n' }}
{%- endfor %}
""",
    "texts": """{% for turn in messages %}
[{{ turn.content.strip() }}][{{ turn.content.lstrip() }}][{{ turn.content.rstrip() }}][{{ turn.content | trim }}]
[{{ turn.content.strip('\\n ') }}][{{ turn.content.lstrip('<a') }}][{{ turn.content.rstrip('>b') }}]
[{{ turn.content | capitalize }}][{{ turn.role.capitalize() }}][{{ turn.role | upper }}][{{ turn.content | lower }}]
{{ turn.content | length }} {{ turn.content | tojson }} {{ turn.content.split() | join('|') }}
{{ turn.content[:3] }} {{ turn.content[-2:] }} {{ turn.content | replace('a', 'A') }} {{ turn.get('name', 'x') }}
{% endfor %}
""",
    "values": """{% for turn in messages -%}
{{ turn.content == '0' }} {{ turn.content == 0 }} {{ turn.name == none }} {{ turn == messages[0] }} {{ [turn.role] == ['user'] }}
{{ none }} {{ turn.content ~ true ~ none ~ 1 }} {{ loop.first }} {{ (turn.role | trim) in ['user', 'tool'] }} {{ 7 // 2 }} {{ 7 / 2 }}
{%- set gone = none %}{# nothing #}
{% endfor %}""",
    "loops": """{%- macro line(turn, place) -%}
  <{{ turn.role }} n={{ place }}>{{ turn.content }}</{{ turn.role }}>
{%- endmacro -%}
{%- set head %}{{ messages | length }} of {{ messages | map(attribute='role') | join(', ') }}{% endset -%}
{{ head }}
{%- for turn in messages if turn.role != 'system' -%}
  {%- if turn.content == '' %}{% continue %}{% endif -%}
  {%- if loop.index > 3 %}{% break %}{% endif -%}
  {{ line(turn, loop.index0) }}{% generation %}{{ ';' if not loop.last }}{% endgeneration %}
{%- else -%}
  nothing
{%- endfor -%}
{{ messages | selectattr('role', 'equalto', 'user') | list | length }}""",
}

CONTENTS = ["", " ", "hello", "  two  spaces ", "line\nbreak\n", "\n\nlead", "<think>\nwhy\n</think>\n\nanswer", "ünïcödé 漢字 😀",
            "{{ x }} {% y %}", "a<b>&\"'", "tab\tx", "a\r\nb", "<result>x</result>", "aaa ab", "\u2028x\u00a0", "\ufeffİß\x1c", "0"]


def chats(source):
    for row in range(24):
        if row % 3 == 2:
            roles = source.choices(["system", "user", "assistant", "tool"], k=source.randint(1, 5))
        else:
            roles = ["system"] * (row % 2) + ["user", "assistant"] * 2
            roles = roles[:source.randint(1 + row % 2, len(roles))]
        yield [{"role": role, "content": source.choice(CONTENTS)} for role in roles]


def render(template, messages):
    try:
        texts, _ = render_jinja_template(conversations=[messages], tools=None, documents=None, chat_template=template,
                                         add_generation_prompt=False, **VARIABLES)
        return texts[0]
    except jinja2.exceptions.TemplateError:
        return None


def main():
    source = random.Random(5)
    entries = [{"name": name, "template": template,
                "rows": [{"messages": messages, "text": render(template, messages)} for messages in chats(source)]}
               for name, template in TEMPLATES.items()]
    head = {"versions": {"transformers": transformers.__version__, "jinja2": jinja2.__version__}, "variables": VARIABLES}
    lines = [json.dumps(head)[:-1] + ',"templates":[', ",\n".join(json.dumps(entry) for entry in entries), "]}"]
    OUTPUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print([(entry["name"], sum(row["text"] is not None for row in entry["rows"])) for entry in entries], OUTPUT.stat().st_size)


if __name__ == "__main__":
    main()
