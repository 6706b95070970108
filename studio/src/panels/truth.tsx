import type { RefObject } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { announce } from '../lib/announce';
import { ApiError, call, isAbort, messageOf } from '../lib/api';
import { likelihood, percent } from '../lib/numbers';
import { useResource } from '../lib/resource';
import type { AskReply, Judgement, Model, Standard } from '../lib/types';
import { Bars } from '../parts/bars';
import { Choice } from '../parts/choice';
import { Failure, Gate } from '../parts/gate';
import { Gauge } from '../parts/gauge';
import { Loading } from '../parts/notice';
import { Sources } from '../parts/sources';
import { RunButton } from '../parts/run_button';
import { MarketPicker, PriceHistory } from './truth_market';

const WHAT = 'Asking for odds';

export function TruthPanel() {
  return (
    <Gate layer="truth" title="Truth" lede="What are the odds, and who would disagree?" what={WHAT}>
      {(model) => <Truth key={model.id} model={model} />}
    </Gate>
  );
}

type Kind = 'statement' | 'question';

type Entry = { id: number; standard: string } & (
  | { kind: 'statement'; asked: string; reply: Judgement }
  | { kind: 'question'; asked: string; reply: AskReply }
);

function Truth({ model }: { model: Model }) {
  const [standards] = useResource<{ standards: Standard[] }>(`v1/standards?model=${encodeURIComponent(model.id)}`);
  const [kind, setKind] = useState<Kind>('statement');
  const [isFormula, setFormula] = useState(false);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState('');
  const [isAsking, setAsking] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [history, setHistory] = useState<Entry[]>([]); /* the latest first; gone with the page */
  const [shown, setShown] = useState<number | null>(null);
  const abort = useRef<AbortController | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const known = standards.state === 'there' ? standards.value.standards : [];
  const standard = known.find(({ name }) => name === chosen) ?? known.find(({ name }) => name === 'plain') ?? known[0];

  const ask = async (): Promise<void> => {
    const asked = text.trim();
    abort.current?.abort();
    const mine = new AbortController();
    abort.current = mine;
    setAsking(true);
    setError(null);
    const common = { model: model.id, ...(standard ? { standard: standard.name } : {}) };
    const entry = { id: (history[0]?.id ?? 0) + 1, standard: standard?.name ?? '', asked };
    try {
      if (kind === 'statement') {
        const reply = await call<Judgement>('v1/judge', { body: { ...common, [isFormula ? 'formula' : 'statement']: asked }, signal: mine.signal });
        setHistory((before) => [{ ...entry, kind, reply }, ...before]);
        announce(`${percent(reply.probability)}, ${likelihood(reply.probability)}. Verdict: ${reply.verdict}.`);
      } else {
        const reply = await call<AskReply>('v1/ask', { body: { ...common, question: asked, candidates: 8, seed: 1 }, signal: mine.signal });
        setHistory((before) => [{ ...entry, kind, reply }, ...before]);
        announce(reply.answers[0] ? `${reply.answers[0].text}, ${percent(reply.answers[0].probability)}` : 'No answer.');
      }
      setShown(entry.id);
    } catch (wrong) {
      if (!isAbort(wrong)) setError(wrong instanceof ApiError ? wrong : new ApiError(0, messageOf(wrong)));
    } finally {
      if (abort.current === mine) setAsking(false);
    }
  };
  const entry = history.find(({ id }) => id === shown) ?? null;
  return (
    <div class="truth">
      <div class="truth-desk">
        <TruthForm
          kind={kind}
          onKind={setKind}
          isFormula={isFormula}
          onFormula={setFormula}
          field={field}
          text={text}
          onText={setText}
          standards={known}
          standard={standard ?? null}
          onStandard={setChosen}
          isAsking={isAsking}
          onAsk={() => void ask()}
          onStop={() => abort.current?.abort()}
        />
        <MarketPicker
          model={model}
          onPick={(sentence) => {
            setKind('statement');
            setFormula(sentence.formula);
            setText(sentence.text);
            field.current?.focus();
          }}
        />
        {standards.state === 'failed' && <Failure layer="truth" error={standards.error} what={WHAT} />}
        {error !== null && <Failure layer="truth" error={error} what={WHAT} />}
        {isAsking && <Loading what="Weighing it" />}
        {entry !== null && !isAsking && (
          <article class="verdict" aria-label={`Result: ${entry.asked}`}>
            {entry.kind === 'statement' ? (
              <JudgementView
                model={model}
                reply={entry.reply}
                standard={known.find(({ name }) => name === entry.reply.standard) ?? null}
              />
            ) : (
              <AnswersView reply={entry.reply} standard={entry.standard} />
            )}
          </article>
        )}
      </div>
      <section class="history" aria-labelledby="history-title">
        <h3 id="history-title">Asked in this session</h3>
        {history.length === 0 ? (
          <p class="soft">Nothing yet.</p>
        ) : (
          <ol>
            {history.map((one) => (
              <li key={one.id}>
                <button type="button" class="history-entry" aria-current={one.id === shown} onClick={() => setShown(one.id)}>
                  <span class="history-number">
                    {percent(one.kind === 'statement' ? one.reply.probability : (one.reply.answers[0]?.probability ?? NaN))}
                  </span>
                  <span>
                    {one.asked} <span class="soft">{one.standard}</span>
                  </span>
                </button>
              </li>
            ))}
          </ol>
        )}
      </section>
    </div>
  );
}

