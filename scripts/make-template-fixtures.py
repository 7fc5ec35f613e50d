#!/usr/bin/env python3
"""Makes test/fixtures/templates.json: what Jinja, set up as transformers does it, renders of expressions and statements.

Some are written by hand, for what @huggingface/jinja does otherwise; the rest is drawn at random. An output of null: Python
fails. Versions that made the committed file: jinja2 3.1.6. test/unit/convert/templates.test.ts compares ours.

    make-template-fixtures.py [--seed N] [--count N] [--output FILE]
"""
import argparse
import copy
import json
import random
import warnings
from pathlib import Path

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

OUTPUT = Path(__file__).resolve().parent.parent / "test/fixtures/templates.json"
VARIABLES = {
    "s": "  Some text, here.\n",
    "t": "<b>Guten 'Tag'</b>ß😀",
    "n": 5,
    "msgs": [{"role": "user", "content": " hi there "}, {"role": "assistant", "content": "ok\n"}],
    "d": {"k": [1, "two", 3.5], "a": "A", "b": None},
}

BY_HAND = [
    # Loops: what is set in a turn, what is written before one is left, and when there was nothing to go over.
    "{% set f = 0 %}{% for x in [1, 2] %}{{ f }}{% set f = x %}{% endfor %}{{ f }}",
    "{% for x in [1, 2, 3] %}{{ x }}{% if x == 2 %}!{% break %}{% endif %};{% endfor %}",
    "{% for x in [1, 2, 3] %}{{ x }}{% if x == 2 %}!{% continue %}{% endif %};{% endfor %}",
    "{% for x in [1, 2] %}a{% break %}{% else %}b{% endfor %}",
    "{% for x in [1, 2] %}{% for y in 'ab' %}{{ x }}{{ y }}{% break %}{% endfor %}-{% continue %}+{% endfor %}",
    "{% for x in [1, 2] %}{% set y %}lost{% break %}{% endset %}{% endfor %}.",
    "{% for x in nope %}{{ x }}{% else %}nothing{% endfor %}",
    "{% for x in 'a😀b' %}{{ loop.index }}{{ x }}{% endfor %}",
    "{% for k, v in d.items() if v is string %}{{ k }}={{ v }}{{ loop.depth }}{% endfor %}",
    "{% filter upper %}{% set inner = 'x' %}{{ inner }}{% endfilter %}{{ inner is defined }}",
    "{% set block %}{% set inner = 'x' %}{% endset %}{{ inner is defined }}",
    # Macros see where they are written.
    "{% macro m() %}{{ x }}{% endmacro %}{% for x in [1, 2] %}[{{ m() }}]{% endfor %}",
    "{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}body{% endcall %}",
    # Filters of what is undefined, or no text.
    "[{{ nope | trim }}{{ nope | upper }}{{ nope | length }}{{ nope | join(',') }}{{ nope | first }}]",
    "{{ 5 | upper }}{{ true | string }}{{ none | trim }}{{ 2.5 | capitalize }}",
    "{{ [1, 2.5, true, none, nope, 'x'] | join('-') }}",
    "{{ nope | d('other') }}{{ [1, 2] | count }}",
    "{{ [] | selectattr('role') is iterable }}{% if msgs | selectattr('role', 'equalto', 'tool') %}yes{% else %}no{% endif %}",
    "{{ ['b', 'B', 'a', 'b'] | unique | join }}",
    "{{ 'two words-and (more' | title }}{{ \"it's two\".title() }}{{ 'été ß' | title }}",
    "{{ 'a\\n\\nb' | indent(2, true) }}|{{ 'a\\n\\nb' | indent('> ', blank=true) }}|{{ '' | indent(1, first=true) }}",
    "{{ -2.5 | int }}{{ '12' | int }}{{ 0.0 | tojson }}",
    # Texts by characters.
    "{{ t[-1] }}{{ t[-2] }}{{ t | length }}{{ 'a😀b'[2] }}",
    # Operators and tests.
    "{{ -7 % 3 }} {{ 7 % -3 }} {{ -7 // 2 }} {{ -7.5 % 2 }}",
    "{{ 'a' < 'b' }}{{ 'Z' < 'a' }}{{ '😀' > '\uff00' }}{{ 'ab' <= 'abc' }}",
    "{{ true is number }}{{ '12' is upper }}{{ 'ab' is lower }}{{ d is iterable }}{{ nope is sequence }}",
    "{{ [1] in [[1.0]] }}{{ true in [1] }}{{ none in [nope] }}",
    "{{ 1 / 0 }}",
    "{{ 'a' + 1 }}",
    "{{ nope.x }}",
]

