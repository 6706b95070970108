/* Deep links: #dream?author=Abraham%20Lincoln&date=1863 */

export const PANELS = ['dream', 'read', 'atlas', 'truth', 'good'] as const;
export type PanelName = (typeof PANELS)[number];

export interface Address {
  panel: PanelName;
  values: Record<string, string>;
}

export function parseAddress(hash: string): Address | null {
  const text = hash.startsWith('#') ? hash.slice(1) : hash;
  const question = text.indexOf('?');
  const name = question < 0 ? text : text.slice(0, question);
  const panel = PANELS.find((known) => known === name);
  if (panel === undefined) return null;
  const values: Record<string, string> = {};
  if (question >= 0) for (const [key, value] of new URLSearchParams(text.slice(question + 1))) values[key] = value;
  return { panel, values };
}

export function formatAddress(panel: PanelName, values: Record<string, string> = {}): string {
  const query = new URLSearchParams(values).toString();
  return `#${panel}${query === '' ? '' : `?${query}`}`;
}
