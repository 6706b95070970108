/* Finding a name among many. */

/* Without case and accents. */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/* Those that contain every word that was typed: first those of which it is the beginning, then those of which
 * a word begins so, then the rest. */
export function findNames(names: readonly string[], typed: string): string[] {
  const words = fold(typed).split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) return [...names];
  const whole = words.join(' ');
  const ranked: [number, string][] = [];
  for (const name of names) {
    const folded = fold(name);
    if (!words.every((word) => folded.includes(word))) continue;
    const parts = folded.split(/[\s-]+/);
    const rank = folded.startsWith(whole) ? 0 : words.every((word) => parts.some((part) => part.startsWith(word))) ? 1 : 2;
    ranked.push([rank, name]);
  }
  return ranked.sort((a, b) => a[0] - b[0]).map(([, name]) => name);
}
