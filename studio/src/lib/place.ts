/* Places on an equirectangular map, whose circles are round where its middle parallel is: degrees across are drawn shorter
 * by that parallel's cosine. Views are those of lib/map.ts, over degrees so drawn. */
import { fitView, revealView, toScreen, zoomView, type Size, type Spot, type View } from './map';
import type { Location, Region } from './types';

const EARTH_RADIUS = 6371.0088; /* kilometres */
const DEGREE = Math.PI / 180;
const LARGEST = 50; /* degrees around the middle; beyond them it is a map of the world */
const STEEPEST = 65; /* parallel, that nothing is drawn too narrow */
const CIRCLE_POINTS = 72;
const BEYOND = 100; /* degrees of latitude that no view reaches */


/* Within -90..90 and -180..180; what goes over the date line comes back from the other side. */
export function normalise({ latitude, longitude }: Location): Location {
  const east = ((((longitude + 180) % 360) + 360) % 360) - 180;
  return { latitude: Math.min(90, Math.max(-90, latitude)), longitude: east === -180 && longitude > 0 ? 180 : east };
}

export function rounded({ latitude, longitude }: Location, decimals: number): Location {
  const round = (degrees: number): number => Number(degrees.toFixed(decimals)) + 0; /* no -0 */
  return { latitude: round(latitude), longitude: round(longitude) };
}

/* As handles and addresses have it: "41.88,-87.63", to 10 m. */
export function formatPlace(place: Location): string {
  const { latitude, longitude } = rounded(place, 4);
  return `${latitude},${longitude}`;
}

export function parsePlace(text: string): Location | null {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length !== 2 || !parts.every((part) => /^[+-]?(\d+\.?\d*|\.\d+)$/.test(part))) return null;
  const [latitude = NaN, longitude = NaN] = parts.map(Number);
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : null;
}

/* How much shorter degrees across are drawn than degrees up. */
export function squeezeOf(region: Region | undefined): number {
  if (region === undefined || region.radius > LARGEST) return 1;
  return Math.cos(Math.min(Math.abs(region.latitude), STEEPEST) * DEGREE);
}

export function toMap({ latitude, longitude }: Location, squeeze: number): Spot {
  return { x: longitude * squeeze, y: latitude };
}

/* The same place as often as one needs to go around the world, nearest to the middle of the view. */
export function nearView(longitude: number, view: View, squeeze: number): number {
  return longitude + 360 * Math.round((view.x / squeeze - longitude) / 360);
}

export function placeToScreen(place: Location, view: View, size: Size, squeeze: number): Spot {
  const longitude = nearView(place.longitude, view, squeeze);
  return toScreen(toMap({ ...place, longitude }, squeeze), view, size);
}

export function placeFromScreen(at: Spot, view: View, size: Size, squeeze: number): Location {
  return normalise({
    latitude: view.y - (at.y - size.height / 2) / view.scale,
    longitude: (view.x + (at.x - size.width / 2) / view.scale) / squeeze,
  });
}

/* Pixels for a degree when all of the world is to be seen, or as much as leaves no margin. */
export function worldScale(size: Size, squeeze: number): number {
  return Math.max(size.width / (360 * squeeze), size.height / 180);
}

/* Nothing beyond the poles is shown. */
export function keepOnWorld(view: View, size: Size, squeeze: number): View {
  const scale = Math.max(view.scale, worldScale(size, squeeze));
  const most = Math.max(0, 90 - size.height / 2 / scale);
  return { x: view.x, y: Math.min(most, Math.max(-most, view.y)), scale };
}

/* The region's circle and a margin; without one the world. */
export function fitRegion(region: Region | undefined, size: Size, margin: number): View {
  const squeeze = squeezeOf(region);
  if (region === undefined || region.radius > LARGEST) return keepOnWorld({ x: 0, y: 0, scale: 0 }, size, squeeze);
  const { latitude, longitude, radius } = region;
  const up = Math.min(90, latitude + radius);
  const down = Math.max(-90, latitude - radius);
  const reach = Math.sin(radius * DEGREE) / Math.cos(latitude * DEGREE);
  const across = up < 90 && down > -90 && reach < 1 ? Math.asin(reach) / DEGREE : 180;
  const corners = [
    { latitude: up, longitude: longitude + across },
    { latitude: down, longitude: longitude - across },
  ];
  return keepOnWorld(fitView(corners.map((corner) => toMap(corner, squeeze)), size, margin), size, squeeze);
}

