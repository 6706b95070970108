/* The form in which somebody says as whom to write, and the handle that the server is given for it. */
import { mixtureOf, type Point } from './mixture';
import { location, percent, year } from './numbers';
import { formatPlace } from './place';
import type { Location } from './types';

export type Who = 'nobody' | 'author' | 'mixture' | 'like';

export interface HandleForm {
  who: Who;
  author: string;
  corners: [string, string, string, string];
  point: Point;
  like: string;
  date: number | null; /* null: not told */
  place: Location | null; /* the same */
  tell: Record<string, string>; /* other slots; '' is not told */
  shifts: number[]; /* along the principal directions, in standard deviations */
}

export interface Handle {
  author?: string;
  mix?: Record<string, number>;
  like?: string;
  date?: number;
  place?: string;
  tell?: Record<string, string>;
  shift?: { component: number; deviations: number }[];
}

export function emptyForm(): HandleForm {
  return {
    who: 'nobody',
    author: '',
    corners: ['', '', '', ''],
    point: { x: 0.5, y: 0.5 },
    like: '',
    date: null,
    place: null,
    tell: {},
    shifts: [],
  };
}

/* Undefined when nothing is told: then the model writes as whoever it likes. The handle's own "place" is a slot of
 * that name; one that a corpus calls otherwise is told by its name. */
export function toHandle(form: HandleForm, placeName = 'place'): Handle | undefined {
  const handle: Handle = {};
  if (form.who === 'author' && form.author !== '') handle.author = form.author;
  if (form.who === 'like' && form.like.trim() !== '') handle.like = form.like;
  if (form.who === 'mixture') {
    const mix = mixtureOf(form.corners, form.point);
    if (Object.keys(mix).length > 0) handle.mix = mix;
  }
  if (form.date !== null) handle.date = form.date;
  const tell = Object.entries(form.tell).filter(([, label]) => label !== '');
  if (form.place !== null && placeName === 'place') handle.place = formatPlace(form.place);
  else if (form.place !== null) tell.push([placeName, formatPlace(form.place)]);
  if (tell.length > 0) handle.tell = Object.fromEntries(tell);
  const shift = form.shifts
    .map((deviations, index) => ({ component: index + 1, deviations }))
    .filter(({ deviations }) => deviations !== 0);
  if (shift.length > 0) handle.shift = shift;
  return Object.keys(handle).length > 0 ? handle : undefined;
}

/* What is missing before this can be written, in words; null: nothing. */
export function incomplete(form: HandleForm): string | null {
  if (form.who === 'author' && form.author === '') return 'Choose an author first.';
  if (form.who === 'mixture' && form.corners.every((name) => name === '')) return 'Put an author into a corner first.';
  if (form.who === 'like' && form.like.trim() === '') return 'Paste a text by whom you mean first.';
  return null;
}

/* The running head: "Abraham Lincoln, 1990". */
export function describe(form: HandleForm): string {
  const parts: string[] = [];
  if (form.who === 'author' && form.author !== '') parts.push(form.author);
  if (form.who === 'like' && form.like.trim() !== '') parts.push('Whoever wrote the sample');
  if (form.who === 'mixture') {
    const mix = Object.entries(mixtureOf(form.corners, form.point)).sort((a, b) => b[1] - a[1]);
    if (mix.length > 0) parts.push(mix.map(([name, share]) => `${percent(share)} ${name}`).join(' + '));
  }
  for (const label of Object.values(form.tell)) if (label !== '') parts.push(label);
  if (form.date !== null) parts.push(year(form.date));
  if (form.place !== null) parts.push(location(form.place));
  if (form.shifts.some((shift) => shift !== 0)) parts.push('moved');
  return parts.length > 0 ? parts.join(', ') : 'Nobody in particular';
}
