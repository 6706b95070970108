import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Spot, type View } from '../lib/map';
import { location } from '../lib/numbers';
import {
  fitRegion,
  isWithin,
  keyStep,
  normalise,
  placeFromScreen,
  placeToScreen,
  revealPlace,
  rounded,
  squeezeOf,
  zoomPlaces,
} from '../lib/place';
import type { Location, Region } from '../lib/types';
import { NumberField } from './number_field';
import { MAP_SIZE, PlaceGround } from './place_ground';

interface PlaceMapProps {
  region: Region | undefined;
  value: Location;
  onChange: (place: Location) => void;
}

const MARGIN = 6; /* around the region */
const EDGE = 12; /* the point stays so far inside */
const ZOOM_STEP = 1.6;
const MOST_SCALE = 60; /* pixels for a degree: nearer, the outline is too coarse */
const FINE_SCALE = 20; /* from here on a pixel is less than a tenth of a degree */
const FASTER = 5;

function isSame(a: View, b: View): boolean {
  return Math.hypot(a.x - b.x, a.y - b.y, a.scale - b.scale) < 1e-9;
}

/* A map with a point that is dragged, or moved with the arrow keys: two range inputs that nobody sees carry it for the
 * keyboard and for screen readers, as on the mixture pad. */
export function PlaceMap({ region, value, onChange }: PlaceMapProps) {
  const across = useRef<HTMLInputElement>(null);
  const up = useRef<HTMLInputElement>(null);
  const squeeze = squeezeOf(region);
  const fitted = useMemo(() => fitRegion(region, MAP_SIZE, MARGIN), [region]);
  const [moved, setMoved] = useState<View | null>(null);
  const view = moved ?? fitted;
  const spot = placeToScreen(value, view, MAP_SIZE, squeeze);
  useEffect(() => {
    setMoved((before) => {
      const from = before ?? fitted;
      const next = revealPlace(from, value, MAP_SIZE, squeeze, EDGE);
      return isSame(next, from) ? before : next;
    });
  }, [value.latitude, value.longitude, fitted]);
  /* The region, and the point even if it lies elsewhere. */
  const home = revealPlace(fitted, value, MAP_SIZE, squeeze, EDGE);
  const showAll = (): void => setMoved(isSame(home, fitted) ? null : home);

  const moveTo = (place: Location): void => onChange(rounded(normalise(place), view.scale > FINE_SCALE ? 2 : 1));
  const zoom = (factor: number): void =>
    setMoved((before) => zoomPlaces(before ?? fitted, factor, spot, MAP_SIZE, squeeze, MOST_SCALE));
  const pointer = usePointer(value, (at) => moveTo(placeFromScreen(at, view, MAP_SIZE, squeeze)), onChange);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = keyStep(view, MAP_SIZE) * (event.shiftKey ? FASTER : 1);
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
    };
    const move = moves[event.key];
    if (move !== undefined) {
      (move[0] !== 0 ? across : up).current?.focus();
      moveTo({ latitude: value.latitude + move[1], longitude: value.longitude + move[0] });
    } else if (event.key === '+' || event.key === '=') zoom(ZOOM_STEP);
    else if (event.key === '-') zoom(1 / ZOOM_STEP);
    else if (event.key === '0') showAll();
    else return;
    event.preventDefault();
  };
  const range = (ref: typeof across, label: string, axis: 'latitude' | 'longitude', most: number) => (
    <input
      ref={ref}
      type="range"
      class="unseen"
      min={-most}
      max={most}
      step={0.01}
      value={value[axis]}
      aria-label={label}
      aria-valuetext={location(value)}
      onKeyDown={onKeyDown}
      onInput={(event) => moveTo({ ...value, [axis]: Number(event.currentTarget.value) })}
    />
  );
  return (
    <div class="place-map" role="group" aria-label="Map of places">
      <div
        class="place-frame choosing"
        {...pointer}
        onPointerDown={(event) => {
          pointer.onPointerDown(event);
          across.current?.focus({ preventScroll: true });
          event.preventDefault();
        }}
      >
        <PlaceGround view={view} squeeze={squeeze} region={region} />
        <span class="pad-thumb" style={{ left: `${(spot.x / MAP_SIZE.width) * 100}%`, top: `${(spot.y / MAP_SIZE.height) * 100}%` }}>
          {range(across, 'Place, west to east', 'longitude', 180)}
          {range(up, 'Place, south to north', 'latitude', 90)}
        </span>
      </div>
      <div class="place-tools">
        <button type="button" class="button square" aria-label="Zoom in" onClick={() => zoom(ZOOM_STEP)}>
          +
        </button>
        <button type="button" class="button square" aria-label="Zoom out" onClick={() => zoom(1 / ZOOM_STEP)}>
          −
        </button>
        <button type="button" class="button" onClick={showAll} disabled={isSame(view, home)}>
          Show all
        </button>
        <span class="hint">{region !== undefined && !isWithin(value, region) ? 'beyond what it has read' : ''}</span>
      </div>
      <div class="place-numbers">
        <NumberField label="Latitude" least={-90} most={90} isWhole={false} value={value.latitude} onChange={(latitude) => onChange({ ...value, latitude })} />
        <NumberField label="Longitude" least={-180} most={180} isWhole={false} value={value.longitude} onChange={(longitude) => onChange({ ...value, longitude })} />
      </div>
      <p class="hint">South and west are negative.</p>
      <p class="hint place-keys">Drag the point, or move it with the arrow keys (Shift: faster). + and −: zoom.</p>
    </div>
  );
}

/* The point follows a mouse at once, and a finger once it is clear that the finger does not scroll the page: then the browser
 * takes the pointer away, and the point goes back to where it was. */
function usePointer(value: Location, follow: (at: Spot) => void, onChange: (place: Location) => void) {
  const before = useRef(value);
  const spotOf = (event: PointerEvent & { currentTarget: HTMLElement }): Spot => {
    const box = event.currentTarget.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * MAP_SIZE.width,
      y: ((event.clientY - box.top) / box.height) * MAP_SIZE.height,
    };
  };
  return {
    onPointerDown: (event: PointerEvent & { currentTarget: HTMLElement }): void => {
      before.current = value;
      event.currentTarget.setPointerCapture(event.pointerId);
      if (event.pointerType !== 'touch') follow(spotOf(event));
    },
    onPointerMove: (event: PointerEvent & { currentTarget: HTMLElement }): void => {
      if (event.currentTarget.hasPointerCapture(event.pointerId)) follow(spotOf(event));
    },
    onPointerUp: (event: PointerEvent & { currentTarget: HTMLElement }): void => {
      if (event.pointerType === 'touch') follow(spotOf(event));
    },
    onPointerCancel: (): void => onChange(before.current),
  };
}
