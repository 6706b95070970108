/* The server's interface. All addresses are of the page's own origin. */
import { EventStreamParser } from './events';
import { accessKey } from './key';

export class ApiError extends Error {
  constructor(
    readonly status: number, /* 0: no reply at all */
    message: string,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

interface Request {
  method?: 'GET' | 'POST' | 'DELETE';
  body?: unknown;
  signal?: AbortSignal;
}

/* The page may lie below a path; the interface lies beside it. */
function addressOf(path: string): string {
  return new URL(path.replace(/^\//, ''), document.baseURI).href;
}

async function request(path: string, { method, body, signal }: Request, accept: string): Promise<Response> {
  const headers: Record<string, string> = { Accept: accept };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (accessKey() !== '') headers['Authorization'] = `Bearer ${accessKey()}`;
  let response: Response;
  try {
    response = await fetch(addressOf(path), {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers,
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(0, 'The server does not answer. Is it still running?');
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

async function refusal(response: Response): Promise<ApiError> {
  let message = '';
  try {
    const reply = (await response.json()) as { error?: { message?: string } };
    message = reply.error?.message ?? '';
  } catch {
    /* not JSON: the status has to do */
  }
  if (response.status === 429) {
    const seconds = Number(response.headers.get('Retry-After'));
    const wait = seconds > 0 ? ` Try again in ${Math.ceil(seconds)} s.` : ' Try again in a moment.';
    return new ApiError(429, (message || 'The server has too much to do.') + wait);
  }
  return new ApiError(response.status, message || `The server answered with status ${response.status}.`);
}

export async function call<T>(path: string, options: Request = {}): Promise<T> {
  const response = await request(path, options, 'application/json');
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(response.status, 'The server sent something that is not JSON.');
  }
}

interface StreamError {
  error?: { message?: string };
}

/* Calls `take` with each event until the server says that it is done. An error that the server reports on the
 * way, or an end before the end, is thrown. */
export async function stream<T extends StreamError>(
  path: string,
  body: unknown,
  signal: AbortSignal,
  take: (event: T) => void,
): Promise<void> {
  const response = await request(path, { body, signal }, 'text/event-stream');
  if (response.body === null) throw new ApiError(response.status, 'The server sent no text.');
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventStreamParser();
  for (;;) {
    let piece: ReadableStreamReadResult<Uint8Array>;
    try {
      piece = await reader.read();
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new ApiError(0, 'The connection broke before the text was finished.');
    }
    if (piece.done) break;
    for (const data of parser.push(decoder.decode(piece.value, { stream: true }))) {
      if (data === '[DONE]') {
        void reader.cancel();
        return;
      }
      let event: T;
      try {
        event = JSON.parse(data) as T;
      } catch {
        throw new ApiError(0, 'The server sent something that is not JSON.');
      }
      if (event.error !== undefined) throw new ApiError(500, event.error.message ?? 'The server reports an error.');
      take(event);
    }
  }
  throw new ApiError(0, 'The connection ended before the text was finished.');
}
