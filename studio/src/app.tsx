import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatAddress, PANELS, parseAddress, type PanelName } from './lib/address';
import { useResource, type Resource } from './lib/resource';
import { StudioContext, type Errand, type Studio } from './lib/studio';
import type { Features, Model, ModelList } from './lib/types';
import { AtlasPanel } from './panels/atlas';
import { DreamPanel } from './panels/dream';
import { GoodPanel } from './panels/good';
import { ReadPanel } from './panels/read';
import { TruthPanel } from './panels/truth';
import { Announcer } from './parts/announcer';
import { Jobs } from './parts/jobs';
import { KeyDialog } from './parts/key_dialog';
import { ThemeButton } from './parts/theme_button';

const NAMES: Record<PanelName, string> = { dream: 'Dream', read: 'Read', atlas: 'Atlas', truth: 'Truth', good: 'Good' };
const CONTENT = { dream: DreamPanel, read: ReadPanel, atlas: AtlasPanel, truth: TruthPanel, good: GoodPanel };

function useModels(): [Resource<Model[]>, Features, () => void] {
  const [list, reload] = useResource<ModelList>('v1/models');
  const models = useMemo<Resource<Model[]>>(
    () => (list.state === 'there' ? { state: 'there', value: list.value.data ?? [] } : list),
    [list],
  );
  const features = useMemo<Features>(
    () => ({ conversations: false, jobs: false, markets: false, ...(list.state === 'there' ? list.value.trine : {}) }),
    [list],
  );
  return [models, features, reload];
}

/* The panel that the address names, and what it wants of it. */
function useAddress(): [PanelName, Errand | null, Studio['go']] {
  const first = parseAddress(location.hash);
  const [panel, setPanel] = useState<PanelName>(first?.panel ?? 'dream');
  const [errand, setErrand] = useState<Errand | null>(first === null ? null : { id: 0, ...first });
  const handed = useRef<string | undefined>(undefined);
  useEffect(() => {
    const follow = (): void => {
      const address = parseAddress(location.hash);
      if (address === null) return;
      setPanel(address.panel);
      const text = handed.current;
      handed.current = undefined;
      setErrand((before) => ({ id: (before?.id ?? 0) + 1, ...address, ...(text === undefined ? {} : { text }) }));
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const go = useCallback<Studio['go']>((next, values, text) => {
    handed.current = text;
    const hash = formatAddress(next, values);
    if (location.hash === hash) dispatchEvent(new HashChangeEvent('hashchange'));
    else location.hash = hash;
  }, []);
  return [panel, errand, go];
}

function Tabs({ panel }: { panel: PanelName }) {
  const tabs = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = PANELS.indexOf(panel);
    const last = PANELS.length - 1;
    const next = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    tabs.current?.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus();
    location.hash = formatAddress(PANELS[next] as PanelName);
  };
  return (
    <div ref={tabs} class="tabs">
      <div role="tablist" aria-label="Panels" onKeyDown={onKeyDown}>
        {PANELS.map((name) => (
          <a
            key={name}
            id={`tab-${name}`}
            role="tab"
            href={formatAddress(name)}
            aria-selected={name === panel}
            aria-controls={`panel-${name}`}
            tabIndex={name === panel ? 0 : -1}
          >
            {NAMES[name]}
          </a>
        ))}
      </div>
    </div>
  );
}

export function App() {
  const [models, features, reloadModels] = useModels();
  const [panel, errand, go] = useAddress();
  /* A panel lives from its first visit on, so that what it shows, or still writes, is there when one returns. */
  const visited = useRef(new Set<PanelName>());
  visited.current.add(panel);
  useEffect(() => {
    document.title = `${NAMES[panel]} · Trine`;
  }, [panel]);
  const studio = useMemo<Studio>(
    () => ({ models, features, reloadModels, errand, go }),
    [models, features, reloadModels, errand, go],
  );
  return (
    <StudioContext.Provider value={studio}>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault(); /* the address names the panel */
          document.getElementById(`panel-${panel}`)?.focus();
        }}
      >
        Skip to the panel
      </a>
      <header class="masthead">
        <h1>
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M16 6 5.500 25h21z" />
            <circle cx="16" cy="6" r="4" />
            <circle cx="5.500" cy="25" r="4" />
            <circle cx="26.500" cy="25" r="4" />
          </svg>
          Trine
        </h1>
        <Tabs panel={panel} />
        <div class="masthead-tools">
          <KeyDialog />
          <ThemeButton />
        </div>
      </header>
      <Jobs />
      <main id="main">
        {PANELS.map((name) => {
          const Content = CONTENT[name];
          return (
            <section
              key={name}
              id={`panel-${name}`}
              class={`panel panel-${name}`}
              role="tabpanel"
              aria-labelledby={`tab-${name}`}
              tabIndex={-1}
              hidden={name !== panel}
            >
              {visited.current.has(name) && <Content />}
            </section>
          );
        })}
      </main>
      <footer class="colophon">
        <p>
          This page speaks with its own server and nobody else. <a href="openapi.json">The server’s interface</a>
          {' · '}
          <a href="assets/licences.txt">Licences of what the page is made of</a>
        </p>
      </footer>
      <Announcer />
    </StudioContext.Provider>
  );
}
