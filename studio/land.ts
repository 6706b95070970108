/* The outline of all land, as an SVG path in twentieths of a degree, east and south being positive: the page gets what it draws,
 * and neither the topology nor the package that unfolds it. From world-atlas, which is made of Natural Earth. */
import { readFileSync } from 'node:fs';
import { feature } from 'topojson-client';
import type { Topology } from 'topojson-specification';
import type { Plugin } from 'vite';

const NAME = 'virtual:land';
const STEPS = 20; /* for one degree; src/parts/place_ground.tsx scales it back */

function ringPath(ring: readonly (readonly number[])[]): string {
  let [x, y] = [0, 0];
  let path = '';
  for (const [longitude = 0, latitude = 0] of ring.slice(0, -1)) {
    const dx = Math.round(longitude * STEPS) - x;
    const dy = Math.round(-latitude * STEPS) - y;
    if (path !== '' && dx === 0 && dy === 0) continue;
    path += `${path === '' ? 'M' : path.includes('l') ? ' ' : 'l'}${dx}${dy < 0 ? '' : ' '}${dy}`;
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
  return polygons.flat().map(ringPath).join('');
}

export function land(): Plugin {
  return {
    name: 'land',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    load: (id) => (id === `\0${NAME}` ? `export default ${JSON.stringify(landPath())};` : null),
  };
}
