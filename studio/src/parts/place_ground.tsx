import outline from 'virtual:land';
import type { ComponentChildren } from 'preact';
import { toScreen, type Size, type View } from '../lib/map';
import { circle, copies, graticuleStep, toMap } from '../lib/place';
import type { Location, Region } from '../lib/types';

/* All maps are drawn in this frame and scaled to their column: twice as wide as high, as the world is. */
export const MAP_SIZE: Size = { width: 360, height: 180 };
const OUTLINE_STEPS = 20; /* for one degree, as land.ts says */
const LINES = 12; /* of longitude, at most */
const KILOMETRES = 111.195; /* in one degree of arc */

interface PlaceGroundProps {
  view: View;
  squeeze: number;
  region: Region | undefined;
  children?: ComponentChildren;
}

/* Land, the graticule, and the edge of what the model knows. What it shows is said elsewhere. */
export function PlaceGround({ view, squeeze, region, children }: PlaceGroundProps) {
  const scale = view.scale / OUTLINE_STEPS;
  const isPart = region !== undefined && region.radius < 180;
  return (
    <svg class="place-ground" viewBox={`0 0 ${MAP_SIZE.width} ${MAP_SIZE.height}`} aria-hidden="true">
      {copies(view, MAP_SIZE, squeeze, 1).map((turn) => {
        const origin = toScreen({ x: turn * 360 * squeeze, y: 0 }, view, MAP_SIZE);
        return (
          <path
            key={turn}
            class="place-land"
            d={outline}
            transform={`translate(${origin.x.toFixed(2)} ${origin.y.toFixed(2)}) scale(${scale * squeeze} ${scale})`}
          />
        );
      })}
      <Graticule view={view} squeeze={squeeze} />
      {isPart && <PlaceCircle class="place-region" middle={region} kilometres={region.radius * KILOMETRES} view={view} squeeze={squeeze} />}
      {children}
    </svg>
  );
}

function Graticule({ view, squeeze }: { view: View; squeeze: number }) {
  const { width, height } = MAP_SIZE;
  const [across, up] = [width / 2 / view.scale / squeeze, height / 2 / view.scale];
  const step = graticuleStep(2 * across, LINES);
  const multiples = (middle: number, reach: number): number[] => {
    const found: number[] = [];
    for (let at = Math.ceil((middle - reach) / step) * step; at <= middle + reach; at += step) found.push(at);
    return found;
  };
  const lines = [
    ...multiples(view.x / squeeze, across).map((longitude) => `M${toScreen({ x: longitude * squeeze, y: 0 }, view, MAP_SIZE).x.toFixed(1)} 0v${height}`),
    ...multiples(view.y, up).map((latitude) => `M0 ${toScreen({ x: 0, y: latitude }, view, MAP_SIZE).y.toFixed(1)}h${width}`),
  ];
  return <path class="place-graticule" d={lines.join('')} />;
}

interface PlaceCircleProps {
  class: string;
  middle: Location;
  kilometres: number;
  view: View;
  squeeze: number;
}

export function PlaceCircle({ class: name, middle, kilometres, view, squeeze }: PlaceCircleProps) {
  const rings = circle(middle, kilometres);
  const path = (turn: number): string =>
    rings
      .map((ring) => {
        const spots = ring.map(({ latitude, longitude }) => {
          const at = toScreen(toMap({ latitude, longitude: longitude + 360 * turn }, squeeze), view, MAP_SIZE);
          return `${at.x.toFixed(1)} ${at.y.toFixed(1)}`;
        });
        return `M${spots.join('L')}z`;
      })
      .join('');
  const turns = copies(view, MAP_SIZE, squeeze, 1);
  return <path class={name} fill-rule="evenodd" d={turns.map(path).join('')} />;
}
