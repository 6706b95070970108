import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useStudio } from '../lib/studio';
import type { Layer, Model } from '../lib/types';
import { ModelSelect } from './model_select';
import { Loading, NoAccess, Notice } from './notice';

interface GateProps {
  layer: Layer;
  title: string;
  lede: string;
  what: string; /* what cannot be done without the layer, as a sentence begins */
  children: (model: Model) => ComponentChildren;
}

/* A panel with its title, shown when a model with its layer is within reach. */
export function Gate({ layer, title, lede, what, children }: GateProps) {
  const { models, reloadModels } = useStudio();
  const [chosen, setChosen] = useState('');
  const fitting = models.state === 'there' ? models.value.filter((model) => model.layer === layer) : [];
  const model = fitting.find(({ id }) => id === chosen) ?? fitting[0];
  return (
    <>
      <header class="panel-head">
        <h2>{title}</h2>
        <p class="lede">{lede}</p>
        {model !== undefined && <ModelSelect models={fitting} value={model.id} onChange={setChosen} />}
      </header>
      {models.state === 'loading' && <Loading what="Asking the server what it has" />}
      {models.state === 'failed' && (
        <>
          <NoAccess layer={layer} error={models.error} what={what} />
          {models.error.status !== 401 && (
            <button type="button" class="button" onClick={reloadModels}>
              Try again
            </button>
          )}
        </>
      )}
      {models.state === 'there' && model === undefined && <NoAccess layer={layer} error={null} what={what} />}
      {model !== undefined && children(model)}
    </>
  );
}

/* An error where it happened: of access with what can be done, others as they are. */
export function Failure({ layer, error, what }: { layer: Layer; error: { status: number; message: string } & Error; what: string }) {
  if (error.status === 401 || error.status === 403) return <NoAccess layer={layer} error={error} what={what} />;
  return <Notice kind="error">{error.message}</Notice>;
}
