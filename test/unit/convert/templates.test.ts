// What chat templates are rendered to, against Jinja in Python (scripts/make-template-fixtures.py).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { BoundedTemplate } from '../../../src/convert/chat-template/bounded-template';
import { splitTemplate } from '../../../src/convert/chat-template/split-template';

interface Row {
  readonly template: string;
  /** Null where Python fails. */
  readonly text: string | null;
}

interface Fixture {
  readonly variables: Readonly<Record<string, unknown>>;
  readonly byHand: readonly Row[];
  readonly drawn: readonly Row[];
}

const { variables, byHand, drawn } = JSON.parse(
  readFileSync(join(__dirname, '../../fixtures/templates.json'), 'utf8'),
) as Fixture;

/** Null where it is refused. */
function render(template: string): string | null {
  const rendered = new BoundedTemplate(template, 'template').tryRender(variables);
  return typeof rendered === 'string' ? rendered : null;
}

describe('BoundedTemplate', () => {
  it.each(byHand)('renders $template as Python', ({ template, text }) => {
    expect(render(template)).toBe(text);
  });

  it('renders what was drawn at random as Python, or refuses it', () => {
    const rendered = drawn.map(({ template, text }) => ({ template, text, ours: render(template) }));
    expect(rendered.filter(({ text, ours }) => ours !== null && ours !== text)).toEqual([]);
    expect(rendered.filter(({ text, ours }) => ours === text).length).toBe(514);
  });

  const COUNT = '{% for i in range(2000) %}{% for j in range(2000) %}';
  it.each([
    ['goes over a text again and again', '{% for i in range(2000) %}{% for c in s %}{% endfor %}{% endfor %}'],
    ['takes characters out of a text', `${COUNT}{{ s[3] }}{% endfor %}{% endfor %}`],
    [
      'compares lists with all that is in them',
      `{% set l = [range(2000), range(2000)] %}${COUNT}{{ l == l }}{% endfor %}{% endfor %}`,
    ],
  ])('ends a template that %s', (_, template) => {
    const bounded = new BoundedTemplate(template, 'template');
    expect(() => bounded.tryRender({ s: 'y'.repeat(40_000) })).toThrow('takes more than 2000000 steps');
  });
});

describe('splitTemplate', () => {
  const template = new BoundedTemplate('{{ note }}: {% for m in messages %}[{{ m.content }}]{% endfor %}', 'template');
  const split = (variables: object) => splitTemplate({ template, format: 'flat', variables: { ...variables } });

  it('finds the texts whatever the variables hold', () => {
    const note = 'query mark0a, document mark0b, mark00';
    const { plain } = split({ note });
    expect(plain).toEqual({ pieces: [`${note}: [`, '][', ']'], slots: ['query', 'document'] });
  });

  it('looks for marks in one pass over the variables', () => {
    const marks = Array.from({ length: 400_000 }, (_, index) => `mark${index}`).join();
    expect(split({ note: 'x', marks }).plain.pieces[0]).toBe('x: [');
  });
});
