import { describe, expect, it } from 'vitest';

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
});
