import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { announce } from '../lib/announce';
import { ApiError, call, isAbort, messageOf } from '../lib/api';
import { count, doubt, location, percent, year } from '../lib/numbers';
import { authorSlot, dateSlot, placeSlot, stepOf } from '../lib/slots';
import { useStudio } from '../lib/studio';
import type { Atlas, Model, PlaceBelief, ReadReply, Region, SlotReading } from '../lib/types';
import { useResource } from '../lib/resource';
import { Bars, foldGuesses } from '../parts/bars';
import { Failure, Gate } from '../parts/gate';
import { Loading } from '../parts/notice';
import { PlaceBeliefMap } from '../parts/place_belief';
import { TimeLine } from '../parts/time_line';
import { WordByWord } from './read_words';
import { RunButton } from '../parts/run_button';

const WHAT = 'Reading a text';
/* The server takes 8 MiB; a text of this size already takes minutes. */
const MOST_BYTES = 2 * 1024 * 1024;

export function ReadPanel() {
  return (
    <Gate layer="dream" title="Read" lede="Who wrote this, and when?" what={WHAT}>
      {(model) => <Read key={model.id} model={model} />}
    </Gate>
  );
}

function Read({ model }: { model: Model }) {
  const { errand, go } = useStudio();
  const [atlas] = useResource<Atlas>(`v1/atlas?model=${encodeURIComponent(model.id)}`);
  const [text, setText] = useState('');
  const [isReading, setReading] = useState(false);
  const [reply, setReply] = useState<{ reply: ReadReply; text: string } | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const read = async (what: string): Promise<void> => {
    abort.current?.abort();
    const mine = new AbortController();
    abort.current = mine;
    setReading(true);
    setError(null);
    try {
      const value = await call<ReadReply>('v1/read', {
        body: { model: model.id, text: what, by_token: true },
        signal: mine.signal,
      });
      setReply({ reply: value, text: what });
      announce(summary(value));
    } catch (wrong) {
      if (isAbort(wrong)) return;
      setError(wrong instanceof ApiError ? wrong : new ApiError(0, messageOf(wrong)));
    } finally {
      if (abort.current === mine) setReading(false);
    }
  };

  useEffect(() => {
    if (errand === null || errand.panel !== 'read' || errand.text === undefined) return;
    setText(errand.text);
    void read(errand.text);
  }, [errand?.id]);

  const path = useMemo(() => (reply?.reply.path ?? []).map((raw) => stepOf(model, raw)), [reply, model]);
  const dates = atlas.state === 'there' && atlas.value.dates ? atlas.value.dates : { first: 1790, last: 2020 };
  return (
    <div class="read">
      <TextForm
        text={text}
        onText={setText}
        isReading={isReading}
        onRead={() => void read(text)}
        onStop={() => {
          abort.current?.abort();
          setReading(false);
        }}
      />
      {error !== null && <Failure layer="dream" error={error} what={WHAT} />}
      {isReading && <Loading what="Reading" />}
      {reply !== null && !isReading && (
        <div class="read-result">
          <Summary model={model} reply={reply.reply} dates={dates} />
          <div class="row">
            <button type="button" class="button" onClick={() => go('dream', {}, reply.text)}>
              Write like this text
            </button>
          </div>
          {path.length > 0 && <WordByWord path={path} dates={dates} />}
        </div>
      )}
    </div>
  );
}

function summary(reply: ReadReply): string {
  const parts = [`${count(reply.tokens, 'token')} read.`];
  for (const [name, slot] of Object.entries(reply.slots)) {
    if (slot.kind === 'date')
      parts.push(`${name}: ${year(slot.median)}, 90 percent between ${year(slot.low)} and ${year(slot.high)}.`);
    else if (slot.kind === 'place')
      parts.push(`${name}: ${location(slot)}, 90 percent within ${count(slot.kilometres_90, 'kilometre')}.`);
    else if (slot.labels[0]) parts.push(`${name}: ${slot.labels[0].label}, ${percent(slot.labels[0].probability)}.`);
  }
  return parts.join(' ');
}

interface TextFormProps {
  text: string;
  onText: (text: string) => void;
  isReading: boolean;
  onRead: () => void;
  onStop: () => void;
}

