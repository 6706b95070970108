import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { scaleColour, seriesColour } from '../lib/colours';
import { percent, year } from '../lib/numbers';
import type { PathStep } from '../lib/types';
import { Bars } from '../parts/bars';
import { Choice } from '../parts/choice';
import { LineChart, type Band, type Line } from '../parts/line_chart';
import { TimeLine } from '../parts/time_line';

interface WordByWordProps {
  path: PathStep[];
  dates: { first: number; last: number };
}

type By = 'doubt' | 'author' | 'date';

const MOST_AUTHORS = 4; /* with a colour of their own */

/* Those who were likeliest at some time, the most often likeliest first. */
function leaders(path: PathStep[]): string[] {
  const times = new Map<string, number>();
  for (const step of path) {
    const label = step.author?.[0]?.label;
    if (label !== undefined) times.set(label, (times.get(label) ?? 0) + 1);
  }
  return [...times].sort((a, b) => b[1] - a[1]).map(([label]) => label);
}

/* The text as it was read: each word in the colour of the belief that stood after it. */
export function WordByWord({ path, dates }: WordByWordProps) {
  const hasDate = path.some((step) => step.date !== undefined);
  const [by, setBy] = useState<By>('author');
  const [position, setPosition] = useState(path.length - 1);
  useEffect(() => setPosition(path.length - 1), [path]);
  const authors = useMemo(() => leaders(path).slice(0, MOST_AUTHORS), [path]);
  const mostDoubt = useMemo(() => Math.max(0.01, ...path.map((step) => step.entropy ?? 0)), [path]);
  const step = path[Math.min(position, path.length - 1)];
  const colourOf = (label: string): string => {
    const index = authors.indexOf(label);
    return index < 0 ? 'var(--soft)' : seriesColour(index);
  };
  const tint = useMemo(
    () =>
      path.map((one): { hue: string; strength: number } => {
        if (by === 'doubt') return { hue: 'var(--rubric)', strength: (one.entropy ?? 0) / mostDoubt };
        if (by === 'date')
          return {
            hue: one.date ? scaleColour((one.date.median - dates.first) / (dates.last - dates.first || 1)) : 'var(--soft)',
            strength: one.date ? 0.75 : 0,
          };
        const first = one.author?.[0];
        /* A likeliest author is seen as one even when there are many others. */
        return { hue: colourOf(first?.label ?? ''), strength: 0.3 + 0.7 * (first?.probability ?? 0) };
      }),
    [path, by, mostDoubt, authors, dates],
  );
  const say = (at: number): string => {
    const one = path[at];
    if (one === undefined) return '';
    const parts = [`“${one.text.trim()}”`];
    if (one.author?.[0]) parts.push(`${one.author[0].label} ${percent(one.author[0].probability)}`);
    if (one.date) parts.push(year(one.date.median));
    if (one.entropy !== undefined) parts.push(`${one.entropy.toFixed(2)} nats of doubt`);
    return parts.join(', ');
  };
  return (
    <section class="words" aria-labelledby="words-title">
      <div class="words-head">
        <h3 id="words-title">Word by word</h3>
        <Choice<By>
          label="Coloured by"
          options={[
            { value: 'author', name: 'Likeliest author' },
            { value: 'doubt', name: 'Doubt' },
            ...(hasDate ? [{ value: 'date' as const, name: 'Date' }] : []),
          ]}
          value={by}
          onChange={setBy}
        />
      </div>
      <Legend by={by} authors={authors} mostDoubt={mostDoubt} dates={dates} />
      <PathChart by={by} path={path} authors={authors} mostDoubt={mostDoubt} dates={dates} position={position} onPosition={setPosition} say={say} />
      <div class="words-body">
        <ColouredText path={path} tint={tint} position={position} onPosition={setPosition} />
        <aside class="belief" aria-label="The belief at the marked word">
          <p class="belief-word">
            <span class="soft">After</span> “{step?.text.trim() || '…'}”
          </p>
          {step?.author && <Bars guesses={step.author} label="Likeliest authors then" colourOf={colourOf} />}
          {step?.date && <TimeLine years={step.date} first={dates.first} last={dates.last} label="Date then" />}
          {step?.entropy !== undefined && <p class="soft">Doubt: {step.entropy.toFixed(2)} nats</p>}
        </aside>
      </div>
    </section>
  );
}

function Legend({ by, authors, mostDoubt, dates }: { by: By; authors: string[]; mostDoubt: number; dates: { first: number; last: number } }) {
  if (by === 'author')
    return (
      <ul class="legend" aria-label="Colours">
        {authors.map((name, index) => (
          <li key={name}>
            <span class="swatch" style={{ background: seriesColour(index) }} /> {name}
          </li>
        ))}
        <li>
          <span class="swatch" style={{ background: 'var(--soft)' }} /> others
        </li>
      </ul>
    );
  const shares = [0, 0.25, 0.5, 0.75, 1];
  return (
    <p class="legend">
      <span>{by === 'doubt' ? '0' : year(dates.first)}</span>
      {shares.map((share) => (
        <span
          key={share}
          class="swatch wide"
          aria-hidden="true"
          style={{ background: by === 'doubt' ? `color-mix(in oklab, var(--rubric) ${10 + share * 55}%, var(--leaf))` : scaleColour(share) }}
        />
      ))}
      <span>{by === 'doubt' ? `${mostDoubt.toFixed(1)} nats` : year(dates.last)}</span>
    </p>
  );
}