interface TruthFormProps {
  kind: Kind;
  onKind: (kind: Kind) => void;
  isFormula: boolean;
  onFormula: (is: boolean) => void;
  field: RefObject<HTMLTextAreaElement | null>;
  text: string;
  onText: (text: string) => void;
  standards: Standard[];
  standard: Standard | null;
  onStandard: (name: string) => void;
  isAsking: boolean;
  onAsk: () => void;
  onStop: () => void;
}

const PLACEHOLDERS = {
  Statement: 'Light is a wave in the ether that fills all space.',
  Formula: '"The moon is made of cheese." implies not "The moon is made of rock."',
  Question: 'Who was president in 1863?',
};

function TruthForm(props: TruthFormProps) {
  const { kind, onKind, isFormula, onFormula, field, text, onText, standards, standard, onStandard, isAsking, onAsk, onStop } = props;
  const id = useId();
  const what = kind === 'question' ? 'Question' : isFormula ? 'Formula' : 'Statement';
  const submit = (): void => {
    if (text.trim() !== '' && !isAsking) onAsk();
  };
  return (
    <form
      class="truth-form"
      aria-label="What to judge"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div class="truth-options">
        <Choice<Kind>
          label="This is a"
          options={[
            { value: 'statement', name: 'Statement' },
            { value: 'question', name: 'Question' },
          ]}
          value={kind}
          onChange={onKind}
        />
        {standards.length > 0 && (
          <div class="field">
            <label for={`${id}-standard`}>Standard of truth</label>
            <select id={`${id}-standard`} value={standard?.name ?? ''} onChange={(event) => onStandard(event.currentTarget.value)}>
              {standards.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </div>
        )}
      </div>
      {standard?.description && <p class="hint">{standard.description}</p>}
      <label class="field" for={`${id}-text`}>
        <span>{what}</span>
        <textarea
          id={`${id}-text`}
          ref={field}
          rows={2}
          value={text}
          placeholder={PLACEHOLDERS[what]}
          onInput={(event) => onText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            submit();
          }}
        />
      </label>
      {what === 'Formula' && (
        <p class="hint">
          Texts in double quotes, or names that the standard gives, joined by <i>not</i>, <i>and</i>, <i>xor</i>, <i>or</i>, <i>implies</i> and{' '}
          <i>iff</i>, in parentheses where they are needed.
        </p>
      )}
      <div class="row">
        <RunButton name={kind === 'statement' ? 'Judge' : 'Ask'} isRunning={isAsking} onStop={onStop} disabled={text.trim() === ''} />
        {kind === 'statement' && (
          <label class="check">
            <input type="checkbox" checked={isFormula} onChange={(event) => onFormula(event.currentTarget.checked)} />
            <span>This is a formula</span>
          </label>
        )}
      </div>
    </form>
  );
}

const VERDICTS: Record<Judgement['verdict'], string> = {
  true: 'True',
  false: 'False',
  unknown: 'Neither known to be true nor to be false',
};

function JudgementView({ model, reply, standard }: { model: Model; reply: Judgement; standard: Standard | null }) {
  return (
    <>
      <h3 class="asked">{reply.statement}</h3>
      <div class="judgement">
        <Gauge probability={reply.probability} threshold={standard?.threshold ?? null} />
        <dl class="facts">
          <div>
            <dt>Verdict</dt>
            <dd class={`verdict-${reply.verdict}`}>
              {VERDICTS[reply.verdict] ?? reply.verdict} <span class="soft">under the standard “{reply.standard}”</span>
            </dd>
          </div>
          {reply.decided !== null && reply.decided !== undefined && (
            <div>
              <dt>Decided</dt>
              <dd>The standard’s own texts say that it is {reply.decided ? 'true' : 'false'}.</dd>
            </div>
          )}
          {reply.doubt !== undefined && (
            <div>
              <dt>Doubt</dt>
              <dd>
                {reply.doubt.toFixed(2)} <span class="soft">of the truth author, 0 to 1</span>
              </dd>
            </div>
          )}
          {reply.seconds !== undefined && (
            <div>
              <dt>Took</dt>
              <dd>{reply.seconds.toFixed(1)} s</dd>
            </div>
          )}
        </dl>
      </div>
      <PriceHistory model={model} statement={reply.statement} />
      <Evidence sources={reply.sources ?? []} />
      {reply.dissenters && reply.dissenters.length > 0 && (
        <section class="dissenters">
          <h4>Who disagrees</h4>
          <Bars
            label="Who disagrees, and how likely they hold it to be true"
            guesses={reply.dissenters.map(({ author, probability }) => ({ label: author, probability }))}
          />
          <p class="hint">How likely each of them holds it to be true.</p>
        </section>
      )}
    </>
  );
}

function AnswersView({ reply, standard }: { reply: AskReply; standard: string }) {
  return (
    <>
      <h3 class="asked">{reply.question}</h3>
      <p>
        {reply.known ? 'An answer is known' : 'No answer is known'}
        {standard !== '' && <span class="soft"> under the standard “{standard}”</span>}
        {!reply.known && reply.answers.length > 0 && '; these were considered.'}
        {reply.known && '.'}
      </p>
      {reply.answers.length > 0 && (
        <Bars label="Answers" guesses={reply.answers.map(({ text, probability }) => ({ label: text, probability }))} />
      )}
      <Evidence sources={reply.sources ?? []} />
    </>
  );
}

function Evidence({ sources }: { sources: Parameters<typeof Sources>[0]['sources'] }) {
  return (
    <section class="evidence">
      <h4>Sources</h4>
      {sources.length > 0 ? <Sources sources={sources} /> : <p class="soft">No document was found that says anything about it.</p>}
    </section>
  );
}
