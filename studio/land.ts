/* The outline of all land, as an SVG path in twentieths of a degree, east and south being positive: the page gets what it draws,
 * and neither the topology nor the package that unfolds it. From world-atlas, which is made of Natural Earth. */
import { readFileSync } from 'node:fs';
import { feature } from 'topojson-client';
import type { Topology } from 'topojson-specification';
import type { Plugin } from 'vite';

const NAME = 'virtual:land';
const STEPS = 20; /* for one degree; src/parts/place_ground.tsx scales it back */

type Point = readonly [x: number, y: number];

/* Where a ring goes over the date line it goes on beyond 180 degrees; the page draws the world as often as that takes. One that
 * goes around the south pole is closed there. */
function unrolled(ring: readonly (readonly number[])[]): Point[] {
  const points: Point[] = [];
  for (const [longitude = 0, latitude = 0] of ring) {
    const last = points[points.length - 1]?.[0] ?? longitude;
    points.push([longitude + 360 * Math.round((last - longitude) / 360), latitude]);
  }
  const [first, last] = [points[0]?.[0] ?? 0, points.pop()?.[0] ?? 0]; /* a ring ends where it begins */
  if (Math.abs(last - first) > 180) points.push([last, points[0]?.[1] ?? 0], [last, -90], [first, -90]);
  return points;
}

/* Moved around the world so that its middle is as near as can be to the meridian `near`. */
function turned(points: readonly Point[], near: number): Point[] {
  const turns = 360 * Math.round((near - middleOf(points)) / 360);
  return points.map(([longitude, latitude]) => [longitude + turns, latitude]);
}

function middleOf(points: readonly Point[]): number {
  const all = points.map(([longitude]) => longitude);
  return (Math.min(...all) + Math.max(...all)) / 2;
}

/* Its lakes lie where it does. */
function polygonPath([outer = [], ...holes]: readonly (readonly (readonly number[])[])[]): string {
  const coast = turned(unrolled(outer), 0);
  const shores = holes.map((hole) => turned(unrolled(hole), middleOf(coast)));
  return [coast, ...shores].map(ringPath).join('');
}

function ringPath(points: readonly Point[]): string {
  let [x, y] = [0, 0];
  let path = '';
  for (const [longitude, latitude] of points) {
    const dx = Math.round(longitude * STEPS) - x;
    const dy = Math.round(-latitude * STEPS) - y;
    if (path !== '' && dx === 0 && dy === 0) continue;
    path += `${path === '' ? 'M' : path.includes('l') ? ' ' : 'l'}${dx} ${dy}`;
    x += dx;
    y += dy;
  }
  return `${path.replaceAll(' -', '-')}z`;
}

export function landPath(): string {
  const topology = JSON.parse(readFileSync(new URL('node_modules/world-atlas/land-110m.json', import.meta.url), 'utf8')) as Topology;
  const land = feature(topology, topology.objects['land'] as NonNullable<(typeof topology.objects)[string]>);
  const polygons = ('features' in land ? land.features : [land]).flatMap(({ geometry }) => {
    if (geometry.type === 'MultiPolygon') return geometry.coordinates;
    return geometry.type === 'Polygon' ? [geometry.coordinates] : [];
  });
  return polygons.map(polygonPath).join('');
}

export function land(): Plugin {
  return {
    name: 'land',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    load: (id) => (id === `\0${NAME}` ? `export default ${JSON.stringify(landPath())};` : null),
  };
}
