import { useId, useMemo, useState } from 'preact/hooks';
import type { HandleForm, Who } from '../lib/handle';
import { percent, signed, year } from '../lib/numbers';
import { rounded } from '../lib/place';
import { authorSlot, dateSlot, placeSlot } from '../lib/slots';
import type { Atlas, Component, Location, Model, Region } from '../lib/types';
import { Choice } from '../parts/choice';
import { Combobox } from '../parts/combobox';
import { MixturePad } from '../parts/mixture_pad';
import { PlaceMap } from '../parts/place_map';
import { Slider } from '../parts/slider';

interface HandleEditorProps {
  model: Model;
  atlas: Atlas | null;
  dates: { first: number; last: number };
  form: HandleForm;
  onChange: (changed: Partial<HandleForm>) => void;
}

const FIRST_DIRECTIONS = 3;
/* Years beyond the corpus's, at both ends of the slider: the curve of dates goes on there. */
const BEYOND = 20;

export function HandleEditor({ model, atlas, dates, form, onChange }: HandleEditorProps) {
  const who = authorSlot(model);
  const names = useMemo(
    () => atlas?.labels[who ?? ''] ?? atlas?.points.map((point) => point.label) ?? [],
    [atlas, who],
  );
  const others = model.slots.filter((slot) => slot.kind === 'categorical' && slot.name !== who);
  const hasDate = dateSlot(model) !== null;
  const where = placeSlot(model);
  const whos: { value: Who; name: string }[] = [
    { value: 'nobody', name: 'Anybody' },
    { value: 'author', name: 'An author' },
    { value: 'mixture', name: 'A mixture' },
    { value: 'like', name: 'A sample' },
  ];
  return (
    <div class="handle">
      <section aria-label="Who">
        <Choice label="Who" options={whos} value={form.who} onChange={(who) => onChange({ who })} />
        {form.who === 'nobody' && <p class="hint">Nobody is told: the model settles on somebody as it writes.</p>}
        {form.who === 'author' && (
          <Combobox
            label="Author"
            names={names}
            value={form.author}
            placeholder="Type a name"
            onChange={(author) => onChange({ author })}
          />
        )}
        {form.who === 'mixture' && (
          <MixturePad
            names={names}
            corners={form.corners}
            point={form.point}
            onChange={(corners, point) => onChange({ corners, point })}
          />
        )}
        {form.who === 'like' && (
          <label class="field">
            <span>A text by whom you mean</span>
            <textarea
              rows={5}
              value={form.like}
              placeholder="Paste some paragraphs"
              onInput={(event) => onChange({ like: event.currentTarget.value })}
            />
          </label>
        )}
        {others.map((slot) => (
          <TellSlot
            key={slot.name}
            name={slot.name}
            labels={atlas?.labels[slot.name] ?? []}
            value={form.tell[slot.name] ?? ''}
            onChange={(label) => onChange({ tell: { ...form.tell, [slot.name]: label } })}
          />
        ))}
      </section>
      {hasDate && <WhenEditor dates={dates} value={form.date} onChange={(date) => onChange({ date })} />}
      {where !== null && <WhereEditor region={where.region} value={form.place} onChange={(place) => onChange({ place })} />}
      {atlas !== null && atlas.components.length > 0 && (
        <DirectionEditor components={atlas.components} shifts={form.shifts} onChange={(shifts) => onChange({ shifts })} />
      )}
    </div>
  );
}

interface TellSlotProps {
  name: string;
  labels: string[];
  value: string;
  onChange: (label: string) => void;
}

function TellSlot({ name, labels, value, onChange }: TellSlotProps) {
  const id = useId();
  if (labels.length === 0) return null;
  return (
    <div class="field inline">
      <label for={id} class="slot-name">
        {name}
      </label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">not told</option>
        {labels.map((label) => (
          <option key={label} value={label}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

interface WhenEditorProps {
  dates: { first: number; last: number };
  value: number | null;
  onChange: (date: number | null) => void;
}

function WhenEditor({ dates, value, onChange }: WhenEditorProps) {
  const middle = Math.round((dates.first + dates.last) / 2);
  const [last, setLast] = useState(value ?? middle);
  const shown = value ?? last;
  const low = Math.min(Math.floor(dates.first) - BEYOND, shown);
  const high = Math.max(Math.ceil(dates.last) + BEYOND, shown);
  const isBeyond = value !== null && (value < dates.first || value > dates.last);
  const tell = (date: number): void => {
    setLast(date);
    onChange(date);
  };
  return (
    <section aria-label="When" class="when">
      <Choice
        label="When"
        options={[
          { value: 'any', name: 'Anywhen' },
          { value: 'told', name: 'A year' },
        ]}
        value={value === null ? 'any' : 'told'}
        onChange={(choice) => onChange(choice === 'any' ? null : last)}
      />
      {value !== null && (
        <Slider
          label="Year"
          value={shown}
          min={low}
          max={high}
          step={1}
          say={year}
          low={year(low)}
          high={year(high)}
          hint={isBeyond ? 'beyond what it has read' : undefined}
          onChange={tell}
        />
      )}
    </section>
  );
}

interface WhereEditorProps {
  region: Region | undefined;
  value: Location | null;
  onChange: (place: Location | null) => void;
}

function WhereEditor({ region, value, onChange }: WhereEditorProps) {
  const [last, setLast] = useState<Location>(value ?? rounded(region ?? { latitude: 0, longitude: 0 }, 1));
  const tell = (place: Location): void => {
    setLast(place);
    onChange(place);
  };
  return (
    <section aria-label="Where">
      <Choice
        label="Where"
        options={[
          { value: 'any', name: 'Anywhere' },
          { value: 'told', name: 'A place' },
        ]}
        value={value === null ? 'any' : 'told'}
        onChange={(choice) => onChange(choice === 'any' ? null : last)}
      />
      {value !== null && <PlaceMap region={region} value={value} onChange={tell} />}
    </section>
  );
}

interface DirectionEditorProps {
  components: Component[];
  shifts: number[];
  onChange: (shifts: number[]) => void;
}

function DirectionEditor({ components, shifts, onChange }: DirectionEditorProps) {
  const [showsAll, setShowsAll] = useState(false);
  const shown = showsAll ? components : components.slice(0, FIRST_DIRECTIONS);
  const isMoved = shifts.some((shift) => shift !== 0);
  const [isOpen, setOpen] = useState(isMoved);
  return (
    <details class="directions" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Move along a direction</summary>
      <p class="hint">In standard deviations of the authors. At the ends stand those who are furthest out.</p>
      {shown.map((component, index) => (
        <Slider
          key={index}
          label={
            <>
              Direction {index + 1}, {percent(component.share)} of the variance
            </>
          }
          value={shifts[index] ?? 0}
          min={-3}
          max={3}
          step={0.1}
          say={(value) => signed(value)}
          low={component.low.slice(0, 2).join(', ')}
          high={component.high.slice(0, 2).join(', ')}
          hint={component.goes_with ? `goes along with ${component.goes_with}` : undefined}
          onChange={(value) =>
            onChange(components.map((_, at) => (at === index ? value : (shifts[at] ?? 0))))
          }
        />
      ))}
      <div class="row">
        {components.length > FIRST_DIRECTIONS && (
          <button type="button" class="button quiet" onClick={() => setShowsAll(!showsAll)}>
            {showsAll ? 'Fewer directions' : `All ${components.length} directions`}
          </button>
        )}
        {isMoved && (
          <button type="button" class="button quiet" onClick={() => onChange([])}>
            Back to the middle
          </button>
        )}
      </div>
    </details>
  );
}
