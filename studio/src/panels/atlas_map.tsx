import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import {
  fitView,
  nextSpot,
  placeLabels,
  revealView,
  toScreen,
  zoomView,
  type Size,
  type Spot,
  type View,
} from '../lib/map';
import type { AtlasPoint } from '../lib/types';
import type { Colouring } from './atlas';

interface AtlasMapProps {
  points: AtlasPoint[];
  colouring: Colouring | null;
  chosen: number; /* -1: nobody */
  onChoose: (index: number) => void;
  onDream: (index: number) => void;
}

const MARGIN = 44;
const RADIUS = 5.5;
const LABEL_HEIGHT = 15;
const ZOOM_STEP = 1.3;
const LEAST_ZOOM = 0.5; /* of the view that shows all */
const MOST_ZOOM = 60;

let ruler: CanvasRenderingContext2D | null | undefined;

/* In the map's type; where there is no canvas, about so. */
function textWidth(text: string): number {
  if (ruler === undefined) {
    ruler = document.createElement('canvas').getContext('2d');
    if (ruler !== null) ruler.font = '13px "Source Serif 4", Georgia, serif';
  }
  return ruler?.measureText(text).width ?? text.length * 6.5;
}

function useSize(): [(element: HTMLElement | null) => void, Size] {
  const [size, setSize] = useState<Size>({ width: 600, height: 460 });
  const [element, setElement] = useState<HTMLElement | null>(null);
  useEffect(() => {
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => {
      const box = entry?.contentRect;
      if (box !== undefined && box.width > 0) setSize({ width: box.width, height: box.height });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, size];
}

/* The map: dragged, zoomed with the wheel, two fingers, the buttons or the keys. For assistive technology it is a
 * list of authors from which one is chosen; the arrow keys go to whoever stands next in that direction. */
export function AtlasMap({ points, colouring, chosen, onChoose, onDream }: AtlasMapProps) {
  const id = useId();
  const [frame, size] = useSize();
  const fitted = useMemo(() => fitView(points, size, MARGIN), [points, size]);
  const [moved, setMoved] = useState<View | null>(null);
  const view = moved ?? fitted;
  const spots = useMemo(() => points.map((point) => toScreen(point, view, size)), [points, view, size]);
  const widths = useMemo(() => points.map((point) => textWidth(point.label)), [points]);
  const labels = useMemo(() => {
    const order = points.map((_, index) => index);
    if (chosen >= 0) order.unshift(...order.splice(chosen, 1));
    return placeLabels(spots, widths, order, size, LABEL_HEIGHT, RADIUS + 1, chosen);
  }, [spots, widths, chosen, size]);

  const zoom = (factor: number, at: Spot = { x: size.width / 2, y: size.height / 2 }): void =>
    setMoved((before) =>
      zoomView(before ?? fitted, factor, at, size, fitted.scale * LEAST_ZOOM, fitted.scale * MOST_ZOOM),
    );
  const pan = (dx: number, dy: number): void =>
    setMoved((before) => {
      const from = before ?? fitted;
      return { ...from, x: from.x - dx / from.scale, y: from.y + dy / from.scale };
    });
  useEffect(() => {
    const point = points[chosen];
    if (point !== undefined) setMoved((before) => (before === null ? null : revealView(before, point, size, MARGIN)));
  }, [chosen]);

  const pointers = usePointers(zoom, pan);
  const onKeyDown = (event: KeyboardEvent): void => {
    const arrows: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    };
    const arrow = arrows[event.key];
    if (arrow !== undefined) {
      if (event.shiftKey) pan(-arrow[0] * 60, arrow[1] * 60);
      else {
        const next = nextSpot(points, chosen, arrow[0], arrow[1]);
        if (next >= 0) onChoose(next);
      }
    } else if (event.key === '+' || event.key === '=') zoom(ZOOM_STEP);
    else if (event.key === '-') zoom(1 / ZOOM_STEP);
    else if (event.key === '0') setMoved(null);
    else if (event.key === 'Enter' && chosen >= 0) onDream(chosen);
    else if (event.key === 'Escape' && chosen >= 0) onChoose(-1);
    else return;
    event.preventDefault();
  };

  return (
    <div class="map">
      <div
        ref={frame}
        class="map-frame"
        onWheel={(event) => {
          /* Only with Ctrl, as elsewhere: who scrolls the page should not get stuck in the map. */
          if (!event.ctrlKey && !event.metaKey) return;
          event.preventDefault();
          const box = event.currentTarget.getBoundingClientRect();
          zoom(Math.exp(-event.deltaY * 0.004), { x: event.clientX - box.left, y: event.clientY - box.top });
        }}
        {...pointers.handlers}
      >
        <svg
          width={size.width}
          height={size.height}
          role="listbox"
          aria-label="Map of authors"
          aria-describedby={`${id}-keys`}
          aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
          tabindex={0} /* in SVG, names are case-sensitive */
          onKeyDown={onKeyDown}
        >
          <Axes view={view} size={size} />
          {points.map((point, index) => {
            const spot = spots[index] as Spot;
            return (
              <g
                key={point.label}
                id={`${id}-${index}`}
                role="option"
                aria-selected={index === chosen}
                aria-label={point.label}
                class={index === chosen ? 'spot chosen' : 'spot'}
                transform={`translate(${spot.x.toFixed(1)} ${spot.y.toFixed(1)})`}
                onClick={() => {
                  if (!pointers.wasDrag()) onChoose(index);
                }}
                onDblClick={() => onDream(index)}
              >
                <title>{point.label}</title>
                <circle class="spot-reach" r={13} />
                <circle class="spot-dot" r={index === chosen ? RADIUS + 2 : RADIUS} style={{ fill: colouring?.colourOf(point) ?? 'var(--rubric)' }} />
              </g>
            );
          })}
          <g aria-hidden="true" class="map-labels">
            {labels.map((label) => (
              <text
                key={label.index}
                x={label.x.toFixed(1)}
                y={label.y.toFixed(1)}
                text-anchor={label.anchor}
                class={label.index === chosen ? 'chosen' : ''}
              >
                {points[label.index]?.label}
              </text>
            ))}
          </g>
        </svg>
      </div>
      <div class="map-tools" role="group" aria-label="View of the map">
        <button type="button" class="button square" aria-label="Zoom in" onClick={() => zoom(ZOOM_STEP)}>
          +
        </button>
        <button type="button" class="button square" aria-label="Zoom out" onClick={() => zoom(1 / ZOOM_STEP)}>
          −
        </button>
        <button type="button" class="button" onClick={() => setMoved(null)} disabled={moved === null}>
          Show all
        </button>
        <p class="hint" id={`${id}-keys`}>
          Arrow keys: to the next author. Shift and arrows: move. + and −: zoom. 0: all. Enter: dream.
        </p>
      </div>
    </div>
  );
}

/* Where the directions cross: the mean of the authors. */
function Axes({ view, size }: { view: View; size: Size }) {
  const middle = toScreen({ x: 0, y: 0 }, view, size);
  return (
    <g aria-hidden="true" class="map-axes">
      <line x1={0} x2={size.width} y1={middle.y} y2={middle.y} />
      <line y1={0} y2={size.height} x1={middle.x} x2={middle.x} />
    </g>
  );
}

/* One pointer drags, two zoom. A finger that goes up or down scrolls the page (touch-action in the style sheet). */
function usePointers(zoom: (factor: number, at: Spot) => void, pan: (dx: number, dy: number) => void) {
  const down = useRef(new Map<number, Spot>());
  const travelled = useRef(0);
  const place = (event: PointerEvent & { currentTarget: HTMLElement }): Spot => {
    const box = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const lift = (event: PointerEvent): void => {
    down.current.delete(event.pointerId);
  };
  return {
    wasDrag: () => travelled.current > 5,
    handlers: {
      onPointerDown: (event: PointerEvent & { currentTarget: HTMLElement }): void => {
        if (down.current.size === 0) travelled.current = 0;
        down.current.set(event.pointerId, place(event));
      },
      onPointerMove: (event: PointerEvent & { currentTarget: HTMLElement }): void => {
        const before = down.current.get(event.pointerId);
        if (before === undefined) return;
        const now = place(event);
        const others = [...down.current].filter(([pointer]) => pointer !== event.pointerId).map(([, spot]) => spot);
        down.current.set(event.pointerId, now);
        const other = others[0];
        travelled.current += Math.hypot(now.x - before.x, now.y - before.y);
        if (travelled.current > 5 && !event.currentTarget.hasPointerCapture(event.pointerId))
          event.currentTarget.setPointerCapture(event.pointerId);
        if (other === undefined) {
          pan(now.x - before.x, now.y - before.y);
          return;
        }
        const was = Math.hypot(before.x - other.x, before.y - other.y);
        const is = Math.hypot(now.x - other.x, now.y - other.y);
        if (was > 0 && is > 0) zoom(is / was, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
        pan((now.x - before.x) / 2, (now.y - before.y) / 2);
      },
      onPointerUp: lift,
      onPointerCancel: lift,
    },
  };
}
