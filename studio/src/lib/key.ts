/* The access key: kept for this tab and until it is closed, and sent to the page's own server only. */
import { useEffect, useState } from 'preact/hooks';

const NAME = 'trine-key';
let key = '';
try {
  key = sessionStorage.getItem(NAME) ?? '';
} catch {
  /* storage is forbidden: the key lives as long as the page */
}
const listeners = new Set<() => void>();

export function accessKey(): string {
  return key;
}

export function setAccessKey(text: string): void {
  key = text.trim();
  try {
    if (key === '') sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, key);
  } catch {
    /* as above */
  }
  for (const listener of listeners) listener();
}

export function useAccessKey(): string {
  const [value, setValue] = useState(key);
  useEffect(() => {
    const listener = (): void => setValue(key);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return value;
}