TEXTS = ["''", "' a b '", "'Hello wOrld'", "'x\\ny'", "'it\\'s o\\'clock-ok'", "'été ß'", "'12'", "' 3.5'", "'a,b,,c'", "s", "t",
         "msgs[0]['content']", "msgs[0].role"]
NUMBERS = ["0", "1", "-1", "3", "7", "2.5", "-2.5", "n", "10", "-7"]
OTHERS = ["true", "false", "none", "nope", "[]", "[1,2,3]", "['b','a','C']", "[3,1.5,true]", "{}", "{'a':1,'b':'x'}", "msgs", "d",
          "d.k", "d['zz']", "d.zz", "(1,2)", "[none,'a']"]
FILTERS = ["trim", "upper", "lower", "capitalize", "title", "length", "count", "string", "int", "float", "list", "first", "last",
           "reverse", "sort", "unique", "join", "join(',')", "join('-')", "replace('a','b')", "replace('','-')",
           "replace('o','0',1)", "default('d')", "default('d',true)", "d('x')", "tojson", "abs", "indent", "indent(2)",
           "indent(2,true)", "items", "map(attribute='role')", "selectattr('role','equalto','user')", "selectattr('role')",
           "rejectattr('role','eq','user')", "selectattr('role','defined')", "trim('a')", "safe"]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "mapping", "iterable", "true", "false", "boolean", "odd",
         "even", "lower", "upper"]
ENDINGS = [".strip()", ".lstrip()", ".rstrip()", ".upper()", ".lower()", ".title()", ".capitalize()", ".split()", ".split(',')",
           ".split(' ')", ".split('o',1)", ".replace('a','b')", ".replace('l','L',1)", ".startswith('a')", ".endswith('b ')",
           ".startswith(('a','H'))", ".strip('a ')", ".rstrip('\\n')", ".split('\\n')", "[0]", "[-1]", "[1:]", "[:2]", "[::-1]",
           "[-2:]", "[:-1]", "[5]", "['a']", ".items()", ".get('a')", ".get('q','z')", ".role", ".content", ".zz"]
OPERATORS = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">", "<=", ">=", "in", "not in", "and", "or"]
NEARBY = ["x", "v", "found", "loop.index", "loop.first", "loop.last", "loop.length", "loop.revindex", "loop.previtem",
          "loop.nextitem", "x.role", "x.content", "x['content']", "ns.a", "v + 'z'", "v ~ x"]
LISTS = ["msgs", "[1,2,3]", "d.k", "d", "nope", "s", "range(3)", "msgs[1:]", "d.items()", "[]"]


