import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useChatting } from '../lib/chatting';
import type { Model } from '../lib/types';
import { Gate } from '../parts/gate';
import { Conversations, useConversations } from './good_kept';
import { TurnView } from './good_turn';
import { Values } from './good_values';
import { RunButton } from '../parts/run_button';

export function GoodPanel() {
  return (
    <Gate layer="good" title="Good" lede="An answer, and how sure it is." what="Talking with the good author">
      {(model) => <Good key={model.id} model={model} />}
    </Gate>
  );
}

function Good({ model }: { model: Model }) {
  const chat = useChatting();
  const kept = useConversations(chat);
  const [values, setValues] = useState<Record<string, number>>({});
  const [wantsWhy, setWantsWhy] = useState(true);
  const box = useRef<HTMLDivElement>(null);

  /* Follows what is written, unless one has scrolled up to read. */
  useEffect(() => {
    const frame = box.current;
    if (frame !== null && frame.scrollHeight - frame.scrollTop - frame.clientHeight < 160) frame.scrollTop = frame.scrollHeight;
  }, [chat.turns]);

  const say = async (text: string): Promise<void> => {
    const wished = Object.entries(values).filter(([, value]) => value !== 0);
    const conversation = await kept.forMessage(text);
    await chat.say(text, {
      model: model.id,
      ...(wantsWhy ? { why: true } : {}),
      ...(wished.length > 0 ? { values: Object.fromEntries(wished) } : {}),
      ...(conversation === null ? {} : { conversation }),
    });
  };
  return (
    <div class="good">
      <div class="good-desk">
        <div class="dialogue" ref={box} role="region" aria-label="Dialogue" tabIndex={0}>
          {chat.turns.length === 0 ? (
            <p class="soft empty">
              Ask something. The reply says how sure it is; “Why” tells what it was checked against.
            </p>
          ) : (
            chat.turns.map((turn) => <TurnView key={turn.id} turn={turn} />)
          )}
        </div>
        <Composer isWriting={chat.isWriting} onSay={(text) => void say(text)} onStop={chat.stop} />
        <div class="row">
          <label class="check">
            <input type="checkbox" checked={wantsWhy} onChange={(event) => setWantsWhy(event.currentTarget.checked)} />
            <span>Say why, and how sure</span>
          </label>
          {chat.turns.length > 0 && (
            <button type="button" class="button quiet" onClick={kept.begin}>
              New dialogue
            </button>
          )}
        </div>
      </div>
      <aside class="good-side" aria-label="Values and kept conversations">
        <Values model={model} values={values} onChange={setValues} />
        <Conversations kept={kept} isBusy={chat.isWriting} />
      </aside>
    </div>
  );
}

function Composer({ isWriting, onSay, onStop }: { isWriting: boolean; onSay: (text: string) => void; onStop: () => void }) {
  const id = useId();
  const [text, setText] = useState('');
  const submit = (): void => {
    if (text.trim() === '' || isWriting) return;
    onSay(text.trim());
    setText('');
  };
  return (
    <form
      class="composer"
      aria-label="What to say"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <label class="unseen" for={id}>
        Message
      </label>
      <textarea
        id={id}
        rows={2}
        value={text}
        placeholder="Write a message; Enter sends it, Shift and Enter begin a new line"
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          submit();
        }}
      />
      <RunButton name="Send" isRunning={isWriting} onStop={onStop} disabled={text.trim() === ''} />
    </form>
  );
}
