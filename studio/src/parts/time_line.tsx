import { ticks, year } from '../lib/numbers';
import type { Years } from '../lib/types';

interface TimeLineProps {
  years: Years | null;
  first: number;
  last: number;
  label: string;
}

/* An interval of years on an axis that reaches from the corpus's first to its last year, or further where the
 * interval does. */
export function TimeLine({ years, first, last, label }: TimeLineProps) {
  const low = Math.min(first, years?.low ?? first);
  const high = Math.max(last, years?.high ?? last);
  const span = Math.max(1, high - low);
  const at = (value: number): string => `${(((value - low) / span) * 100).toFixed(2)}%`;
  const words = years === null ? 'not known yet' : `${year(years.median)}, 90 % between ${year(years.low)} and ${year(years.high)}`;
  return (
    <figure class="time-line" role="img" aria-label={`${label}: ${words}`}>
      <div class="time-words">
        {years === null ? (
          <span class="soft">–</span>
        ) : (
          <>
            <strong>{year(years.median)}</strong>
            <span class="soft">
              {' '}
              90&nbsp;%: {year(years.low)} to {year(years.high)}
            </span>
          </>
        )}
      </div>
      <div class="time-axis">
        {years !== null && (
          <>
            <span class="time-band" style={{ left: at(years.low), width: `${((years.high - years.low) / span) * 100}%` }} />
            <span class="time-median" style={{ left: at(years.median) }} />
          </>
        )}
        {ticks(low, high, 4).map((tick) => (
          <span class="time-tick" key={tick} style={{ left: at(tick) }}>
            <span>{year(tick)}</span>
          </span>
        ))}
      </div>
    </figure>
  );
}
