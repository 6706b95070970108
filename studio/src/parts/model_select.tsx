import { useId } from 'preact/hooks';
import type { Model } from '../lib/types';

/* Which model; when there is but one, its name. */
export function ModelSelect({ models, value, onChange }: { models: Model[]; value: string; onChange: (id: string) => void }) {
  const id = useId();
  if (models.length === 1) {
    return (
      <p class="model">
        <span class="soft">Model</span> {value}
      </p>
    );
  }
  return (
    <p class="model">
      <label for={id} class="soft">
        Model
      </label>{' '}
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {models.map((model) => (
          <option key={model.id} value={model.id}>
            {model.id}
          </option>
        ))}
      </select>
    </p>
  );
}
