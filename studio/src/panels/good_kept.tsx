import { useCallback, useEffect, useState } from 'preact/hooks';
import { announce } from '../lib/announce';
import { call, messageOf } from '../lib/api';
import type { Chatting } from '../lib/chatting';
import { useAccessKey } from '../lib/key';
import { useStudio } from '../lib/studio';
import { titleOf } from '../lib/title';
import type { Conversation, Message } from '../lib/types';

/* Kept conversations: only where the server keeps any, and only when one asks for it. */
export interface Kept {
  isThere: boolean; /* the server keeps conversations */
  list: Conversation[];
  current: string | null;
  wantsKeeping: boolean;
  wrong: string;
  setWantsKeeping: (wants: boolean) => void;
  /* Where the next message goes; begins a conversation when that is wanted and there is none. */
  forMessage: (text: string) => Promise<string | null>;
  begin: () => void;
  open: (id: string) => void;
  remove: (id: string) => void;
  save: (id: string) => void;
}

export function useConversations(chat: Chatting): Kept {
  const key = useAccessKey();
  const { features } = useStudio();
  const [list, setList] = useState<Conversation[] | null>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const [wantsKeeping, setWantsKeeping] = useState(false);
  const [wrong, setWrong] = useState('');

  const refresh = useCallback(async () => {
    if (!features.conversations) {
      setList(null);
      return;
    }
    try {
      const found = await call<Conversation[] | { conversations?: Conversation[]; data?: Conversation[] } | null>('v1/conversations');
      setList(Array.isArray(found) ? found : (found?.conversations ?? found?.data ?? []));
    } catch {
      setList(null); /* not within reach after all: then nothing is offered */
    }
  }, [features.conversations]);
  useEffect(() => {
    void refresh();
  }, [key, refresh]);
  /* What is listed depends on what was said. */
  useEffect(() => {
    if (current !== null && !chat.isWriting) void refresh();
  }, [chat.isWriting, current, refresh]);

  const attempt = (work: () => Promise<void>): void => {
    setWrong('');
    work().catch((error: unknown) => setWrong(messageOf(error)));
  };
  const forMessage = async (text: string): Promise<string | null> => {
    if (list === null || !wantsKeeping) return null;
    if (current !== null) return current;
    try {
      const { id } = await call<Conversation>('v1/conversations', { body: { title: titleOf(text) } });
      setCurrent(id);
      return id;
    } catch (error) {
      setWrong(`The conversation is not kept: ${messageOf(error)}`);
      return null;
    }
  };
  const begin = (): void => {
    setCurrent(null);
    chat.reset([]);
  };
  const open = (id: string): void =>
    attempt(async () => {
      const found = await call<Conversation>(`v1/conversations/${encodeURIComponent(id)}`);
      const messages = (Array.isArray(found.messages) ? found.messages : []).filter(
        (message): message is Message => message.role === 'user' || message.role === 'assistant',
      );
      setCurrent(id);
      setWantsKeeping(true);
      chat.reset(messages);
      announce(`Opened: ${found.title ?? 'a conversation'}`);
    });
  const remove = (id: string): void =>
    attempt(async () => {
      await call<unknown>(`v1/conversations/${encodeURIComponent(id)}`, { method: 'DELETE' });
      if (id === current) begin();
      await refresh();
      announce('The conversation is deleted for good.');
    });
  const save = (id: string): void =>
    attempt(async () => {
      const found = await call<unknown>(`v1/conversations/${encodeURIComponent(id)}`);
      const url = URL.createObjectURL(new Blob([JSON.stringify(found, null, 2)], { type: 'application/json' }));
      const link = document.createElement('a');
      link.href = url;
      link.download = `conversation-${id}.json`;
      link.click();
      URL.revokeObjectURL(url);
    });
  return {
    isThere: list !== null,
    list: list ?? [],
    current,
    wantsKeeping,
    wrong,
    setWantsKeeping: (wants) => {
      setWantsKeeping(wants);
      if (!wants) setCurrent(null);
    },
    forMessage,
    begin,
    open,
    remove,
    save,
  };
}

export function Conversations({ kept, isBusy }: { kept: Kept; isBusy: boolean }) {
  const [asked, setAsked] = useState<string | null>(null); /* whose deletion is to be confirmed */
  if (!kept.isThere) return null;
  return (
    <section class="kept" aria-labelledby="kept-title">
      <h3 id="kept-title">Kept conversations</h3>
      <label class="check">
        <input
          type="checkbox"
          checked={kept.wantsKeeping}
          onChange={(event) => kept.setWantsKeeping(event.currentTarget.checked)}
        />
        <span>Keep this one on the server</span>
      </label>
      {kept.wrong !== '' && (
        <p class="wrong" role="alert">
          {kept.wrong}
        </p>
      )}
      <ul>
        {kept.list.map((one) => {
          const title = one.title || 'Without a title';
          return (
            <li key={one.id} class={one.id === kept.current ? 'current' : ''}>
              <button type="button" class="link" disabled={isBusy} aria-current={one.id === kept.current} onClick={() => kept.open(one.id)}>
                {title}
              </button>
              {asked === one.id ? (
                <span class="row">
                  <button
                    type="button"
                    class="button quiet danger"
                    onClick={() => {
                      setAsked(null);
                      kept.remove(one.id);
                    }}
                  >
                    Delete for good
                  </button>
                  <button type="button" class="button quiet" onClick={() => setAsked(null)}>
                    Leave it
                  </button>
                </span>
              ) : (
                <span class="row">
                  <button type="button" class="button quiet" aria-label={`Save as a file: ${title}`} onClick={() => kept.save(one.id)}>
                    Save
                  </button>
                  <button type="button" class="button quiet" disabled={isBusy} aria-label={`Delete: ${title}`} onClick={() => setAsked(one.id)}>
                    Delete
                  </button>
                </span>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
