import { useMemo, useState } from 'preact/hooks';
import { formatAddress } from '../lib/address';
import { fixed, year } from '../lib/numbers';
import type { AtlasPoint } from '../lib/types';

type Sort = { column: string; isDown: boolean };

/* The map for those who would rather read: each author with what is known, sorted by any column. */
export function AtlasTable({ points }: { points: AtlasPoint[] }) {
  const slots = useMemo(() => [...new Set(points.flatMap((point) => Object.keys(point.slots ?? {})))], [points]);
  const [sort, setSort] = useState<Sort>({ column: 'author', isDown: false });
  const value = (point: AtlasPoint, column: string): string | number => {
    if (column === 'author') return point.label;
    if (column === 'x' || column === 'y') return point[column];
    return point.slots?.[column] ?? '';
  };
  const sorted = useMemo(
    () =>
      [...points].sort((a, b) => {
        const [one, other] = [value(a, sort.column), value(b, sort.column)];
        const order =
          typeof one === 'number' && typeof other === 'number' ? one - other : String(one).localeCompare(String(other), 'en');
        return sort.isDown ? -order : order;
      }),
    [points, sort],
  );
  const head = (column: string, name: string, isNumber: boolean) => (
    <th
      key={column}
      scope="col"
      class={isNumber ? 'number' : ''}
      aria-sort={sort.column === column ? (sort.isDown ? 'descending' : 'ascending') : 'none'}
    >
      <button type="button" class="sort" onClick={() => setSort({ column, isDown: sort.column === column && !sort.isDown })}>
        {name}
        <span aria-hidden="true">{sort.column === column ? (sort.isDown ? ' ↓' : ' ↑') : ''}</span>
      </button>
    </th>
  );
  return (
    <div class="scroller tall" tabIndex={0} role="region" aria-label="Table of authors">
      <table>
        <thead>
          <tr>
            {head('author', 'Author', false)}
            {slots.map((slot) => head(slot, slot, points.some((point) => typeof point.slots?.[slot] === 'number')))}
            {head('x', 'Across', true)}
            {head('y', 'Up', true)}
          </tr>
        </thead>
        <tbody>
          {sorted.map((point) => (
            <tr key={point.label}>
              <th scope="row">
                <a href={formatAddress('dream', { author: point.label })} title={`Dream as ${point.label}`}>
                  {point.label}
                </a>
              </th>
              {slots.map((slot) => {
                const found = point.slots?.[slot];
                return (
                  <td key={slot} class={typeof found === 'number' ? 'number' : ''}>
                    {typeof found === 'number' ? year(found) : (found ?? '')}
                  </td>
                );
              })}
              <td class="number">{fixed(point.x, 2)}</td>
              <td class="number">{fixed(point.y, 2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
