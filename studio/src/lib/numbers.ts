/* How numbers are said. A no-break space stands between a number and its unit. */

export function percent(probability: number): string {
  if (!Number.isFinite(probability)) return 'unknown';
  const hundredths = probability * 100;
  if (hundredths > 99 && hundredths < 100) return '> 99\u00a0%';
  if (hundredths > 0 && hundredths < 1) return '< 1\u00a0%';
  return `${Math.round(hundredths)}\u00a0%`;
}

/* Astronomical years: 0 is 1 BC. */
export function year(value: number): string {
  const rounded = Math.round(value);
  return rounded > 0 ? String(rounded) : `${1 - rounded}\u00a0BC`;
}

/* "41.9° N 87.6° W" */
export function location({ latitude, longitude }: { latitude: number; longitude: number }): string {
  const side = (degrees: number, positive: string, negative: string) =>
    `${Math.abs(degrees).toFixed(1)}°\u00a0${degrees < 0 ? negative : positive}`;
  return `${side(latitude, 'N', 'S')} ${side(longitude, 'E', 'W')}`;
}

/* A real minus, and a plus where one is not zero. */
export function signed(value: number, decimals = 1): string {
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return text;
  return (value < 0 ? '\u2212' : '+') + text;
}

export function fixed(value: number, decimals: number): string {
  return value.toFixed(decimals).replace('-', '\u2212');
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString('en')}\u00a0${value === 1 ? one : many}`;
}

/* So many seconds as one would say them, the larger the rounder. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}\u00a0s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes}\u00a0min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours}\u00a0h` : `${hours}\u00a0h ${minutes % 60}\u00a0min`;
  const days = Math.round(minutes / 60 / 24);
  return count(days, 'day');
}

/* Round values in low..high, about `wanted` of them, 1, 2 or 5 times a power of ten apart. */
export function ticks(low: number, high: number, wanted: number): number[] {
  if (!(high > low) || wanted < 1) return [];
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const found: number[] = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step)
    found.push(Math.abs(at) < step * 1e-9 ? 0 : Number(at.toPrecision(12)));
  return found;
}

/* A probability in words, the same above and below the middle. */
export function likelihood(probability: number): string {
  const words: [number, string][] = [
    [0.99, 'all but certainly true'],
    [0.9, 'very likely true'],
    [0.7, 'likely true'],
    [0.55, 'rather true than false'],
    [0.45, 'a toss-up'],
    [0.3, 'rather false than true'],
    [0.1, 'likely false'],
    [0.01, 'very likely false'],
  ];
  return words.find(([least]) => probability >= least)?.[1] ?? 'all but certainly false';
}

/* How sure somebody is who gives an answer these odds. */
export function sureness(odds: number): string {
  if (odds >= 0.9) return 'quite sure';
  if (odds >= 0.7) return 'fairly sure';
  if (odds >= 0.5) return 'not very sure';
  if (odds >= 0.25) return 'doubtful';
  return 'a guess';
}

/* How much is in doubt between `choices` possibilities, from the entropy in nats. */
export function doubt(entropy: number, choices: number): string {
  const share = choices > 1 ? entropy / Math.log(choices) : 0;
  if (share < 0.05) return 'hardly any doubt';
  if (share < 0.2) return 'little doubt';
  if (share < 0.45) return 'some doubt';
  if (share < 0.75) return 'much doubt';
  return 'almost anybody';
}
