/* What a market's record says, in words. */
import { percent } from './numbers';
import type { MarketHistory, MarketPrice, MarketSentence } from './types';

export function marketPath(model: string, statement: string): string {
  return `v1/market?model=${encodeURIComponent(model)}&statement=${encodeURIComponent(statement)}`;
}

export function marketListPath(model: string, search: string, limit: number): string {
  const words = search.trim();
  return `v1/market?model=${encodeURIComponent(model)}&limit=${limit}${words === '' ? '' : `&search=${encodeURIComponent(words)}`}`;
}

/* What became known of a sentence; null: nothing. */
export function verdictWords({ verdict, day }: MarketSentence): string | null {
  if (verdict === null) return null;
  const what = verdict === 'law' ? 'A law that holds' : `Known to be ${verdict}`;
  return day === null || day === 0 ? `${what}, from the beginning` : `${what} since day ${day}`;
}

/* The whole history in a sentence or two, for those who do not see the chart. */
export function historyWords(history: MarketHistory): string {
  const first = history.prices[0];
  const last = history.prices.at(-1);
  const verdict = verdictWords(history);
  const known = verdict === null ? '' : ` ${verdict}.`;
  if (first === undefined || last === undefined) return `It was never priced.${known}`;
  if (first === last) return `${percent(first.price)} on day ${first.day}.${known}`;
  const prices = history.prices.map(({ price }) => price);
  const range = `never below ${percent(Math.min(...prices))} nor above ${percent(Math.max(...prices))}`;
  return `From ${percent(first.price)} on day ${first.day} to ${percent(last.price)} on day ${last.day}, ${range}.${known}`;
}

/* Where in the prices a day is: the first that is not before it; -1: it is after all of them. */
export function placeOfDay(prices: readonly MarketPrice[], day: number): number {
  return prices.findIndex((one) => one.day >= day);
}

/* At most so many, the first and the last among them. */
export function thin<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most || most < 2) return [...list];
  return Array.from({ length: most }, (_, index) => list[Math.floor((index * (list.length - 1)) / (most - 1))] as T);
}
