/* Colours by number. All are variables or functions of the style sheet's variables, so that they change with
 * the theme; style/base.css has the six. */
export const HUES = 6;

export function seriesColour(index: number): string {
  return index >= 0 && index < HUES ? `var(--series-${index + 1})` : 'var(--soft)';
}

/* From early (blue) over violet and red to late (ochre), lighter as it goes on: also told apart by those who do
 * not see red and green. */
export function scaleColour(share: number): string {
  const at = Math.min(1, Math.max(0, share));
  const hue = (264 + at * 166) % 360;
  return `oklch(calc(var(--scale-lightness) + ${(at * 0.16).toFixed(3)}) 0.13 ${hue.toFixed(1)})`;
}
