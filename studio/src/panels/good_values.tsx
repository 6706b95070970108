import { useEffect, useId, useState } from 'preact/hooks';
import { call, isAbort, messageOf } from '../lib/api';
import { percent, signed } from '../lib/numbers';
import { useResource } from '../lib/resource';
import type { Direction, Grant, Model, ValuesSpace } from '../lib/types';
import { Notice } from '../parts/notice';
import { Slider } from '../parts/slider';

interface ValuesProps {
  model: Model;
  values: Record<string, number>;
  onChange: (change: (values: Record<string, number>) => Record<string, number>) => void;
}

const WAIT = 250; /* ms after the last movement of a slider */

function ends(direction: Direction): [string, string] {
  const [low = '', high = ''] = direction.name.split('-');
  return [direction.low ?? low, direction.high ?? high];
}

export function Values({ model, values, onChange }: ValuesProps) {
  const id = useId();
  const [space] = useResource<ValuesSpace>(`v1/values?model=${encodeURIComponent(model.id)}`);
  const [grant, setGrant] = useState<Grant | null>(null);
  const [wrong, setWrong] = useState('');
  const isWished = Object.values(values).some((value) => value !== 0);
  const wish = JSON.stringify(Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0)));

  useEffect(() => {
    if (!isWished) {
      setGrant(null);
      setWrong('');
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      call<Grant>('v1/values', { body: { model: model.id, values: JSON.parse(wish) as unknown }, signal: abort.signal }).then(
        (found) => {
          setGrant(found);
          setWrong('');
        },
        (error: unknown) => {
          if (!isAbort(error)) setWrong(messageOf(error));
        },
      );
    }, WAIT);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [wish, model.id]);

  if (space.state === 'loading') return null;
  if (space.state === 'failed') {
    return space.error.status === 404 ? null : <Notice>Values cannot be changed here: {space.error.message}</Notice>;
  }
  if (space.value.directions.length === 0) return null;
  const limit = Math.min(space.value.radius, 5);
  const profiles = (space.value.profiles ?? []).filter(
    (profile): profile is { name: string; values: Record<string, number> } => typeof profile === 'object' && profile.values !== undefined,
  );
  return (
    <section class="values" aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`}>Values</h3>
      <p class="hint">What it leans to. What the principles rest on stays as it is.</p>
      {profiles.length > 0 && (
        <div class="row">
          {profiles.map((profile) => (
            <button key={profile.name} type="button" class="button quiet" onClick={() => onChange(() => profile.values)}>
              {profile.name}
            </button>
          ))}
        </div>
      )}
      {space.value.directions.map((direction) => {
        const [low, high] = ends(direction);
        return (
          <Slider
            key={direction.name}
            label={
              <span class="unseen">
                {low} to {high}
              </span>
            }
            value={values[direction.name] ?? 0}
            min={-limit}
            max={limit}
            step={limit > 2 ? 0.1 : 0.05}
            say={(value) => signed(value)}
            low={low}
            high={high}
            onChange={(value) => onChange((before) => ({ ...before, [direction.name]: value }))}
          />
        );
      })}
      <p class="granted" role="status">
        {grant === null || !isWished ? (
          <span class="soft">Nothing is wished.</span>
        ) : (
          <>
            <strong>honoured {percent(grant.honoured)}</strong>
            {grant.projected && <span class="soft"> A part touched what is protected, and was left out.</span>}
            {grant.shortened && <span class="soft"> It reached further than is allowed, and was shortened.</span>}
          </>
        )}
      </p>
      {wrong !== '' && <p class="wrong">{wrong}</p>}
      {isWished && (
        <button type="button" class="button quiet" onClick={() => onChange(() => ({}))}>
          Back to the middle
        </button>
      )}
    </section>
  );
}
