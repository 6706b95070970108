/* Geometry of the atlas: the view, who stands next to whom, which names fit. */

export interface Spot {
  x: number;
  y: number;
}

/* What of the map is seen: its centre in the map's units, and pixels for one unit. */
export interface View {
  x: number;
  y: number;
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

/* Shows all spots with a margin in pixels; y points up on the map and down on the screen. */
export function fitView(spots: readonly Spot[], size: Size, margin: number): View {
  if (spots.length === 0) return { x: 0, y: 0, scale: 1 };
  const xs = spots.map((spot) => spot.x);
  const ys = spots.map((spot) => spot.y);
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = Math.min(
    Math.max(1, size.width - 2 * margin) / Math.max(right - left, 1e-9),
    Math.max(1, size.height - 2 * margin) / Math.max(high - low, 1e-9),
  );
  return { x: (left + right) / 2, y: (low + high) / 2, scale: Math.min(scale, 1e6) };
}

export function toScreen(spot: Spot, view: View, size: Size): Spot {
  return { x: size.width / 2 + (spot.x - view.x) * view.scale, y: size.height / 2 - (spot.y - view.y) * view.scale };
}

/* Zooms so that what lies under `at` (in pixels) stays there. */
export function zoomView(view: View, factor: number, at: Spot, size: Size, least: number, most: number): View {
  const scale = Math.min(most, Math.max(least, view.scale * factor));
  const dx = at.x - size.width / 2;
  const dy = at.y - size.height / 2;
  return {
    x: view.x + dx / view.scale - dx / scale,
    y: view.y - dy / view.scale + dy / scale,
    scale,
  };
}

/* Moves the view as little as possible so that the spot lies `margin` pixels inside. */
export function revealView(view: View, spot: Spot, size: Size, margin: number): View {
  const at = toScreen(spot, view, size);
  const x = Math.min(size.width - margin, Math.max(margin, at.x));
  const y = Math.min(size.height - margin, Math.max(margin, at.y));
  return { ...view, x: view.x + (at.x - x) / view.scale, y: view.y - (at.y - y) / view.scale };
}

/* Who stands next in a direction: the closest within 45 degrees, distance across counting double. -1: nobody. */
export function nextSpot(spots: readonly Spot[], from: number, dx: number, dy: number): number {
  const start = spots[from];
  if (start === undefined) return spots.length > 0 ? 0 : -1;
  let best = -1;
  let least = Infinity;
  spots.forEach((spot, index) => {
    if (index === from) return;
    const along = (spot.x - start.x) * dx + (spot.y - start.y) * dy;
    const across = Math.abs((spot.x - start.x) * dy - (spot.y - start.y) * dx);
    if (along <= 0 || across > along) return;
    const cost = along + 2 * across;
    if (cost < least) [best, least] = [index, cost];
  });
  return best;
}

export function nearestSpots(spots: readonly Spot[], from: number, wanted: number): number[] {
  const start = spots[from];
  if (start === undefined) return [];
  return spots
    .map((spot, index) => ({ index, distance: Math.hypot(spot.x - start.x, spot.y - start.y) }))
    .filter(({ index }) => index !== from)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, wanted)
    .map(({ index }) => index);
}

export interface Label {
  index: number;
  x: number; /* where the text is anchored, pixels */
  y: number;
  anchor: 'start' | 'end' | 'middle';
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const overlaps = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/* Thousands of names would neither fit nor be placed while the map is dragged. */
const MOST_TRIED = 400;
const AIR = 2; /* pixels to both sides of a name */

/* Which names are written, and on which side of their points: in the order given, each where it covers no point
 * and no name before it; those for which there is no room are left out, but for the one that must be there. */
export function placeLabels(
  spots: readonly Spot[],
  widths: readonly number[],
  order: readonly number[],
  size: Size,
  height: number,
  radius: number,
  required = -1,
): Label[] {
  const visible = order.filter((index) => {
    const spot = spots[index];
    return spot !== undefined && spot.x > 0 && spot.x < size.width && spot.y > 0 && spot.y < size.height;
  });
  const taken: Box[] = visible.map((index) => {
    const spot = spots[index] as Spot;
    return { left: spot.x - radius, right: spot.x + radius, top: spot.y - radius, bottom: spot.y + radius };
  });
  const labels: Label[] = [];
  const gap = radius + 3;
  for (const index of visible.slice(0, MOST_TRIED)) {
    const spot = spots[index] as Spot;
    const width = widths[index] ?? 0;
    const tries: [Label, Box][] = [];
    const add = (x: number, y: number, anchor: Label['anchor'], left: number): void => {
      const box = { left: left - AIR, right: left + width + AIR, top: y - height * 0.8, bottom: y + height * 0.25 };
      tries.push([{ index, x, y, anchor }, box]);
    };
    add(spot.x + gap, spot.y + height * 0.3, 'start', spot.x + gap);
    add(spot.x - gap, spot.y + height * 0.3, 'end', spot.x - gap - width);
    add(spot.x, spot.y - gap, 'middle', spot.x - width / 2);
    add(spot.x, spot.y + gap + height * 0.75, 'middle', spot.x - width / 2);
    const inside = tries.filter(
      ([, box]) => box.left >= 0 && box.right <= size.width && box.top >= 0 && box.bottom <= size.height,
    );
    const fit =
      inside.find(([, box]) => !taken.some((other) => overlaps(box, other))) ??
      (index === required ? (inside[0] ?? tries[0]) : undefined);
    if (fit === undefined) continue;
    labels.push(fit[0]);
    taken.push(fit[1]);
  }
  return labels;
}