interface PathChartProps {
  by: By;
  path: PathStep[];
  authors: string[];
  mostDoubt: number;
  dates: { first: number; last: number };
  position: number;
  onPosition: (position: number) => void;
  say: (position: number) => string;
}

function PathChart({ by, path, authors, mostDoubt, dates, position, onPosition, say }: PathChartProps) {
  const shared = { position, onPosition, sayPosition: say };
  if (by === 'doubt') {
    const lines: Line[] = [{ name: 'doubt', colour: 'var(--rubric)', values: path.map((step) => step.entropy ?? null) }];
    return <LineChart {...shared} lines={lines} low={0} high={mostDoubt} say={(value) => value.toFixed(1)} label="Doubt about the author, in nats, along the text" />;
  }
  if (by === 'date') {
    const lines: Line[] = [{ name: 'date', colour: 'var(--rubric)', values: path.map((step) => step.date?.median ?? null) }];
    const known = path.every((step) => step.date !== undefined);
    const band: Band | undefined = known
      ? { low: path.map((step) => step.date?.low ?? 0), high: path.map((step) => step.date?.high ?? 0) }
      : undefined;
    const low = Math.min(dates.first, ...path.map((step) => step.date?.low ?? dates.first));
    const high = Math.max(dates.last, ...path.map((step) => step.date?.high ?? dates.last));
    return <LineChart {...shared} lines={lines} {...(band ? { band } : {})} low={low} high={high} say={year} label="Date as it seemed along the text, with 90 % intervals" />;
  }
  const lines: Line[] = authors.map((name, index) => ({
    name,
    colour: seriesColour(index),
    /* Only the likeliest few come with each word: of the others it is not known how likely they were. */
    values: path.map((step) => step.author?.find((guess) => guess.label === name)?.probability ?? null),
  }));
  const most = Math.max(0, ...path.map((step) => step.author?.[0]?.probability ?? 0));
  const high = [0.25, 0.5, 1].find((edge) => most <= edge) ?? 1;
  return <LineChart {...shared} lines={lines} low={0} high={high} say={(value) => percent(value)} label="Probability of the likeliest authors along the text" />;
}

interface ColouredTextProps {
  path: PathStep[];
  tint: { hue: string; strength: number }[];
  position: number;
  onPosition: (position: number) => void;
}

/* Hovering or touching marks a word; with the focus in the text the arrow keys do. */
function ColouredText({ path, tint, position, onPosition }: ColouredTextProps) {
  const box = useRef<HTMLDivElement>(null);
  const byKey = useRef(false);
  useEffect(() => {
    if (!byKey.current) return;
    byKey.current = false;
    const word = box.current?.querySelector('.here');
    if (word instanceof HTMLElement && box.current !== null) {
      const { top, bottom } = word.getBoundingClientRect();
      const frame = box.current.getBoundingClientRect();
      if (top < frame.top || bottom > frame.bottom) box.current.scrollTop += top - frame.top - frame.height / 2;
    }
  }, [position]);
  const mark = (event: Event): void => {
    const word = event.target instanceof Element ? event.target.closest<HTMLElement>('.word') : null;
    if (word !== null) onPosition(Number(word.dataset['at']));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const last = path.length - 1;
    const next = { ArrowRight: position + 1, ArrowLeft: position - 1, Home: 0, End: last }[event.key];
    if (next === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    byKey.current = true;
    onPosition(Math.min(last, Math.max(0, next)));
  };
  return (
    <div
      class="coloured"
      ref={box}
      role="region"
      aria-label="The text, coloured; the arrow keys go from word to word"
      tabIndex={0}
      onKeyDown={onKeyDown}
      onPointerOver={mark}
      onClick={mark}
    >
      {path.map((step, index) => (
        <span
          key={index}
          data-at={index}
          class={index === position ? 'word here' : 'word'}
          style={{ '--hue': tint[index]?.hue ?? 'var(--soft)', '--strength': `${Math.round((tint[index]?.strength ?? 0) * 100)}%` }}
        >
          {index === position ? <Marked text={step.text} /> : step.text}
        </span>
      ))}
    </div>
  );
}

/* Only what one sees of it: the space before a word may stand at the end of another line. */
function Marked({ text }: { text: string }) {
  const word = text.trimStart();
  return (
    <>
      {text.slice(0, text.length - word.length)}
      <span class="mark">{word || '\u200b'}</span>
    </>
  );
}
