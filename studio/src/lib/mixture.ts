/* The mixture pad: a square with an author in each corner, a point in it, and how much of each author the
 * point stands for. */

export interface Point {
  x: number; /* 0 left .. 1 right */
  y: number; /* 0 top .. 1 bottom */
}

export const CORNERS: readonly Point[] = [
  { x: 0, y: 0 },
  { x: 1, y: 0 },
  { x: 0, y: 1 },
  { x: 1, y: 1 },
];

/* Shares in the order of CORNERS, adding up to 1; an empty corner has none. With four authors they are
 * bilinear: each corner is its author alone, each edge a mixture of two. With fewer they are the bilinear ones
 * of those that are there; where those vanish (the point lies on an empty corner) the distance decides. */
export function mixtureShares(point: Point, isFilled: readonly boolean[]): number[] {
  const x = Math.min(1, Math.max(0, point.x));
  const y = Math.min(1, Math.max(0, point.y));
  let shares = CORNERS.map((corner, index) =>
    isFilled[index] ? (corner.x ? x : 1 - x) * (corner.y ? y : 1 - y) : 0,
  );
  let sum = shares.reduce((total, share) => total + share, 0);
  if (sum < 1e-6) {
    shares = CORNERS.map((corner, index) =>
      isFilled[index] ? 1 / (1e-3 + Math.hypot(corner.x - x, corner.y - y)) : 0,
    );
    sum = shares.reduce((total, share) => total + share, 0);
  }
  return sum > 0 ? shares.map((share) => share / sum) : [0, 0, 0, 0];
}

/* As the server takes it: names with shares of three decimals, without those that round to nothing. An author
 * who stands in two corners has both shares. */
export function mixtureOf(corners: readonly string[], point: Point): Record<string, number> {
  const shares = mixtureShares(point, corners.map((name) => name !== ''));
  const mixture: Record<string, number> = {};
  corners.forEach((name, index) => {
    if (name !== '') mixture[name] = (mixture[name] ?? 0) + (shares[index] ?? 0);
  });
  for (const name of Object.keys(mixture)) {
    const rounded = Math.round((mixture[name] ?? 0) * 1000) / 1000;
    if (rounded > 0) mixture[name] = rounded;
    else delete mixture[name];
  }
  return mixture;
}
