import { describe, expect, it } from 'vitest';

import { labelPlace } from '../../../src/cli/evaluation/input/label-place';
import { labelledText } from '../../../src/cli/evaluation/input/labelled-text';
import { classifierLines } from '../../../src/cli/text-line';

const CHAT = '{"messages": [{"role": "user", "content": "a"}]}';

describe('classifierLines', () => {
  it('reads chats, or texts and pairs', () => {
    const chats = classifierLines();
    expect([chats(CHAT), chats(CHAT)]).toHaveLength(2);
    const texts = classifierLines();
    expect([texts('"a"'), texts('{"text": "a", "text_pair": "b"}')]).toEqual(['a', { text: 'a', textPair: 'b' }]);
  });

  it('refuses a line of the other kind, whatever the batch that it stands in', () => {
    const chats = classifierLines();
    chats(CHAT);
    expect(() => chats('"a"')).toThrow('a text, where the lines before are chats');
    const texts = classifierLines();
    texts('{"text": "a"}');
    expect(() => texts(CHAT)).toThrow('a chat, where the lines before are texts');
  });

  it('refuses it among labelled texts too', () => {
    const format = labelledText(labelPlace(['no', 'yes']));
    const read = (input: object) => format.fromObject({ ...input, label: 'yes' }, {});
    expect(read({ text: 'a' })).toHaveLength(1);
    expect(() => read(JSON.parse(CHAT) as object)).toThrow('a chat, where the lines before are texts');
  });

  it('refuses what a template would read and does not get, but for null', () => {
    const line = (more: object) => JSON.stringify({ messages: [{ role: 'user', content: 'a', ...more }] });
    expect(classifierLines()(line({ tool_calls: null }))).toEqual({ messages: [{ role: 'user', content: 'a' }] });
    expect(() => classifierLines()(line({ name: 'b' }))).toThrow('"messages" has "name" at 0');
  });
});
