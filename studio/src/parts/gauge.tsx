import { likelihood, percent } from '../lib/numbers';

interface GaugeProps {
  probability: number;
  threshold: number | null; /* from where on the standard calls something true; null: it does not say */
}

const RADIUS = 100;

function arc(from: number, to: number): string {
  const at = (share: number): string => {
    const angle = Math.PI * (1 - Math.min(1, Math.max(0, share)));
    return `${(120 + RADIUS * Math.cos(angle)).toFixed(2)} ${(116 - RADIUS * Math.sin(angle)).toFixed(2)}`;
  };
  return `M${at(from)}A${RADIUS} ${RADIUS} 0 0 1 ${at(to)}`;
}

/* How likely it is, from false at the left to true at the right; what lies between the standard's thresholds is
 * neither. */
export function Gauge({ probability, threshold }: GaugeProps) {
  const words = likelihood(probability);
  const edge = threshold !== null && threshold > 0.5 && threshold < 1 ? threshold : null;
  return (
    <div
      class="gauge"
      role="meter"
      aria-label="Probability that it is true"
      aria-valuemin={0}
      aria-valuemax={1}
      aria-valuenow={Number(probability.toFixed(3))}
      aria-valuetext={`${percent(probability)}, ${words}`}
    >
      <svg viewBox="0 0 240 128" aria-hidden="true">
        {edge === null ? (
          <path class="gauge-zone" d={arc(0, 1)} />
        ) : (
          <>
            <path class="gauge-zone gauge-false" d={arc(0, 1 - edge - 0.006)} />
            <path class="gauge-zone" d={arc(1 - edge + 0.006, edge - 0.006)} />
            <path class="gauge-zone gauge-true" d={arc(edge + 0.006, 1)} />
          </>
        )}
        {/* Turned, not redrawn, so that it can glide. */}
        <g class="gauge-hand" style={{ transform: `rotate(${(probability * 180).toFixed(1)}deg)` }}>
          <line x1="46" y1="116" x2="10" y2="116" />
        </g>
      </svg>
      <p class="gauge-number" aria-hidden="true">
        {percent(probability)}
      </p>
      <p class="gauge-words" aria-hidden="true">
        {words}
      </p>
    </div>
  );
}
