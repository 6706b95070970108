import { describe, expect, it } from 'vitest';
import { landPath } from '../../land';
import { toScreen } from '../../src/lib/map';
import {
  circle,
  copies,
  fitRegion,
  formatPlace,
  graticuleStep,
  isWithin,
  keepOnWorld,
  keyStep,
  normalise,
  parsePlace,
  placeFromScreen,
  placeToScreen,
  revealPlace,
  rounded,
  squeezeOf,
  toMap,
  worldScale,
  zoomPlaces,
} from '../../src/lib/place';

const size = { width: 360, height: 180 };
const america = { latitude: 38.5, longitude: -96, radius: 24 };
const chicago = { latitude: 41.88, longitude: -87.63 };

describe('places as text', () => {
  it('come back as they went', () => {
    expect(formatPlace(chicago)).toBe('41.88,-87.63');
    expect(parsePlace('41.88,-87.63')).toEqual(chicago);
    expect(parsePlace(' +41.88 , -87.63')).toEqual(chicago);
    expect(formatPlace({ latitude: -0.00001, longitude: 1 / 3 })).toBe('0,0.3333');
  });
  it('of nothing that is there are none', () => {
    for (const text of ['', '41.88', '91,0', '0,181', '1,2,3', 'a,b', '1e1,0', '0x1,2', ',', 'Infinity,0']) expect(parsePlace(text)).toBeNull();
  });
  it('stay on the sphere', () => {
    expect(normalise({ latitude: 95, longitude: 190 })).toEqual({ latitude: 90, longitude: -170 });
    expect(normalise({ latitude: -95, longitude: -190 })).toEqual({ latitude: -90, longitude: 170 });
    expect([180, -180, 0, 540].map((longitude) => normalise({ latitude: 0, longitude }).longitude)).toEqual([180, -180, 0, 180]);
    expect(Object.is(rounded({ latitude: -0.01, longitude: 0 }, 1).latitude, 0)).toBe(true);
  });
});

describe('views of places', () => {
  it('show the whole world without a region, and no more', () => {
    const view = fitRegion(undefined, size, 6);
    expect(view).toEqual({ x: 0, y: 0, scale: 1 });
    expect(fitRegion({ latitude: 10, longitude: 20, radius: 180 }, size, 6)).toEqual(view);
    expect(placeToScreen({ latitude: 90, longitude: -90 }, view, size, 1)).toEqual({ x: 90, y: 0 });
    expect(copies(view, size, 1)).toEqual([0]);
  });
  it('show a region whole, and round', () => {
    const squeeze = squeezeOf(america);
    const view = fitRegion(america, size, 6);
    const points = circle(america, america.radius * 111.195).flat().map((place) => toScreen(toMap(place, squeeze), view, size));
    const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
    expect(Math.min(...ys)).toBeCloseTo(6, 0);
    expect(Math.max(...ys)).toBeCloseTo(174, 0);
    const across = Math.max(...xs) - Math.min(...xs);
    expect(across).toBeGreaterThan(150); /* a plain map of degrees would give 1.28 of the height and more */
    expect(across).toBeLessThan(190);
  });
  it('find the place under the pointer, also over the date line', () => {
    for (const region of [undefined, america, { latitude: -18, longitude: 178, radius: 12 }, { latitude: 85, longitude: 0, radius: 20 }]) {
      const [view, squeeze] = [fitRegion(region, size, 6), squeezeOf(region)];
      for (const at of [{ x: 10, y: 20 }, { x: 300, y: 150 }]) {
        const place = placeFromScreen(at, view, size, squeeze);
        expect(Math.abs(place.longitude)).toBeLessThanOrEqual(180);
        const back = placeToScreen(place, view, size, squeeze);
        expect(back.x).toBeCloseTo(at.x, 6);
        expect(back.y).toBeCloseTo(at.y, 6);
      }
    }
    expect(copies(fitRegion({ latitude: -18, longitude: 178, radius: 12 }, size, 6), size, squeezeOf({ latitude: -18, longitude: 178, radius: 12 }))).toEqual([0, 1]);
  });
  it('keep the point where it is while they zoom, and never leave the world', () => {
    const [view, squeeze] = [fitRegion(america, size, 6), squeezeOf(america)];
    const at = placeToScreen(chicago, view, size, squeeze);
    const near = zoomPlaces(view, 2, at, size, squeeze, 60);
    const then = placeToScreen(chicago, near, size, squeeze);
    expect([then.x, then.y]).toEqual([expect.closeTo(at.x, 6), expect.closeTo(at.y, 6)]);
    expect(zoomPlaces(view, 1e6, at, size, squeeze, 60).scale).toBe(60);
    const far = zoomPlaces(view, 1e-6, at, size, squeeze, 60);
    expect(far.scale).toBeCloseTo(worldScale(size, squeeze), 9);
    expect(keepOnWorld({ x: 0, y: 89, scale: 10 }, size, 1)).toEqual({ x: 0, y: 81, scale: 10 });
  });
  it('follow a place that leaves them, the short way around', () => {
    const view = { x: 179, y: 0, scale: 10 };
    expect(revealPlace(view, { latitude: 0, longitude: -175 }, size, 1, 12)).toEqual(view);
    const moved = revealPlace(view, { latitude: 0, longitude: -160 }, size, 1, 12);
    expect(moved.x).toBeGreaterThan(179);
    expect(placeToScreen({ latitude: 0, longitude: -160 }, moved, size, 1).x).toBeCloseTo(348, 6);
  });
  it('have round steps and lines', () => {
    expect(keyStep(fitRegion(undefined, size, 6), size)).toBe(2);
    expect(keyStep({ x: 0, y: 0, scale: 60 }, size)).toBe(0.1);
    expect([360, 60, 6].map((degrees) => graticuleStep(degrees, 12))).toEqual([30, 5, 1]);
  });
});

