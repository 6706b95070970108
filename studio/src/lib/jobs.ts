/* How far long commands are: asked for while the page is seen, by those who may, and no longer. */
import { useEffect, useState } from 'preact/hooks';
import { ApiError, call, isAbort } from './api';
import { useAccessKey } from './key';
import type { Job } from './types';

/* Seconds between two looks: while something runs, while nothing does, and when it did not work. */
const WHILE_RUNNING = 5;
const WHILE_IDLE = 20;
const AFTER_FAILURE = 60;

/* Whether there is no use in asking again. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && [401, 403, 404].includes(error.status);
}

export function useJobs(isAllowed: boolean): Job[] {
  const key = useAccessKey();
  const [jobs, setJobs] = useState<Job[]>([]);
  useEffect(() => {
    if (!isAllowed) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let abort: AbortController | null = null;
    let isOver = false;
    const look = async (): Promise<void> => {
      clearTimeout(timer);
      if (isOver || abort !== null || document.visibilityState !== 'visible') return;
      const mine = new AbortController();
      abort = mine;
      let wait = WHILE_IDLE;
      try {
        const { jobs: found } = await call<{ jobs: Job[] }>('v1/jobs', { signal: mine.signal });
        setJobs(found);
        if (found.length > 0) wait = WHILE_RUNNING;
      } catch (error) {
        if (isAbort(error)) return;
        setJobs([]);
        if (isFinal(error)) isOver = true;
        wait = AFTER_FAILURE;
      } finally {
        if (abort === mine) abort = null;
      }
      if (!isOver) timer = setTimeout(() => void look(), wait * 1000);
    };
    const seen = (): void => void look();
    document.addEventListener('visibilitychange', seen);
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
      abort?.abort();
      document.removeEventListener('visibilitychange', seen);
      setJobs([]);
    };
  }, [isAllowed, key]);
  return jobs;
}
