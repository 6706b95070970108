/* A text that the server writes while one looks on. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { announce } from './announce';
import { ApiError, isAbort, messageOf, stream } from './api';
import { SentenceSplitter } from './sentences';
import type { CompletionEvent, Reading } from './types';

export interface Writing {
  state: 'empty' | 'writing' | 'finished' | 'stopped' | 'failed';
  text: string;
  reading: Reading | null;
  reason: string | null; /* why it ended: "stop", "length" */
  error: ApiError | null;
}

const EMPTY: Writing = { state: 'empty', text: '', reading: null, reason: null, error: null };

/* Events arrive faster than anybody reads: what is shown changes once a frame. */
export function useWriting(name: string): [Writing, (body: object) => Promise<void>, () => void] {
  const [writing, setWriting] = useState<Writing>(EMPTY);
  const abort = useRef<AbortController | null>(null);
  const stop = useCallback(() => abort.current?.abort(), []);
  useEffect(() => stop, [stop]);

  const start = useCallback(
    async (body: object) => {
      abort.current?.abort();
      const mine = new AbortController();
      abort.current = mine;
      const now: Writing = { ...EMPTY, state: 'writing' };
      const splitter = new SentenceSplitter();
      let frame = 0;
      const show = (): void => {
        frame = 0;
        if (abort.current === mine) setWriting({ ...now });
      };
      const showSoon = (): void => {
        if (frame === 0) frame = requestAnimationFrame(show);
      };
      show();
      try {
        await stream<CompletionEvent>('v1/completions', body, mine.signal, (event) => {
          const choice = event.choices?.[0];
          if (typeof choice?.text === 'string') {
            now.text += choice.text;
            announce(splitter.push(choice.text));
          }
          if (choice?.finish_reason) now.reason = choice.finish_reason;
          if (event.reading) now.reading = event.reading;
          showSoon();
        });
        now.state = 'finished';
        announce(`${splitter.finish()} ${name} is finished.`.trim());
      } catch (error) {
        now.state = isAbort(error) ? 'stopped' : 'failed';
        if (now.state === 'failed')
          now.error = error instanceof ApiError ? error : new ApiError(0, messageOf(error));
        announce(now.state === 'stopped' ? `${name} was stopped.` : '');
      }
      if (frame !== 0) cancelAnimationFrame(frame);
      show();
    },
    [name],
  );
  return [writing, start, stop];
}
