import { describe, expect, it } from 'vitest';
import { EventStreamParser } from '../../src/lib/events';

/* Whatever the pieces, the events are the same. */
function parse(text: string, size: number): string[] {
  const parser = new EventStreamParser();
  const events: string[] = [];
  for (let at = 0; at < text.length; at += size) events.push(...parser.push(text.slice(at, at + size)));
  return events;
}

describe('EventStreamParser', () => {
  const cases: [string, string, string[]][] = [
    ['two events', 'data: one\n\ndata: two\n\n', ['one', 'two']],
    ['carriage returns', 'data: one\r\n\r\ndata: two\r\r', ['one', 'two']],
    ['carriage returns, mixed', 'data: a\r\ndata: b\r\n\r\ndata: c\n\r\n', ['a\nb', 'c']],
    ['data of several lines', 'data: one\ndata:two\ndata:  three\n\n', ['one\ntwo\n three']],
    ['comments and other fields', ': hello\nevent: x\nid: 3\nretry: 5\ndata: one\n\n: bye\n\n', ['one']],
    ['a byte order mark', '\ufeffdata: one\n\n', ['one']],
    ['a field without a colon', 'data\n\n', ['']],
    ['an event that is not finished', 'data: one\n\ndata: lost', ['one']],
    ['JSON with colons', 'data: {"a": "b: c"}\n\n', ['{"a": "b: c"}']],
    ['a field whose name only begins so', 'database: no\ndata: yes\n\n', ['yes']],
    ['empty lines', '\n\n\ndata: one\n\n\n\n', ['one']],
  ];
  for (const [name, text, events] of cases) {
    it(name, () => {
      for (const size of [1, 2, 3, 7, text.length]) expect(parse(text, size), `in pieces of ${size}`).toEqual(events);
    });
  }
});
