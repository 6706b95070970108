import { useEffect, useId, useMemo, useState } from 'preact/hooks';
import { scaleColour, seriesColour } from '../lib/colours';
import { nearestSpots } from '../lib/map';
import { percent, year } from '../lib/numbers';
import { useResource } from '../lib/resource';
import { useStudio } from '../lib/studio';
import type { Atlas, AtlasPoint, Model } from '../lib/types';
import { Combobox } from '../parts/combobox';
import { Failure, Gate } from '../parts/gate';
import { Loading, Notice } from '../parts/notice';
import { AtlasMap } from './atlas_map';
import { AtlasTable } from './atlas_table';

const WHAT = 'Looking at the atlas';

export function AtlasPanel() {
  return (
    <Gate layer="dream" title="Atlas" lede="Where the authors stand, and what that means." what={WHAT}>
      {(model) => <AtlasOf key={model.id} model={model} />}
    </Gate>
  );
}

function AtlasOf({ model }: { model: Model }) {
  const [atlas] = useResource<Atlas>(`v1/atlas?model=${encodeURIComponent(model.id)}`);
  if (atlas.state === 'loading') return <Loading what="Drawing the map" />;
  if (atlas.state === 'failed') return <Failure layer="dream" error={atlas.error} what={WHAT} />;
  if (atlas.value.points.length === 0) return <Notice>This model knows no authors.</Notice>;
  return <AtlasView atlas={atlas.value} />;
}

/* What the points can be coloured by: slots with numbers on a scale, those with words by their commonest words. */
export interface Colouring {
  name: string;
  colourOf: (point: AtlasPoint) => string;
  legend: { colour: string; text: string }[];
  isScale: boolean;
}

function colourings(points: AtlasPoint[]): Colouring[] {
  const names = new Set(points.flatMap((point) => Object.keys(point.slots ?? {})));
  return [...names].map((name): Colouring => {
    const values = points.map((point) => point.slots?.[name]);
    const numbers = values.filter((value): value is number => typeof value === 'number');
    if (numbers.length > 0 && numbers.length >= values.filter((value) => typeof value === 'string').length) {
      const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
      return {
        name,
        isScale: true,
        colourOf: (point) => {
          const value = point.slots?.[name];
          return typeof value === 'number' ? scaleColour((value - low) / (high - low || 1)) : 'var(--soft)';
        },
        legend: [0, 0.25, 0.5, 0.75, 1].map((share) => ({ colour: scaleColour(share), text: year(low + share * (high - low)) })),
      };
    }
    const times = new Map<string, number>();
    for (const value of values) if (typeof value === 'string') times.set(value, (times.get(value) ?? 0) + 1);
    const common = [...times].sort((a, b) => b[1] - a[1]).map(([word]) => word);
    const own = common.slice(0, 5);
    return {
      name,
      isScale: false,
      colourOf: (point) => {
        const index = own.indexOf(String(point.slots?.[name] ?? ''));
        return index < 0 ? 'var(--soft)' : seriesColour(index);
      },
      legend: [
        ...own.map((text, index) => ({ colour: seriesColour(index), text })),
        ...(common.length > own.length ? [{ colour: 'var(--soft)', text: 'others' }] : []),
      ],
    };
  });
}

