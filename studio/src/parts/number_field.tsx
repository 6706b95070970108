interface NumberFieldProps {
  label: string;
  value: number;
  least: number;
  most: number;
  isWhole?: boolean;
  onChange: (value: number) => void;
}

/* A whole number, or any. What is typed counts as soon as it is one within the limits; what is not one is gone when the
 * field is left. */
export function NumberField({ label, value, least, most, isWhole = true, onChange }: NumberFieldProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="number"
        min={least}
        max={most}
        step={isWhole ? 1 : 'any'}
        value={value}
        onInput={(event) => {
          const typed = event.currentTarget.valueAsNumber;
          if ((isWhole ? Number.isInteger(typed) : Number.isFinite(typed)) && typed >= least && typed <= most) onChange(typed);
        }}
        onBlur={(event) => {
          event.currentTarget.value = String(value);
        }}
      />
    </label>
  );
}