function TextForm({ text, onText, isReading, onRead, onStop }: TextFormProps) {
  const id = useId();
  const file = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const [wrong, setWrong] = useState('');
  const take = async (taken: File | null | undefined): Promise<void> => {
    if (!taken) return;
    if (taken.size > MOST_BYTES) {
      setWrong(`${taken.name} is larger than 2 MiB.`);
      return;
    }
    const bytes = await taken.arrayBuffer();
    try {
      onText(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
      setWrong('');
      announce(`${taken.name} is in the field.`);
    } catch {
      setWrong(`${taken.name} is not text in UTF-8.`);
    }
  };
  return (
    <form
      class={`read-form${isOver ? ' over' : ''}`}
      aria-label="Text to read"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== '' && !isReading) onRead();
      }}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take(event.dataTransfer?.files[0]);
      }}
    >
      <label class="field" for={id}>
        <span>A text</span>
        <textarea
          id={id}
          rows={7}
          value={text}
          placeholder="Paste a text here, or drop a .txt file"
          onInput={(event) => onText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            if (text.trim() !== '' && !isReading) onRead();
          }}
        />
      </label>
      <input
        ref={file}
        type="file"
        hidden
        accept=".txt,.md,text/plain"
        onChange={(event) => {
          void take(event.currentTarget.files?.[0]);
          event.currentTarget.value = '';
        }}
      />
      <div class="row">
        <RunButton name="Read" isRunning={isReading} onStop={onStop} disabled={text.trim() === ''} />
        <button type="button" class="button" onClick={() => file.current?.click()}>
          Open a file
        </button>
        {text !== '' && (
          <button type="button" class="button quiet" onClick={() => onText('')}>
            Clear
          </button>
        )}
      </div>
      {wrong !== '' && (
        <p class="wrong" role="alert">
          {wrong}
        </p>
      )}
    </form>
  );
}

function Summary({ model, reply, dates }: { model: Model; reply: ReadReply; dates: { first: number; last: number } }) {
  const slots = Object.entries(reply.slots);
  const [who, when, where] = [authorSlot(model), dateSlot(model), placeSlot(model)?.name];
  const titles = new Map([
    [who, 'Who'],
    [when, 'When'],
    [where, 'Where'],
  ]);
  const order = [...titles.keys()];
  const first = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  slots.sort(([a], [b]) => first(a) - first(b));
  return (
    <section class="read-summary" aria-label="What was found">
      {slots.map(([name, slot]) => (
        <div class={`found found-${slot.kind}`} key={name}>
          <h3>{titles.get(name) ?? <span class="slot-name">{name}</span>}</h3>
          <Slot
            name={name}
            slot={slot}
            dates={dates}
            wanted={name === who ? 6 : 3}
            region={placeSlot(model)?.region}
            labels={model.slots.find((one) => one.name === name)?.labels ?? 0}
          />
        </div>
      ))}
      <p class="soft read-count">{count(reply.tokens, 'token')} read.</p>
    </section>
  );
}

interface PlacesProps {
  name: string;
  belief: PlaceBelief;
  region: Region | undefined;
  wanted: number;
}

function Places({ name, belief, region, wanted }: PlacesProps) {
  const guesses = belief.places.slice(0, wanted).map((one) => ({ label: location(one), probability: one.probability }));
  return (
    <>
      <PlaceBeliefMap belief={belief} region={region} label={`Place by slot ${name}`} />
      <Bars guesses={guesses} label={`Likeliest: ${name}`} />
    </>
  );
}

interface SlotProps {
  name: string;
  slot: SlotReading;
  dates: { first: number; last: number };
  region: Region | undefined; /* of places */
  wanted: number; /* labels that are shown */
  labels: number; /* that the slot has; not all of them come with the reply */
}

function Slot({ name, slot, dates, region, wanted, labels }: SlotProps) {
  if (slot.kind === 'date') return <TimeLine years={slot} first={dates.first} last={dates.last} label={`Date by slot ${name}`} />;
  if (slot.kind === 'place') return <Places name={name} belief={slot} region={region} wanted={wanted} />;
  return (
    <>
      <Bars guesses={foldGuesses(slot.labels, wanted, labels)} label={`Likeliest: ${name}`} />
      <p class="soft">
        {doubt(slot.entropy, Math.max(labels, slot.labels.length))} ({slot.entropy.toFixed(2)} nats)
      </p>
    </>
  );
}
