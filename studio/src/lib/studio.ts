/* What the panels share: the models within reach, and the way from one panel to another. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { PanelName } from './address';
import type { Resource } from './resource';
import type { Features, Model } from './types';

/* Something that another panel, or the address, wants of a panel; each time with a new id. */
export interface Errand {
  id: number;
  panel: PanelName;
  values: Record<string, string>;
  text?: string; /* too long for an address */
}

export interface Studio {
  models: Resource<Model[]>;
  reloadModels: () => void;
  features: Features; /* nothing while the models are not there */
  errand: Errand | null;
  go: (panel: PanelName, values?: Record<string, string>, text?: string) => void;
}

export const StudioContext = createContext<Studio | null>(null);

export function useStudio(): Studio {
  const studio = useContext(StudioContext);
  if (studio === null) throw new Error('a panel stands outside of the studio');
  return studio;
}
