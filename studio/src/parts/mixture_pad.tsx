import { useId, useRef } from 'preact/hooks';
import { CORNERS, mixtureShares, type Point } from '../lib/mixture';
import { percent } from '../lib/numbers';
import { seriesColour } from '../lib/colours';
import { Combobox } from './combobox';

type Corners = [string, string, string, string];

interface MixturePadProps {
  names: string[];
  corners: Corners;
  point: Point;
  onChange: (corners: Corners, point: Point) => void;
}

const PLACES = ['top left', 'top right', 'bottom left', 'bottom right'];
const clamp = (value: number): number => Math.min(1, Math.max(0, Math.round(value * 1000) / 1000));

/* A square with an author in each corner and a point that is dragged, or moved with the arrow keys: two range
 * inputs that nobody sees carry it for the keyboard and for screen readers. */
export function MixturePad({ names, corners, point, onChange }: MixturePadProps) {
  const id = useId();
  const pad = useRef<HTMLDivElement>(null);
  const across = useRef<HTMLInputElement>(null);
  const down = useRef<HTMLInputElement>(null);
  const shares = mixtureShares(point, corners.map((name) => name !== ''));
  const words = corners
    .map((name, index) => ({ name, share: shares[index] ?? 0 }))
    .filter(({ name }) => name !== '')
    .sort((a, b) => b.share - a.share)
    .map(({ name, share }) => `${name} ${percent(share)}`)
    .join(', ');

  const moveTo = (next: Point): void => onChange(corners, { x: clamp(next.x), y: clamp(next.y) });
  const follow = (event: PointerEvent): void => {
    const box = pad.current?.getBoundingClientRect();
    if (box === undefined) return;
    moveTo({ x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.shiftKey ? 0.2 : 0.05;
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, -step],
      ArrowDown: [0, step],
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    (move[0] !== 0 ? across : down).current?.focus();
    moveTo({ x: point.x + move[0], y: point.y + move[1] });
  };
  const range = (ref: typeof across, label: string, value: number, move: (value: number) => Point) => (
    <input
      ref={ref}
      type="range"
      class="unseen"
      min={0}
      max={1}
      step={0.01}
      value={value}
      aria-label={label}
      aria-valuetext={words || 'no author in any corner'}
      onKeyDown={onKeyDown}
      onInput={(event) => moveTo(move(Number(event.currentTarget.value)))}
    />
  );
  const corner = (index: number) => (
    <div class="corner" key={index}>
      <Combobox
        label={`Author ${PLACES[index]}`}
        isLabelUnseen
        names={names}
        value={corners[index] ?? ''}
        placeholder="nobody"
        onChange={(name) => {
          const next = [...corners] as Corners;
          next[index] = name;
          onChange(next, point);
        }}
      />
      <span class="corner-share" aria-hidden="true">
        <span class="swatch" style={{ background: seriesColour(index) }} />
        {corners[index] ? percent(shares[index] ?? 0) : '–'}
      </span>
    </div>
  );

  return (
    <div class="mixture" role="group" aria-labelledby={`${id}-label`}>
      <p class="unseen" id={`${id}-label`}>
        Mixture of up to four authors
      </p>
      <div class="corners">{[0, 1].map(corner)}</div>
      <div
        class="pad"
        ref={pad}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          follow(event);
          across.current?.focus();
          event.preventDefault();
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) follow(event);
        }}
      >
        {CORNERS.map((at, index) => (
          <span
            key={index}
            class={`pad-corner pad-corner-${index}`}
            style={{ opacity: 0.15 + 0.85 * (shares[index] ?? 0), '--hue': seriesColour(index) }}
            hidden={!corners[index] || at === undefined}
          />
        ))}
        <span class="pad-thumb" style={{ left: `${point.x * 100}%`, top: `${point.y * 100}%` }}>
          {range(across, 'Mixture, left to right', point.x, (x) => ({ x, y: point.y }))}
          {range(down, 'Mixture, top to bottom', point.y, (y) => ({ x: point.x, y }))}
        </span>
      </div>
      <div class="corners">{[2, 3].map(corner)}</div>
      <p class="hint">Drag the point, or move it with the arrow keys (Shift: faster).</p>
    </div>
  );
}