describe('circles', () => {
  /* Even-odd, as the page fills them. */
  const holds = (rings: { latitude: number; longitude: number }[][], latitude: number, longitude: number): boolean => {
    let is = false;
    for (const turn of [-720, -360, 0, 360, 720]) {
      for (const ring of rings) {
        ring.forEach((a, index) => {
          const b = ring[(index + 1) % ring.length] ?? a;
          if (a.latitude > latitude === b.latitude > latitude) return;
          const x = a.longitude + ((latitude - a.latitude) / (b.latitude - a.latitude)) * (b.longitude - a.longitude);
          if (longitude + turn < x) is = !is;
        });
      }
      /* Each copy is filled by itself: what an earlier one holds stays held. */
      if (is) return true;
    }
    return false;
  };
  it('hold what is near and nothing else, at poles and date line as well', () => {
    const middles = [chicago, { latitude: 80, longitude: 10 }, { latitude: -75, longitude: 179 }, { latitude: 0, longitude: -179 }, { latitude: 89.9, longitude: 0 }];
    for (const middle of middles)
      for (const radius of [5, 20, 60, 100, 150]) {
        const rings = circle(middle, radius * 111.195);
        for (let latitude = -85; latitude <= 85; latitude += 17)
          for (let longitude = -178; longitude <= 178; longitude += 29.5) {
            const place = { latitude, longitude };
            const isNear = isWithin(place, { ...middle, radius: radius - 1 });
            if (isNear || !isWithin(place, { ...middle, radius: radius + 1 }))
              expect([middle, radius, place, holds(rings, latitude, longitude)]).toEqual([middle, radius, place, isNear]);
          }
      }
  });
  it('tell what lies in a region', () => {
    expect(isWithin(chicago, america)).toBe(true);
    expect(isWithin({ latitude: 51.5, longitude: -0.1 }, america)).toBe(false);
    expect(isWithin({ latitude: 51.5, longitude: -0.1 }, { ...america, radius: 180 })).toBe(true);
  });
});

describe('the outline of land', () => {
  it('is small, closed, and holds what is land', () => {
    const path = landPath();
    expect(path.length).toBeLessThan(40_000);
    expect(path).toMatch(/^(M-?\d+[ -]\d+l[\d -]+z)+$/);
    const rings = path.split('z').filter(Boolean).map((ring) => {
      const [x = 0, y = 0, ...moves] = (ring.match(/-?\d+/g) ?? []).map(Number);
      const points = [{ longitude: x / 20, latitude: -y / 20 }];
      for (let index = 0; index + 1 < moves.length; index += 2) {
        const last = points[points.length - 1] as { longitude: number; latitude: number };
        points.push({ longitude: last.longitude + (moves[index] ?? 0) / 20, latitude: last.latitude - (moves[index + 1] ?? 0) / 20 });
      }
      return points;
    });
    /* As often as one goes around the world: some rings go on beyond 180 degrees. */
    const isLand = (latitude: number, longitude: number): boolean => [-360, 0, 360].some((turn) => isInside(latitude, longitude + turn));
    const isInside = (latitude: number, longitude: number): boolean =>
      rings.reduce((is, ring) => {
        ring.forEach((a, index) => {
          const b = ring[(index + 1) % ring.length] ?? a;
          if (a.latitude > latitude === b.latitude > latitude) return;
          if (longitude < a.longitude + ((latitude - a.latitude) / (b.latitude - a.latitude)) * (b.longitude - a.longitude)) is = !is;
        });
        return is;
      }, false);
    const land = [[40, -100], [-25, 135], [52, 20], [0, 20], [-80, 100], [65, -150], [67, -175], [66, 170], [-89, 0], [-85, -179]];
    const water = [[0, -140], [30, -40], [-50, 80], [70, 0], [58, -179], [58, 179], [42, 51]]; /* the last is the Caspian */
    expect(land.map(([latitude = 0, longitude = 0]) => isLand(latitude, longitude))).toEqual(land.map(() => true));
    expect(water.map(([latitude = 0, longitude = 0]) => isLand(latitude, longitude))).toEqual(water.map(() => false));
  });
});
