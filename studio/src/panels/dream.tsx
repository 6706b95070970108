import { useEffect, useId, useMemo, useState } from 'preact/hooks';
import { emptyForm, incomplete, toHandle, type HandleForm } from '../lib/handle';
import { parsePlace } from '../lib/place';
import { useResource } from '../lib/resource';
import { placeSlot } from '../lib/slots';
import { useStudio } from '../lib/studio';
import type { Atlas, Model } from '../lib/types';
import { useWriting } from '../lib/writing';
import { Choice } from '../parts/choice';
import { Gate } from '../parts/gate';
import { Notice } from '../parts/notice';
import { NumberField } from '../parts/number_field';
import { Slider } from '../parts/slider';
import { HandleEditor } from './dream_handle';
import { Leaf } from './dream_leaf';
import { RunButton } from '../parts/run_button';

const WHAT = 'Writing as somebody';

export function DreamPanel() {
  return (
    <Gate layer="dream" title="Dream" lede="Write as anyone, anywhen." what={WHAT}>
      {(model) => <Dream key={model.id} model={model} />}
    </Gate>
  );
}

interface Settings {
  prompt: string;
  tokens: number;
  temperature: number;
  seed: number;
}

function Dream({ model }: { model: Model }) {
  const { errand } = useStudio();
  const [atlas] = useResource<Atlas>(`v1/atlas?model=${encodeURIComponent(model.id)}`);
  const [forms, setForms] = useState<[HandleForm, HandleForm]>([emptyForm(), emptyForm()]);
  const [isCompared, setCompared] = useState(false);
  const [editing, setEditing] = useState<0 | 1>(0);
  const [settings, setSettings] = useState<Settings>({ prompt: 'The state of the Union', tokens: 120, temperature: 0.8, seed: 1 });
  const [missing, setMissing] = useState<string | null>(null);
  const [left, writeLeft, stopLeft] = useWriting(isCompared ? 'Text A' : 'The text');
  const [right, writeRight, stopRight] = useWriting('Text B');
  const [written, setWritten] = useState<{ forms: [HandleForm, HandleForm]; prompt: string } | null>(null);
  const isWriting = left.state === 'writing' || right.state === 'writing';

  const change = (at: 0 | 1, changed: Partial<HandleForm>): void => {
    setMissing(null);
    setForms(([a, b]) => (at === 0 ? [{ ...a, ...changed }, b] : [a, { ...b, ...changed }]));
  };

  /* What the address or another panel asks for: #dream?author=NAME&date=YEAR&place=LATITUDE,LONGITUDE, or a text to write like. */
  useEffect(() => {
    if (errand === null || errand.panel !== 'dream') return;
    const { author, date, place } = errand.values;
    if (author === undefined && date === undefined && place === undefined && errand.text === undefined) return;
    const form = emptyForm();
    if (errand.text !== undefined) Object.assign(form, { who: 'like', like: errand.text });
    if (author !== undefined) Object.assign(form, { who: 'author', author });
    if (date !== undefined && Number.isFinite(Number(date)) && date !== '') form.date = Number(date);
    if (place !== undefined && placeSlot(model) !== null) form.place = parsePlace(place);
    change(0, form);
    setEditing(0);
  }, [errand?.id]);

  const write = (): void => {
    const used = isCompared ? forms : forms.slice(0, 1);
    const wrong = used.map(incomplete).find((reason) => reason !== null) ?? null;
    setMissing(wrong);
    if (wrong !== null) return;
    setWritten({ forms, prompt: settings.prompt });
    const body = (form: HandleForm): object => {
      const handle = toHandle(form, placeSlot(model)?.name);
      return {
        model: model.id,
        prompt: settings.prompt,
        max_tokens: settings.tokens,
        temperature: settings.temperature,
        seed: settings.seed,
        stream: true,
        reading: true,
        ...(handle === undefined ? {} : { handle }),
      };
    };
    void writeLeft(body(forms[0]));
    if (isCompared) void writeRight(body(forms[1]));
  };
  const stop = (): void => {
    stopLeft();
    stopRight();
  };
  const dates = useMemo(
    () => (atlas.state === 'there' && atlas.value.dates ? atlas.value.dates : { first: 1790, last: 2020 }),
    [atlas],
  );

  return (
    <div class="dream">
      <form
        class="dream-controls"
        aria-label="As whom, and when"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isWriting) write();
        }}
      >
        <label class="check">
          <input type="checkbox" checked={isCompared} onChange={(event) => setCompared(event.currentTarget.checked)} />
          <span>Compare two, side by side</span>
        </label>
        {isCompared && (
          <Choice
            label="Which is changed here"
            options={[
              { value: '0', name: 'A' },
              { value: '1', name: 'B' },
            ]}
            value={String(editing) as '0' | '1'}
            onChange={(value) => setEditing(value === '0' ? 0 : 1)}
          />
        )}
        {atlas.state === 'failed' && atlas.error.status !== 404 && (
          <Notice>The atlas cannot be had, so authors cannot be chosen: {atlas.error.message}</Notice>
        )}
        <HandleEditor
          key={isCompared ? editing : 0}
          model={model}
          atlas={atlas.state === 'there' ? atlas.value : null}
          dates={dates}
          form={forms[isCompared ? editing : 0]}
          onChange={(changed) => change(isCompared ? editing : 0, changed)}
        />
      </form>
      <div class="dream-desk">
        <WriteForm
          settings={settings}
          onChange={(changed) => setSettings((before) => ({ ...before, ...changed }))}
          isWriting={isWriting}
          onWrite={write}
          onStop={stop}
          missing={missing}
        />
        <div class={isCompared ? 'leaves two' : 'leaves'}>
          <Leaf
            model={model}
            name={isCompared ? 'A' : ''}
            form={written?.forms[0] ?? forms[0]}
            prompt={written?.prompt ?? settings.prompt}
            writing={left}
            dates={dates}
          />
          {isCompared && (
            <Leaf
              model={model}
              name="B"
              form={written?.forms[1] ?? forms[1]}
              prompt={written?.prompt ?? settings.prompt}
              writing={right}
              dates={dates}
            />
          )}
        </div>
      </div>
    </div>
  );
}

interface WriteFormProps {
  settings: Settings;
  onChange: (changed: Partial<Settings>) => void;
  isWriting: boolean;
  onWrite: () => void;
  onStop: () => void;
  missing: string | null;
}

function WriteForm({ settings, onChange, isWriting, onWrite, onStop, missing }: WriteFormProps) {
  const id = useId();
  return (
    <form
      class="write"
      aria-label="What to write"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isWriting) onWrite();
      }}
    >
      <label class="field" for={`${id}-prompt`}>
        <span>Begin with</span>
        <textarea
          id={`${id}-prompt`}
          rows={2}
          value={settings.prompt}
          onInput={(event) => onChange({ prompt: event.currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            if (!isWriting) onWrite();
          }}
        />
      </label>
      <div class="write-row">
        <NumberField label="Tokens" least={1} most={4096} value={settings.tokens} onChange={(tokens) => onChange({ tokens })} />
        <NumberField label="Seed" least={0} most={2147483647} value={settings.seed} onChange={(seed) => onChange({ seed })} />
        <Slider
          label="Temperature"
          value={settings.temperature}
          min={0}
          max={2}
          step={0.05}
          say={(value) => value.toFixed(2)}
          onChange={(temperature) => onChange({ temperature })}
        />
        <RunButton name="Write" isRunning={isWriting} onStop={onStop} />
      </div>
      {missing !== null && (
        <p class="wrong" role="alert">
          {missing}
        </p>
      )}
    </form>
  );
}
