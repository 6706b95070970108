import { useEffect, useRef, useState } from 'preact/hooks';
import { announce } from '../lib/announce';
import { setAccessKey, useAccessKey } from '../lib/key';

/* The access key: a button with a dialog. Others open it with the event "trine-key". */
export function KeyDialog() {
  const key = useAccessKey();
  const [typed, setTyped] = useState('');
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const open = (): void => dialog.current?.showModal();
    document.addEventListener('trine-key', open);
    return () => document.removeEventListener('trine-key', open);
  }, []);
  const keep = (text: string): void => {
    setAccessKey(text);
    setTyped('');
    dialog.current?.close();
    announce(text === '' ? 'The access key is forgotten.' : 'The access key is used from now on.');
  };
  return (
    <>
      <button type="button" class="tool" onClick={() => dialog.current?.showModal()}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <circle cx="8" cy="12" r="4" />
          <path d="M12 12h9.500v4M17.500 12v3" />
        </svg>
        <span class="tool-name">{key === '' ? 'Access key' : 'Key in use'}</span>
      </button>
      <dialog ref={dialog} class="dialog" aria-labelledby="key-title">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (typed.trim() !== '') keep(typed);
          }}
        >
          <h2 id="key-title">Access key</h2>
          <p>
            Whoever runs the server makes keys with <code>trine key new</code>. The key is kept in this tab until it is
            closed, and is sent to this server only.
          </p>
          <label class="field">
            <span>{key === '' ? 'Key' : 'Another key'}</span>
            <input
              type="password"
              autocomplete="off"
              spellcheck={false}
              value={typed}
              placeholder="trine-…"
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
          <div class="row">
            <button type="submit" class="button primary" disabled={typed.trim() === ''}>
              Use this key
            </button>
            {key !== '' && (
              <button type="button" class="button" onClick={() => keep('')}>
                Forget the key
              </button>
            )}
            <button type="button" class="button" onClick={() => dialog.current?.close()}>
              Close
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
