import { percent } from '../lib/numbers';
import { seriesColour } from '../lib/colours';
import type { Guess } from '../lib/types';

interface BarsProps {
  guesses: Guess[];
  label: string;
  /* The colour of a label; without: all the same. */
  colourOf?: (label: string) => string;
}

/* Who is how likely: a list that can be read without seeing the bars. */
export function Bars({ guesses, label, colourOf }: BarsProps) {
  return (
    <ol class="bars" aria-label={label}>
      {guesses.map((guess) => (
        <li key={guess.label}>
          <span class="bar-label">{guess.label}</span>
          <span class="bar-number">{percent(guess.probability)}</span>
          <span class="bar-track" aria-hidden="true">
            <span
              class="bar-fill"
              style={{
                transform: `scaleX(${Math.max(0.004, Math.min(1, guess.probability))})`,
                background: colourOf ? colourOf(guess.label) : seriesColour(0),
              }}
            />
          </span>
        </li>
      ))}
    </ol>
  );
}

/* The likeliest, and all others of `total` together, whether they are among the guesses or not. */
export function foldGuesses(guesses: Guess[], wanted: number, total: number): Guess[] {
  const sorted = [...guesses].sort((a, b) => b.probability - a.probability);
  const all = Math.max(total, sorted.length);
  if (all <= wanted + 1 && sorted.length === all) return sorted;
  const shown = sorted.slice(0, wanted);
  const rest = Math.max(0, 1 - shown.reduce((sum, guess) => sum + guess.probability, 0));
  return [...shown, { label: `${all - shown.length} others`, probability: rest }];
}
