import type { Turn } from '../lib/chatting';
import { percent, sureness } from '../lib/numbers';
import type { Finding, Trace } from '../lib/types';
import { Failure } from '../parts/gate';

const OUTCOMES: Record<string, string> = {
  replied: 'Replied',
  hedged: 'Replied with a reservation',
  dreamed: 'Invented: the dream wrote it',
  judged: 'Asked the truth layer',
  declined_request: 'Declined the request',
  declined_reply: 'Held back what it had begun to write',
};

export function TurnView({ turn }: { turn: Turn }) {
  if (turn.role === 'user') {
    return (
      <div class="turn turn-user">
        <span class="unseen">You: </span>
        <p>{turn.content}</p>
      </div>
    );
  }
  const outcome = turn.trace?.outcome ?? '';
  return (
    <div class={`turn turn-good outcome-${outcome}`} aria-busy={turn.state === 'writing'}>
      <span class="unseen">Reply: </span>
      {(turn.content !== '' || turn.state === 'writing') && (
        <p>
          {turn.content}
          {turn.state === 'writing' && <span class="caret" aria-hidden="true" />}
        </p>
      )}
      {turn.state === 'stopped' && <p class="soft">Stopped.</p>}
      {turn.state === 'finished' && turn.reason === 'length' && <p class="soft">It broke off: as long as it may be.</p>}
      {turn.error !== null && <Failure layer="good" error={turn.error} what="Talking with the good author" />}
      {turn.trace !== null && <Marks trace={turn.trace} />}
      {turn.trace !== null && <Why trace={turn.trace} />}
    </div>
  );
}

/* How sure it is, and what is special about the reply. */
function Marks({ trace }: { trace: Trace }) {
  const odds = trace.odds ?? null;
  const outcome = trace.outcome ?? '';
  return (
    <p class="marks">
      {odds !== null && (
        <span class="sure">
          <span class="sure-dial" aria-hidden="true" style={{ '--share': `${Math.round(odds * 100)}%` }} />
          {sureness(odds)}, {percent(odds)}
        </span>
      )}
      {outcome !== '' && outcome !== 'replied' && <span class={`outcome ${outcome}`}>{OUTCOMES[outcome] ?? outcome}</span>}
    </p>
  );
}

function Why({ trace }: { trace: Trace }) {
  const claims = trace.claims ?? [];
  return (
    <details class="why">
      <summary>Why</summary>
      <dl class="facts">
        <div>
          <dt>Outcome</dt>
          <dd>{OUTCOMES[trace.outcome ?? ''] ?? trace.outcome ?? 'not said'}</dd>
        </div>
        <div>
          <dt>Sure</dt>
          <dd>
            {trace.odds === null || trace.odds === undefined
              ? 'nothing is said of it'
              : `${percent(trace.odds)} that it is right`}
          </dd>
        </div>
        {trace.values && (
          <div>
            <dt>Values</dt>
            <dd>{percent(trace.values.honoured)} of the wish honoured</dd>
          </div>
        )}
      </dl>
      <Principles title="The request, by the principles" finding={trace.request ?? null} />
      <Principles title="The reply, by the principles" finding={trace.reply ?? null} />
      {claims.length > 0 && (
        <section>
          <h3>What it claims</h3>
          <ul class="claims">
            {claims.map((claim, index) => (
              <li key={index}>
                <span class="claim-number">{claim.probability === null ? '–' : percent(claim.probability)}</span>
                <span>
                  {claim.text}
                  {claim.source && <cite class="soft">{claim.source}</cite>}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </details>
  );
}

/* The price of each: how likely it is that the principle is broken. */
function Principles({ title, finding }: { title: string; finding: Finding | null }) {
  if (finding === null) return null;
  const prices = Object.entries(finding.principles ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  prices.sort((a, b) => b[1] - a[1]);
  return (
    <section>
      <h3>{title}</h3>
      <table class="prices">
        <thead class="unseen">
          <tr>
            <th scope="col">Principle</th>
            <th scope="col">How likely it is broken</th>
          </tr>
        </thead>
        <tbody>
          {finding.screen !== undefined && (
            <tr>
              <th scope="row">anything harmful</th>
              <td class="number">{percent(finding.screen)}</td>
            </tr>
          )}
          {prices.map(([name, price]) => (
            <tr key={name} class={price >= 0.5 ? 'bites' : ''}>
              <th scope="row">{name.replaceAll('-', ' ')}</th>
              <td class="number">{percent(price)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {prices.length === 0 && <p class="hint">Nothing was suspected, so the principles were not asked one by one.</p>}
    </section>
  );
}
