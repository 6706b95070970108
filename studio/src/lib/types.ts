/* What the server says, as far as the page uses it. */

export type Layer = 'dream' | 'truth' | 'good';

export interface Slot {
  name: string;
  kind: 'categorical' | 'date' | 'place';
  labels?: number;
  region?: Region; /* of a place: where it can be */
}

/* All within so many degrees of a place; 180: the whole world. */
export interface Region {
  latitude: number;
  longitude: number;
  radius: number;
}

export interface Model {
  id: string;
  layer: Layer;
  slots: Slot[];
  context?: number;
  chat?: boolean;
  market?: boolean; /* there is a record of a market to ask */
}

/* What else there is for whoever asks. */
export interface Features {
  conversations: boolean;
  jobs: boolean;
  markets: boolean;
}

export interface ModelList {
  data?: Model[];
  trine?: Partial<Features>;
}

export interface Guess {
  label: string;
  probability: number;
}

export interface Years {
  median: number;
  low: number;
  high: number;
}

export interface Location {
  latitude: number;
  longitude: number;
}

export interface PlaceBelief extends Location {
  kilometres_50: number;
  kilometres_90: number;
  places: (Location & { kilometres: number; probability: number })[];
}

export type Belief = Guess[] | Years | PlaceBelief | number;

/* What the running handle makes of a text that is being written: of each slot, but for those that were told, and
 * the number of tokens. */
export type Reading = Record<string, Belief>;

export interface CompletionEvent {
  choices?: { text?: string; finish_reason?: string | null }[];
  reading?: Reading;
  error?: { message?: string };
}

export type SlotReading =
  | { kind: 'categorical'; labels: Guess[]; entropy: number }
  | ({ kind: 'date' } & Years)
  | ({ kind: 'place' } & PlaceBelief);

/* {"text", SLOT: belief, ..., "entropy"} as it is sent; lib/slots.ts makes a PathStep of it. */
export type RawStep = Record<string, unknown>;

export interface PathStep {
  text: string;
  author?: Guess[];
  date?: Years;
  entropy?: number;
}

export interface ReadReply {
  tokens: number;
  slots: Record<string, SlotReading>;
  path?: RawStep[];
}

export interface AtlasPoint {
  label: string;
  x: number;
  y: number;
  slots?: Record<string, string | number | null>;
}

export interface Component {
  share: number;
  low: string[];
  high: string[];
  goes_with?: string | null;
}

export interface Atlas {
  points: AtlasPoint[];
  components: Component[];
  labels: Record<string, string[]>;
  dates?: { first: number; last: number } | null;
}

export interface Standard {
  name: string;
  description?: string;
  threshold?: number;
}

export interface Source {
  text: string;
  author?: string | null;
  date?: string | number | null;
  support?: number;
}

export interface Judgement {
  statement: string;
  probability: number;
  decided?: boolean | null;
  doubt?: number;
  standard: string;
  verdict: 'true' | 'false' | 'unknown';
  sources?: Source[];
  dissenters?: { author: string; probability: number }[];
  seconds?: number;
}

export interface AskReply {
  question: string;
  known: boolean;
  answers: { text: string; probability: number }[];
  sources?: Source[];
}

export interface MarketSentence {
  name: string;
  text: string;
  formula: boolean;
  price: number | null; /* on the last day */
  verdict: 'true' | 'false' | 'law' | null;
  day: number | null; /* on which that became known */
}

export interface MarketPrice {
  day: number;
  price: number;
}

export interface MarketHistory extends MarketSentence {
  prices: MarketPrice[];
  traders: { name: string; wealth: number | null; belief?: number; shares?: number }[]; /* the wealthiest first */
}

export interface MarketReply {
  sentence: MarketHistory | null;
}

export interface MarketSentences {
  found: number;
  sentences: MarketSentence[];
}

export interface Job {
  name: string;
  process?: number;
  done: number;
  total: number;
  text?: string;
  seconds_left?: number | null;
}

export interface Message {
  role: 'user' | 'assistant';
  content: string;
}

export interface Finding {
  screen?: number;
  principles?: Record<string, number | null>;
}

export interface Grant {
  honoured: number;
  projected?: boolean;
  shortened?: boolean;
}

export interface Trace {
  outcome?: string;
  odds?: number | null;
  request?: Finding | null;
  reply?: Finding | null;
  claims?: { text: string; probability: number | null; source?: string | null }[];
  values?: Grant | null;
}

export interface ChatEvent {
  choices?: { delta?: { content?: string | null }; finish_reason?: string | null }[];
  trine?: Trace;
  error?: { message?: string };
}

export interface Direction {
  name: string;
  low?: string;
  high?: string;
}

export interface ValuesSpace {
  radius: number;
  directions: Direction[];
  profiles?: (string | { name: string; values?: Record<string, number> })[];
}

export interface Conversation {
  id: string;
  title?: string;
  messages?: { role: string; content: string }[] | number; /* how many, in a list */
}
