import { describe, expect, it } from 'vitest';
import { fitView, nearestSpots, nextSpot, placeLabels, revealView, toScreen, zoomView } from '../../src/lib/map';

const size = { width: 400, height: 300 };
const square = [
  { x: 0, y: 0 },
  { x: 1, y: 0 },
  { x: 0, y: 1 },
  { x: 1, y: 1 },
];

describe('views of the map', () => {
  it('shows all spots inside the margin', () => {
    const view = fitView(square, size, 40);
    for (const spot of square) {
      const at = toScreen(spot, view, size);
      expect(at.x).toBeGreaterThanOrEqual(39.999);
      expect(at.x).toBeLessThanOrEqual(360.001);
      expect(at.y).toBeGreaterThanOrEqual(39.999);
      expect(at.y).toBeLessThanOrEqual(260.001);
    }
    expect(toScreen({ x: 0, y: 1 }, view, size).y).toBeLessThan(toScreen({ x: 0, y: 0 }, view, size).y);
  });
  it('is defined for one spot and for none', () => {
    expect(Number.isFinite(fitView([{ x: 3, y: 4 }], size, 40).scale)).toBe(true);
    expect(fitView([], size, 40)).toEqual({ x: 0, y: 0, scale: 1 });
  });
  it('zooms about the pointer', () => {
    const view = fitView(square, size, 40);
    const at = { x: 100, y: 220 };
    const before = { x: view.x + (at.x - 200) / view.scale, y: view.y - (at.y - 150) / view.scale };
    const zoomed = zoomView(view, 3, at, size, 1, 1e6);
    expect(zoomed.scale).toBeCloseTo(view.scale * 3, 9);
    const after = toScreen(before, zoomed, size);
    expect(after.x).toBeCloseTo(at.x, 9);
    expect(after.y).toBeCloseTo(at.y, 9);
    expect(zoomView(view, 1e9, at, size, 1, 500).scale).toBe(500);
  });
  it('reveals what lies outside, and stays where it is otherwise', () => {
    const view = { x: 0, y: 0, scale: 100 };
    expect(revealView(view, { x: 0.5, y: 0.5 }, size, 40)).toEqual(view);
    const at = toScreen({ x: 9, y: -7 }, revealView(view, { x: 9, y: -7 }, size, 40), size);
    expect(at.x).toBeCloseTo(360, 6);
    expect(at.y).toBeCloseTo(260, 6);
  });
});

describe('neighbours', () => {
  it('lie in the direction that was asked for', () => {
    expect(nextSpot(square, 0, 1, 0)).toBe(1);
    expect(nextSpot(square, 0, 0, 1)).toBe(2);
    expect(nextSpot(square, 3, -1, 0)).toBe(2);
    expect(nextSpot(square, 1, 1, 0)).toBe(-1);
    expect(nextSpot(square, -1, 1, 0)).toBe(0);
    expect(nextSpot([], -1, 1, 0)).toBe(-1);
  });
  it('are sorted by distance', () => {
    expect(nearestSpots([{ x: 0, y: 0 }, { x: 5, y: 0 }, { x: 1, y: 0 }], 0, 2)).toEqual([2, 1]);
  });
});

describe('placeLabels', () => {
  it('covers neither points nor other names, and leaves out what has no room', () => {
    const crowd = Array.from({ length: 60 }, (_, index) => ({ x: 150 + (index % 8) * 9, y: 120 + Math.floor(index / 8) * 7 }));
    const widths = crowd.map(() => 70);
    const order = crowd.map((_, index) => index);
    const labels = placeLabels(crowd, widths, order, size, 15, 5);
    expect(labels.length).toBeGreaterThan(2);
    expect(labels.length).toBeLessThan(crowd.length);
    const boxes = labels.map(({ x, y, anchor }) => {
      const left = anchor === 'start' ? x : anchor === 'end' ? x - 70 : x - 35;
      return { left, right: left + 70, top: y - 12, bottom: y + 3.75 };
    });
    boxes.forEach((box, index) => {
      for (const spot of crowd) expect(spot.x > box.left && spot.x < box.right && spot.y > box.top && spot.y < box.bottom).toBe(false);
      for (const other of boxes.slice(index + 1))
        expect(box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom).toBe(false);
    });
  });
  it('writes the required name in any crowd', () => {
    const crowd = Array.from({ length: 400 }, (_, index) => ({ x: 10 + (index % 20) * 19, y: 10 + Math.floor(index / 20) * 14 }));
    const order = crowd.map((_, index) => index);
    const widths = crowd.map(() => 90);
    expect(placeLabels(crowd, widths, order, size, 15, 6).some(({ index }) => index === 210)).toBe(false);
    expect(placeLabels(crowd, widths, order, size, 15, 6, 210).some(({ index }) => index === 210)).toBe(true);
  });
  it('says nothing of what is not seen', () => {
    expect(placeLabels([{ x: -5, y: 10 }, { x: 100, y: 900 }], [10, 10], [0, 1], size, 15, 5)).toEqual([]);
  });
});