export function zoomPlaces(view: View, factor: number, at: Spot, size: Size, squeeze: number, most: number): View {
  return keepOnWorld(zoomView(view, factor, at, size, worldScale(size, squeeze), most), size, squeeze);
}

export function revealPlace(view: View, place: Location, size: Size, squeeze: number, margin: number): View {
  const longitude = nearView(place.longitude, view, squeeze);
  return keepOnWorld(revealView(view, toMap({ ...place, longitude }, squeeze), size, margin), size, squeeze);
}

/* How far an arrow key goes: about a fortieth of what is seen, a round number of degrees. */
export function keyStep(view: View, size: Size): number {
  const degrees = Math.min(size.width, size.height) / view.scale / 40;
  return [5, 2, 1, 0.5, 0.2].find((step) => step <= degrees) ?? 0.1;
}

/* How many times one needs to go around the world to see what the view shows of it: -1, 0 and 1 about the date line.
 * `more`: of what reaches so many times farther. */
export function copies(view: View, size: Size, squeeze: number, more = 0): number[] {
  const half = size.width / 2 / view.scale / squeeze;
  const first = Math.floor((view.x / squeeze - half + 180) / 360 + 1e-9) - more;
  const last = Math.ceil((view.x / squeeze + half + 180) / 360 - 1e-9) - 1 + more;
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/* Round distances between the lines of the graticule, at most about `wanted` of them in so many degrees. */
export function graticuleStep(degrees: number, wanted: number): number {
  return [1, 2, 5, 10, 15, 30].find((step) => degrees / step <= wanted) ?? 45;
}

/* The place so many degrees of arc from another, in a direction counted from the north; longitudes may lie beyond 180. */
function destination(from: Location, arc: number, bearing: number): Location {
  const [a, d, b] = [from.latitude * DEGREE, arc * DEGREE, bearing * DEGREE];
  const sine = Math.sin(a) * Math.cos(d) + Math.cos(a) * Math.sin(d) * Math.cos(b);
  const latitude = Math.asin(Math.min(1, Math.max(-1, sine)));
  const turn = Math.atan2(Math.sin(b) * Math.sin(d) * Math.cos(a), Math.cos(d) - Math.sin(a) * sine);
  return { latitude: latitude / DEGREE, longitude: from.longitude + turn / DEGREE };
}

/* Whether it is one of a region's places. */
export function isWithin(place: Location, region: Region): boolean {
  const [a, b] = [place.latitude * DEGREE, region.latitude * DEGREE];
  const turn = (place.longitude - region.longitude) * DEGREE;
  const cosine = Math.sin(a) * Math.sin(b) + Math.cos(a) * Math.cos(b) * Math.cos(turn);
  return cosine >= Math.cos(region.radius * DEGREE);
}

/* All places within a distance, as rings to be filled by the even-odd rule. A ring that goes around a pole is closed beyond it, and
 * one that leaves out only what is far from both is a hole. */
export function circle({ latitude, longitude }: Location, kilometres: number): Location[][] {
  const middle = { latitude: Math.min(89.9, Math.max(-89.9, latitude)), longitude }; /* at a pole, no direction is north */
  const arc = Math.min(179.9, Math.max(0, kilometres / EARTH_RADIUS / DEGREE));
  const isNorthIn = arc > 90 - middle.latitude;
  const isSouthIn = arc > 90 + middle.latitude;
  const ring: Location[] = [];
  for (let index = 0; index <= CIRCLE_POINTS; index += 1) {
    const point = destination(middle, arc, (index * 360) / CIRCLE_POINTS);
    const last = ring[ring.length - 1]?.longitude ?? point.longitude;
    ring.push({ latitude: point.latitude, longitude: point.longitude + 360 * Math.round((last - point.longitude) / 360) });
  }
  const [first, last] = [ring[0] as Location, ring[ring.length - 1] as Location];
  if (isNorthIn && isSouthIn) {
    const corner = (x: number, y: number): Location => ({ latitude: y * BEYOND, longitude: first.longitude + x * 180 });
    return [ring, [corner(-1, 1), corner(1, 1), corner(1, -1), corner(-1, -1)]];
  }
  if (!isNorthIn && !isSouthIn) return [ring];
  const beyond = isNorthIn ? BEYOND : -BEYOND;
  return [[...ring, { latitude: beyond, longitude: last.longitude }, { latitude: beyond, longitude: first.longitude }]];
}
