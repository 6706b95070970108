import type { ComponentChildren } from 'preact';
import type { ApiError } from '../lib/api';
import type { Layer } from '../lib/types';

/* Something that went wrong, or that one should know. */
export function Notice({ kind = 'note', children }: { kind?: 'note' | 'error'; children: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`} role={kind === 'error' ? 'alert' : 'note'}>
      {children}
    </div>
  );
}

/* Asks for the dialog of the access key (app.tsx has it). */
export function KeyButton({ children }: { children: ComponentChildren }) {
  return (
    <button type="button" class="button" onClick={() => document.dispatchEvent(new CustomEvent('trine-key'))}>
      {children}
    </button>
  );
}

/* Why a panel cannot work, and what whoever runs the server can do about it. */
export function NoAccess({ layer, error, what }: { layer: Layer; error: ApiError | null; what: string }) {
  if (error !== null && error.status !== 401 && error.status !== 403 && error.status !== 404) {
    return <Notice kind="error">{error.message}</Notice>;
  }
  const isStranger = error?.status === 401;
  const title = isStranger
    ? 'This server wants an access key'
    : error?.status === 403
      ? `Your access does not reach the layer “${layer}”`
      : `The layer “${layer}” is not within reach`;
  return (
    <section class="notice note no-access" aria-labelledby={`no-${layer}`}>
      <h3 id={`no-${layer}`}>{title}</h3>
      <p>
        {isStranger
          ? `${what} needs a key that reaches the layer “${layer}”.`
          : `${what} needs the layer “${layer}”. The server shows you no model that has it: either none is loaded, or your access does not reach so far.`}
      </p>
      {error !== null && <p class="soft">The server says: {error.message}</p>}
      <p>Whoever runs the server can</p>
      <ul>
        <li>
          make a key for you: <code>trine key new --keys FILE --scope {layer}</code>
        </li>
        {layer !== 'good' && (
          <li>
            or, for those who sit at the server itself, start it with <code>--local-scope {layer}</code>
          </li>
        )}
        {!isStranger && (
          <li>
            {layer === 'dream' ? 'or serve a model' : 'or load the layer'}, if there is none yet:{' '}
            <code>{layer === 'dream' ? 'trine serve --model FILE' : `trine serve --model FILE --${layer} FILE`}</code>
          </li>
        )}
      </ul>
      <KeyButton>Enter an access key</KeyButton>
    </section>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <p class="loading" role="status">
      {what} …
    </p>
  );
}
