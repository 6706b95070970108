import { useEffect, useState } from 'preact/hooks';
import { listenToAnnouncements } from '../lib/announce';

/* A few of the last sayings, so that none is lost to the next one before it was heard. */
const KEPT = 4;

export function Announcer() {
  const [said, setSaid] = useState<{ id: number; text: string }[]>([]);
  useEffect(() => {
    let id = 0;
    return listenToAnnouncements((text) => {
      id += 1;
      const next = { id, text };
      setSaid((before) => [...before.slice(1 - KEPT), next]);
    });
  }, []);
  return (
    <div class="unseen" role="log" aria-live="polite" aria-relevant="additions" aria-label="Announcements">
      {said.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
