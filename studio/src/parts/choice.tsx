import { useId } from 'preact/hooks';

interface ChoiceProps<T extends string> {
  label: string;
  isLabelUnseen?: boolean;
  options: readonly { value: T; name: string }[];
  value: T;
  onChange: (value: T) => void;
}

/* One of a few: radio buttons in a row. */
export function Choice<T extends string>({ label, isLabelUnseen, options, value, onChange }: ChoiceProps<T>) {
  const id = useId();
  return (
    <fieldset class="choice">
      <legend class={isLabelUnseen ? 'unseen' : ''}>{label}</legend>
      <div class="choice-row">
        {options.map((option) => (
          <label key={option.value} class={option.value === value ? 'chosen' : ''}>
            <input
              type="radio"
              class="unseen"
              name={id}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            {option.name}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
