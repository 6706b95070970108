/* What is fetched once and shown by several: again when the access key changes. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { ApiError, call, isAbort, messageOf } from './api';
import { useAccessKey } from './key';

export type Resource<T> =
  | { state: 'loading' }
  | { state: 'failed'; error: ApiError }
  | { state: 'there'; value: T };

/* path null: nothing is fetched yet. */
export function useResource<T>(path: string | null): [Resource<T>, () => void] {
  const key = useAccessKey();
  const [resource, setResource] = useState<Resource<T>>({ state: 'loading' });
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    setResource({ state: 'loading' });
    call<T>(path, { signal: abort.signal }).then(
      (value) => setResource({ state: 'there', value }),
      (error: unknown) => {
        if (isAbort(error)) return;
        setResource({ state: 'failed', error: error instanceof ApiError ? error : new ApiError(0, messageOf(error)) });
      },
    );
    return () => abort.abort();
  }, [path, key, round]);
  return [resource, useCallback(() => setRound((before) => before + 1), [])];
}