function AtlasView({ atlas }: { atlas: Atlas }) {
  const { errand, go } = useStudio();
  const id = useId();
  const choices = useMemo(() => colourings(atlas.points), [atlas]);
  const [by, setBy] = useState(() => choices.find((choice) => choice.isScale)?.name ?? choices[0]?.name ?? '');
  const [chosen, setChosen] = useState(-1);
  const colouring = choices.find((choice) => choice.name === by) ?? null;
  const names = useMemo(() => atlas.points.map((point) => point.label), [atlas]);
  useEffect(() => {
    const author = errand?.panel === 'atlas' ? errand.values['author'] : undefined;
    if (author !== undefined) setChosen(names.indexOf(author));
  }, [errand?.id]);
  const dream = (index: number): void => {
    const point = atlas.points[index];
    if (point !== undefined) go('dream', { author: point.label });
  };
  return (
    <div class="atlas">
      <div class="atlas-tools">
        <Combobox
          label="Find"
          names={names}
          value={names[chosen] ?? ''}
          placeholder="Type a name"
          onChange={(name) => setChosen(names.indexOf(name))}
        />
        {choices.length > 0 && (
          <div class="field">
            <label for={id}>Coloured by</label>
            <select id={id} value={by} onChange={(event) => setBy(event.currentTarget.value)}>
              {choices.map((choice) => (
                <option key={choice.name} value={choice.name}>
                  {choice.name}
                </option>
              ))}
              <option value="">nothing</option>
            </select>
          </div>
        )}
        {colouring !== null && (
          <ul class="legend" aria-label={`Colours: ${colouring.name}`}>
            {colouring.legend.map(({ colour, text }) => (
              <li key={text}>
                <span class="swatch" style={{ background: colour }} /> {text}
              </li>
            ))}
          </ul>
        )}
      </div>
      <div class="atlas-sheet">
        <AtlasMap points={atlas.points} colouring={colouring} chosen={chosen} onChoose={setChosen} onDream={dream} />
        <Card atlas={atlas} chosen={chosen} onChoose={setChosen} onDream={dream} />
      </div>
      <Directions atlas={atlas} />
      <details class="atlas-list">
        <summary>The same as a table</summary>
        <AtlasTable points={atlas.points} />
      </details>
    </div>
  );
}

interface CardProps {
  atlas: Atlas;
  chosen: number;
  onChoose: (index: number) => void;
  onDream: (index: number) => void;
}

function Card({ atlas, chosen, onChoose, onDream }: CardProps) {
  const point = atlas.points[chosen];
  return (
    <aside class="atlas-card" aria-label="The chosen author" aria-live="polite">
      {point === undefined ? (
        <p class="soft">Choose a point: with the pointer, or with the arrow keys when the map has the focus.</p>
      ) : (
        <>
          <h3>{point.label}</h3>
          <dl>
            {Object.entries(point.slots ?? {}).map(([name, value]) =>
              value === null || value === undefined ? null : (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{typeof value === 'number' ? year(value) : value}</dd>
                </div>
              ),
            )}
          </dl>
          <p class="soft">Closest on this map</p>
          <ul class="near">
            {nearestSpots(atlas.points, chosen, 4).map((index) => (
              <li key={index}>
                <button type="button" class="link" onClick={() => onChoose(index)}>
                  {atlas.points[index]?.label}
                </button>
              </li>
            ))}
          </ul>
          <button type="button" class="button primary" onClick={() => onDream(chosen)}>
            Dream as this author
          </button>
        </>
      )}
    </aside>
  );
}

function Directions({ atlas }: { atlas: Atlas }) {
  if (atlas.components.length === 0) return null;
  return (
    <section class="atlas-directions" aria-labelledby="directions-title">
      <h3 id="directions-title">What the directions mean</h3>
      <div class="scroller" tabIndex={0} role="region" aria-label="Directions">
        <table>
          <thead>
            <tr>
              <th scope="col">Direction</th>
              <th scope="col" class="number">
                Variance
              </th>
              <th scope="col">Low end</th>
              <th scope="col">High end</th>
              <th scope="col">Goes along with</th>
            </tr>
          </thead>
          <tbody>
            {atlas.components.map((component, index) => (
              <tr key={index}>
                <th scope="row">{index === 0 ? '1, across' : index === 1 ? '2, up' : index + 1}</th>
                <td class="number">{percent(component.share)}</td>
                <td>{component.low.slice(0, 3).join(', ')}</td>
                <td>{component.high.slice(0, 3).join(', ')}</td>
                <td>{component.goes_with ?? ''}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
