/* A dialogue with the good author. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { announce } from './announce';
import { ApiError, isAbort, messageOf, stream } from './api';
import { SentenceSplitter } from './sentences';
import type { ChatEvent, Message, Trace } from './types';

export interface Turn extends Message {
  id: number;
  state: 'writing' | 'finished' | 'stopped' | 'failed';
  trace: Trace | null;
  reason: string | null; /* why it ended: "stop", "length", "content_filter" */
  error: ApiError | null;
}

export interface Chatting {
  turns: Turn[];
  isWriting: boolean;
  say: (text: string, options: object) => Promise<void>;
  stop: () => void;
  reset: (messages: Message[]) => void;
}

let nextId = 1;

function turnOf(message: Message): Turn {
  nextId += 1;
  return { ...message, id: nextId, state: 'finished', trace: null, reason: null, error: null };
}

/* What is sent of a dialogue: a reply of which nothing came is left out, with what it was to answer. */
export function dialogueOf(turns: Turn[]): Message[] {
  const messages: Message[] = [];
  turns.forEach((turn, index) => {
    const answer = turns[index + 1];
    if (turn.role === 'assistant' && turn.content === '') return;
    if (turn.role === 'user' && answer?.role === 'assistant' && answer.content === '') return;
    messages.push({ role: turn.role, content: turn.content });
  });
  return messages;
}

export function useChatting(): Chatting {
  const [turns, setTurns] = useState<Turn[]>([]);
  const [isWriting, setWriting] = useState(false);
  const abort = useRef<AbortController | null>(null);
  const kept = useRef<Turn[]>([]);
  const stop = useCallback(() => abort.current?.abort(), []);
  useEffect(() => stop, [stop]);

  const show = useCallback((next: Turn[]) => {
    kept.current = next;
    setTurns(next);
  }, []);

  const say = useCallback(
    async (text: string, options: object) => {
      const mine = new AbortController();
      abort.current = mine;
      const before = kept.current;
      const asked = turnOf({ role: 'user', content: text });
      const answer: Turn = { ...turnOf({ role: 'assistant', content: '' }), state: 'writing' };
      let frame = 0;
      const update = (): void => {
        frame = 0;
        if (abort.current === mine) show([...before, asked, { ...answer }]);
      };
      const splitter = new SentenceSplitter();
      update();
      setWriting(true);
      try {
        const messages = [...dialogueOf(before), { role: 'user', content: text }];
        await stream<ChatEvent>('v1/chat/completions', { ...options, messages, stream: true }, mine.signal, (event) => {
          const choice = event.choices?.[0];
          const piece = choice?.delta?.content;
          if (typeof piece === 'string') {
            answer.content += piece;
            announce(splitter.push(piece));
          }
          if (choice?.finish_reason) answer.reason = choice.finish_reason;
          if (event.trine) answer.trace = event.trine;
          if (frame === 0) frame = requestAnimationFrame(update);
        });
        answer.state = 'finished';
        announce(splitter.finish());
      } catch (error) {
        answer.state = isAbort(error) ? 'stopped' : 'failed';
        if (answer.state === 'failed') answer.error = error instanceof ApiError ? error : new ApiError(0, messageOf(error));
      }
      if (frame !== 0) cancelAnimationFrame(frame);
      update();
      if (abort.current === mine) setWriting(false);
    },
    [show],
  );
  const reset = useCallback(
    (messages: Message[]) => {
      abort.current?.abort();
      abort.current = null;
      setWriting(false);
      show(messages.map(turnOf));
    },
    [show],
  );
  return { turns, isWriting, say, stop, reset };
}
