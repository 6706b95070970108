import { describe, expect, it } from 'vitest';
import { dialogueOf, type Turn } from '../../src/lib/chatting';

const turn = (role: 'user' | 'assistant', content: string): Turn => ({
  id: 0, role, content, state: 'finished', trace: null, reason: null, error: null,
});

describe('dialogueOf', () => {
  it('sends what was said', () => {
    expect(dialogueOf([turn('user', 'a'), turn('assistant', 'b')])).toEqual([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ]);
  });
  it('leaves out a question of which no reply came, with the reply', () => {
    expect(dialogueOf([turn('user', 'lost'), turn('assistant', ''), turn('user', 'a'), turn('assistant', 'b')])).toEqual([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ]);
  });
});