class Source(random.Random):
    """Draws expressions, and templates around them."""

    def atom(self):
        kind = self.random()
        return self.choice(TEXTS if kind < 0.45 else NUMBERS if kind < 0.65 else OTHERS)

    def expression(self, depth=0):
        def inner():
            return self.expression(depth + 1)

        kind = self.random()
        if depth > 2 or kind < 0.2:
            return self.atom()
        if kind < 0.45:
            return f"({inner()}) | {self.choice(FILTERS)}"
        if kind < 0.6:
            return f"({inner()}){self.choice(ENDINGS)}"
        if kind < 0.85:
            return f"({inner()} {self.choice(OPERATORS)} {inner()})"
        if kind < 0.92:
            return f"({inner()} if {inner()} else {inner()})"
        if kind < 0.97:
            return f"({inner()} is {self.choice(['', 'not '])}{self.choice(TESTS)})"
        return f"(not {inner()})"

    def tag(self, text):
        return f"{self.choice(['{%', '{%-', '  {%'])} {text} {self.choice(['%}', '-%}', chr(37) + '}' + chr(10)])}"

    def nearby(self):
        return self.choice([self.atom(), *NEARBY])

    def statement(self, depth, in_loop):
        kind = self.random()
        if depth > 2 or kind < 0.2:
            return self.choice(["A", "b ", "\n", "  c\n", " d "])
        if kind < 0.4:
            value = self.nearby() if self.random() < 0.7 else self.expression(1)
            return self.choice(["{{ ", "{{- "]) + value + self.choice([" }}", " -}}", " }}\n"])
        if kind < 0.58:
            return self.tag(f"set {self.choice(['x', 'v', 's', 'found', 'ns.a'])} = {self.nearby()}")
        if kind < 0.62:
            return self.tag("set v") + self.block(depth, in_loop) + self.tag("endset")
        if in_loop and kind < 0.7:
            leave = self.tag(self.choice(["break", "continue"]))
            return self.tag(f"if {self.nearby()}") + self.block(depth, in_loop) + leave + self.tag("endif")
        if kind < 0.8:
            return (self.tag(f"if {self.nearby()}") + self.block(depth, in_loop) + self.tag("else") + self.block(depth, in_loop)
                    + self.tag("endif"))
        if kind < 0.94:
            test = self.choice(["", "", "", " if x", " if x.role == 'user'"])
            other = self.tag("else") + self.block(depth, in_loop) if self.random() < 0.2 else ""
            return self.tag(f"for x in {self.choice(LISTS)}{test}") + self.block(depth, True) + other + self.tag("endfor")
        if kind < 0.97:
            name = self.choice(["upper", "trim", "title", "lower"])
            return self.tag(f"filter {name}") + self.block(depth, in_loop) + self.tag("endfilter")
        call = self.choice(["m(1)", "m('u', c=2)", "m(b=1,a='k')", "m(s, 't') | trim", "m()"])
        return (self.tag("macro m(a, b='q', c=none)") + self.block(depth, False) + "{{ a }}|{{ b }}|{{ c is none }}"
                + self.tag("endmacro") + "{{ " + call + " }}")

    def block(self, depth=0, in_loop=False):
        return "".join(self.statement(depth + 1, in_loop) for _ in range(self.randint(1, 4)))

    def template(self):
        if self.random() < 0.5:
            return "{{ " + self.expression() + " }}"
        return "{% set ns = namespace(a=0) %}" + self.block(-1)


def environment():
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols])
    made.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return made


def render(template):
    try:
        return environment().from_string(template).render(**copy.deepcopy(VARIABLES))
    except Exception:  # whatever Python or Jinja makes of it
        return None


def main():
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    source = Source(options.seed)
    drawn = [template for template in (source.template() for _ in range(options.count)) if len(template) < 600]
    tables = {"byHand": BY_HAND, "drawn": drawn}
    rows = {name: [{"template": template, "text": render(template)} for template in templates]
            for name, templates in tables.items()}
    # What fails in Python shows nothing in a template that was drawn.
    rows["drawn"] = [row for row in rows["drawn"] if row["text"] is not None]
    head = {"versions": {"jinja2": jinja2.__version__}, "variables": VARIABLES}
    lists = [f'"{name}":[\n' + ",\n".join(json.dumps(row) for row in table) + "]" for name, table in rows.items()]
    options.output.write_text(json.dumps(head)[:-1] + ",\n" + ",\n".join(lists) + "}\n", encoding="utf-8")
    print({name: len(table) for name, table in rows.items()}, options.output.stat().st_size)


if __name__ == "__main__":
    main()
