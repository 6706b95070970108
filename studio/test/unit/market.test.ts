import { describe, expect, it } from 'vitest';
import { historyWords, marketListPath, marketPath, placeOfDay, thin, verdictWords } from '../../src/lib/market';
import { duration } from '../../src/lib/numbers';
import type { MarketHistory } from '../../src/lib/types';

const history = (prices: number[], more: Partial<MarketHistory> = {}): MarketHistory => ({
  name: 'a',
  text: 'A.',
  formula: false,
  price: prices.at(-1) ?? null,
  verdict: null,
  day: null,
  prices: prices.map((price, index) => ({ day: index + 1, price })),
  traders: [],
  ...more,
});

describe('what a market says', () => {
  it('is asked for with whatever the texts contain', () => {
    expect(marketPath('m/truth', 'Is 5 % + 1 & more?')).toBe('v1/market?model=m%2Ftruth&statement=Is%205%20%25%20%2B%201%20%26%20more%3F');
    expect(marketListPath('m', '  ', 20)).toBe('v1/market?model=m&limit=20');
    expect(marketListPath('m', ' a&b ', 5)).toBe('v1/market?model=m&limit=5&search=a%26b');
  });
  it('is told in words', () => {
    expect(historyWords(history([0.5, 0.2, 0.9]))).toBe(
      'From 50\u00a0% on day 1 to 90\u00a0% on day 3, never below 20\u00a0% nor above 90\u00a0%.',
    );
    expect(historyWords(history([0.5, 0.99], { verdict: 'true', day: 2 }))).toMatch(/ Known to be true since day 2\.$/);
    expect(historyWords(history([0.5]))).toBe('50\u00a0% on day 1.');
    expect(historyWords(history([], { verdict: 'law', day: 0 }))).toBe('It was never priced. A law that holds, from the beginning.');
  });
  it('has its verdict on a day', () => {
    expect(verdictWords(history([]))).toBeNull();
    expect(verdictWords(history([], { verdict: 'false', day: 7 }))).toBe('Known to be false since day 7');
    expect(verdictWords(history([], { verdict: 'false', day: 0 }))).toBe('Known to be false, from the beginning');
  });
  it('knows where a day stands among those that were sent', () => {
    const prices = [1, 4, 7].map((day) => ({ day, price: 0.5 }));
    expect([0, 1, 2, 4, 7, 8].map((day) => placeOfDay(prices, day))).toEqual([0, 0, 1, 1, 2, -1]);
  });
});

describe('thin', () => {
  it('keeps the first and the last', () => {
    expect(thin([1, 2, 3], 3)).toEqual([1, 2, 3]);
    const thinned = thin(Array.from({ length: 100 }, (_, index) => index), 7);
    expect(thinned).toHaveLength(7);
    expect([thinned[0], thinned.at(-1)]).toEqual([0, 99]);
    expect(new Set(thinned).size).toBe(7);
  });
});

describe('duration', () => {
  it('is rounder the longer it is', () => {
    expect([0, 59.4, 60, 3540, 3599, 3600, 5400, 86_400, 200_000, -5].map(duration)).toEqual([
      '0\u00a0s', '59\u00a0s', '1\u00a0min', '59\u00a0min', '1\u00a0h', '1\u00a0h', '1\u00a0h 30\u00a0min', '1\u00a0day', '2\u00a0days', '0\u00a0s',
    ]);
  });
});
