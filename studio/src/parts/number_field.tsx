import { useLayoutEffect, useRef } from 'preact/hooks';

interface NumberFieldProps {
  label: string;
  value: number;
  least: number;
  most: number;
  isWhole?: boolean;
  onChange: (value: number) => void;
}

/* A whole number, or any. What is typed counts as soon as it is one within the limits; what is not one is gone when the
 * field is left. While somebody types nothing is put into the field: half a number would not survive it. */
export function NumberField({ label, value, least, most, isWhole = true, onChange }: NumberFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (field.current !== null && field.current !== document.activeElement) field.current.value = String(value);
  }, [value]);
  return (
    <label class="field">
      <span>{label}</span>
      <input
        ref={field}
        type="number"
        min={least}
        max={most}
        step={isWhole ? 1 : 'any'}
        onInput={(event) => {
          const typed = event.currentTarget.valueAsNumber;
          const isOne = isWhole ? Number.isInteger(typed) : Number.isFinite(typed);
          if (isOne && typed >= least && typed <= most) onChange(typed);
        }}
        onBlur={(event) => {
          event.currentTarget.value = String(value);
        }}
      />
    </label>
  );
}
