/* The slots of a model. Which is "who" and which is "when" goes by kind: a corpus calls them what it likes. */
import type { Belief, Guess, Model, PathStep, PlaceBelief, RawStep, Slot, Years } from './types';

/* As the server does: the one called "author", or else the first with labels. */
export function authorSlot(model: Model): string | null {
  const labelled = model.slots.filter((slot) => slot.kind === 'categorical');
  return (labelled.find(({ name }) => name === 'author') ?? labelled[0])?.name ?? null;
}

export function dateSlot(model: Model): string | null {
  return model.slots.find((slot) => slot.kind === 'date')?.name ?? null;
}

/* With its region, where the server tells it. */
export function placeSlot(model: Model): Slot | null {
  return model.slots.find((slot) => slot.kind === 'place') ?? null;
}

export function guessesOf(belief: Belief | undefined): Guess[] | undefined {
  return Array.isArray(belief) ? belief : undefined;
}

export function yearsOf(belief: Belief | undefined): Years | undefined {
  return typeof belief === 'object' && 'median' in belief ? belief : undefined;
}

export function placeOf(belief: Belief | undefined): PlaceBelief | undefined {
  return typeof belief === 'object' && 'kilometres_90' in belief ? belief : undefined;
}

export function stepOf(model: Model, raw: RawStep): PathStep {
  const author = guessesOf(raw[authorSlot(model) ?? ''] as Belief);
  const date = yearsOf(raw[dateSlot(model) ?? ''] as Belief);
  return {
    text: String(raw['text'] ?? ''),
    ...(author === undefined ? {} : { author }),
    ...(date === undefined ? {} : { date }),
    ...(typeof raw['entropy'] === 'number' ? { entropy: raw['entropy'] } : {}),
  };
}
