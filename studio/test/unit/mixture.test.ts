import { describe, expect, it } from 'vitest';
import { CORNERS, mixtureOf, mixtureShares } from '../../src/lib/mixture';

const ALL = [true, true, true, true];
const sum = (shares: number[]): number => shares.reduce((total, share) => total + share, 0);

describe('mixtureShares', () => {
  it('gives each corner to its author alone', () => {
    CORNERS.forEach((corner, index) => {
      expect(mixtureShares(corner, ALL)[index]).toBeCloseTo(1, 12);
    });
  });
  it('mixes four evenly in the middle', () => {
    expect(mixtureShares({ x: 0.5, y: 0.5 }, ALL)).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
  it('is bilinear: an edge knows its two ends only', () => {
    expect(mixtureShares({ x: 0.3, y: 0 }, ALL)).toEqual([0.7, 0.3, 0, 0].map((share) => expect.closeTo(share, 12)));
  });
  it('goes by the one coordinate that tells two authors side by side apart', () => {
    for (const y of [0, 0.4, 0.999]) {
      const shares = mixtureShares({ x: 0.2, y }, [true, true, false, false]);
      expect(shares[0]).toBeCloseTo(0.8, 9);
      expect(shares[1]).toBeCloseTo(0.2, 9);
    }
  });
  it('adds up to one wherever the point is and whoever is there, also on an empty corner', () => {
    for (let set = 1; set < 16; set += 1) {
      const filled = [1, 2, 4, 8].map((bit) => (set & bit) !== 0);
      for (const x of [0, 0.25, 1]) {
        for (const y of [0, 0.6, 1]) {
          const shares = mixtureShares({ x, y }, filled);
          expect(sum(shares)).toBeCloseTo(1, 9);
          shares.forEach((share, index) => {
            expect(share).toBeGreaterThanOrEqual(0);
            if (!filled[index]) expect(share).toBe(0);
          });
        }
      }
    }
  });
  it('lets the nearer one have more on an empty corner', () => {
    const [near = 0, far = 0] = mixtureShares({ x: 1, y: 1 }, [false, true, true, false]).slice(1);
    expect(near).toBeCloseTo(far, 9);
    const shares = mixtureShares({ x: 1, y: 1 }, [true, true, false, false]);
    expect(shares[1]).toBeGreaterThan(shares[0] ?? 1);
  });
  it('gives nobody anything when nobody is there', () => {
    expect(mixtureShares({ x: 0.5, y: 0.5 }, [false, false, false, false])).toEqual([0, 0, 0, 0]);
  });
  it('takes points from outside as if they lay on the edge', () => {
    expect(mixtureShares({ x: -3, y: 9 }, ALL)).toEqual([0, 0, 1, 0]);
  });
});

describe('mixtureOf', () => {
  it('adds what one author has in two corners', () => {
    expect(mixtureOf(['Ann', 'Bob', 'Ann', ''], { x: 0.5, y: 0.5 })).toEqual({ Ann: 0.667, Bob: 0.333 });
  });
  it('leaves out what rounds to nothing', () => {
    expect(mixtureOf(['Ann', 'Bob', '', ''], { x: 0.0001, y: 0.5 })).toEqual({ Ann: 1 });
  });
  it('is empty without authors', () => {
    expect(mixtureOf(['', '', '', ''], { x: 0.5, y: 0.5 })).toEqual({});
  });
});
