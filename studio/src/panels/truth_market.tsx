import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { historyWords, marketListPath, marketPath, placeOfDay, thin, verdictWords } from '../lib/market';
import { count, percent, signed } from '../lib/numbers';
import { useResource } from '../lib/resource';
import type { MarketHistory, MarketReply, MarketSentence, MarketSentences, Model } from '../lib/types';
import { LineChart } from '../parts/line_chart';

const MOST_ROWS = 60; /* of the table beside the chart */
const MOST_LISTED = 20;
const WAIT = 250; /* ms after the last letter */

/* What the model's market thought of a statement, day by day; nothing where it has no such sentence. */
export function PriceHistory({ model, statement }: { model: Model; statement: string }) {
  const [reply] = useResource<MarketReply>(model.market ? marketPath(model.id, statement) : null);
  if (!model.market || reply.state === 'loading') return null;
  if (reply.state === 'failed') return <p class="hint">The market could not be asked: {reply.error.message}</p>;
  const { sentence } = reply.value;
  return sentence === null ? null : <HistoryView key={sentence.text} history={sentence} />;
}

function HistoryView({ history }: { history: MarketHistory }) {
  const id = useId();
  const { prices, traders } = history;
  const last = prices.length - 1;
  const [position, setPosition] = useState(last);
  const words = historyWords(history);
  const at = (place: number): string => {
    const point = prices[place];
    return point === undefined ? '' : `Day ${point.day}: ${percent(point.price)}`;
  };
  const verdictAt = history.verdict === null || !history.day ? -1 : placeOfDay(prices, history.day);
  return (
    <section class="prices-of" aria-labelledby={`${id}-title`}>
      <h4 id={`${id}-title`}>What the market thought</h4>
      <p>{words}</p>
      {prices.length > 1 && (
        <>
          <LineChart
            lines={[{ name: 'price', colour: 'var(--series-1)', values: prices.map(({ price }) => price) }]}
            low={0}
            high={1}
            label={`Price by day. ${words}`}
            say={percent}
            place="Day"
            marked={verdictAt}
            position={position}
            onPosition={setPosition}
            sayPosition={at}
          />
          <p class="prices-here">
            <span class="number">{at(position)}</span>
            {verdictAt >= 0 && <span class="soft">The broken line: its verdict became known.</span>}
          </p>
          <details>
            <summary>The same as a table</summary>
            <div class="scroller tall" tabIndex={0} role="region" aria-label="Table of prices">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Day</th>
                    <th scope="col" class="number">
                      Price
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {thin(prices, MOST_ROWS).map(({ day, price }) => (
                    <tr key={day}>
                      <th scope="row">{day}</th>
                      <td class="number">{percent(price)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
      {traders.length > 0 && <Traders traders={traders} />}
    </section>
  );
}

/* A market of beliefs or one of shares: traders have the one or the other. */
function Traders({ traders }: { traders: MarketHistory['traders'] }) {
  const hasBeliefs = traders.some(({ belief }) => belief !== undefined);
  return (
    <div class="scroller" tabIndex={0} role="region" aria-label="Table of traders">
      <table>
        <caption>Its wealthiest traders</caption>
        <thead>
          <tr>
            <th scope="col">Trader</th>
            <th scope="col" class="number">
              {hasBeliefs ? 'Wealth' : 'Budgets left'}
            </th>
            <th scope="col" class="number">
              {hasBeliefs ? 'Believes' : 'Shares'}
            </th>
          </tr>
        </thead>
        <tbody>
          {traders.map(({ name, wealth, belief, shares }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number">{wealth === null ? '–' : percent(wealth)}</td>
              <td class="number">{belief !== undefined ? percent(belief) : shares !== undefined ? signed(shares, 2) : '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/* Sentences of the market, found by their words, to be judged. */
export function MarketPicker({ model, onPick }: { model: Model; onPick: (sentence: MarketSentence) => void }) {
  const id = useId();
  const box = useRef<HTMLDetailsElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const [search, setSearch] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed), WAIT);
    return () => clearTimeout(timer);
  }, [typed]);
  const [reply] = useResource<MarketSentences>(isOpen ? marketListPath(model.id, search, MOST_LISTED) : null);
  /* The list stays while the next is fetched. */
  const kept = useRef<MarketSentences | null>(null);
  if (reply.state === 'there') kept.current = reply.value;
  if (!model.market) return null;
  const found = kept.current;
  const pick = (sentence: MarketSentence): void => {
    if (box.current !== null) box.current.open = false;
    onPick(sentence);
  };
  return (
    <details class="market-picker" ref={box} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>A sentence from the market</summary>
      <div class="market-found">
        <label class="field" for={`${id}-search`}>
          <span>Words that it has</span>
          <input
            id={`${id}-search`}
            type="text"
            autocomplete="off"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        {reply.state === 'failed' && <p class="wrong">{reply.error.message}</p>}
        {found !== null && (
          <>
            <p class="hint" role="status">
              {found.found === 0
                ? 'No sentence has these words.'
                : found.found > found.sentences.length
                  ? `${found.sentences.length} of ${count(found.found, 'sentence')}; type to find others`
                  : count(found.found, 'sentence')}
            </p>
            <ul class="market-list">
              {found.sentences.map((sentence) => (
                <li key={`${sentence.name} ${sentence.text}`}>
                  <button type="button" class="history-entry" onClick={() => pick(sentence)}>
                    <span class="history-number">{sentence.price === null ? '–' : percent(sentence.price)}</span>
                    <span>
                      {sentence.text} <span class="soft">{verdictWords(sentence) ?? ''}</span>
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </details>
  );
}
