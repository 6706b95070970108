/* Says something to those who listen to the page (parts/announcer.tsx has the region). Politely: it waits until
 * what is being read out is finished. */
type Listener = (text: string) => void;

let listener: Listener | null = null;

export function announce(text: string): void {
  if (text !== '') listener?.(text);
}

export function listenToAnnouncements(heard: Listener): () => void {
  listener = heard;
  return () => {
    if (listener === heard) listener = null;
  };
}
