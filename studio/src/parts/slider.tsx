import { useId } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

interface SliderProps {
  label: ComponentChildren;
  value: number;
  min: number;
  max: number;
  step: number;
  onChange: (value: number) => void;
  say: (value: number) => string; /* shown, and read out */
  low?: string; /* what the ends mean */
  high?: string;
  disabled?: boolean;
  hint?: ComponentChildren;
}

export function Slider({ label, value, min, max, step, onChange, say, low, high, disabled, hint }: SliderProps) {
  const id = useId();
  const isTwoSided = min < 0 && max > 0;
  const share = (at: number): string => `${((at - min) / (max - min)) * 100}%`;
  return (
    <div class="slider">
      <div class="slider-head">
        <label for={id}>{label}</label>
        <output for={id}>{say(value)}</output>
      </div>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        disabled={disabled}
        aria-valuetext={say(value)}
        aria-describedby={hint || low || high ? `${id}-ends` : undefined}
        style={{
          '--from': isTwoSided ? share(Math.min(0, value)) : '0%',
          '--to': isTwoSided ? share(Math.max(0, value)) : share(value),
        }}
        onInput={(event) => onChange(Number(event.currentTarget.value))}
      />
      {(hint || low || high) && (
        <div class="slider-ends" id={`${id}-ends`}>
          {(low || high) && <span>{low}</span>}
          {(low || high) && <span class="slider-high">{high}</span>}
          {hint && <span class="slider-hint">{hint}</span>}
        </div>
      )}
    </div>
  );
}
