import { useState } from 'preact/hooks';
import { announce } from '../lib/announce';
import { describe, type HandleForm } from '../lib/handle';
import { authorSlot, dateSlot, guessesOf, placeOf, placeSlot, yearsOf } from '../lib/slots';
import { useStudio } from '../lib/studio';
import type { Model } from '../lib/types';
import type { Writing } from '../lib/writing';
import { Bars } from '../parts/bars';
import { Failure } from '../parts/gate';
import { PlaceBeliefMap } from '../parts/place_belief';
import { TimeLine } from '../parts/time_line';

interface LeafProps {
  model: Model;
  name: string; /* "A", "B", or '' when there is but one */
  form: HandleForm;
  prompt: string;
  writing: Writing;
  dates: { first: number; last: number };
}

const ENDS: Record<string, string> = { stop: 'The text came to its end.', length: 'As many tokens as were asked for.' };

/* A page that is being written, and what the reader makes of it meanwhile. */
export function Leaf({ model, name, form, prompt, writing, dates }: LeafProps) {
  const title = `${name === '' ? 'The text' : `Text ${name}`}`;
  return (
    <article class="leaf" aria-label={title} aria-busy={writing.state === 'writing'}>
      <header class="running-head">
        {name !== '' && <span class="leaf-name">{name}</span>}
        <span>{describe(form)}</span>
      </header>
      <div class="leaf-text">
        {writing.state === 'empty' ? (
          <p class="soft empty">What is written appears here.</p>
        ) : (
          <p>
            <span class="prompt">{prompt}</span>
            {writing.text}
            {writing.state === 'writing' && <span class="caret" aria-hidden="true" />}
          </p>
        )}
      </div>
      {writing.error !== null && <Failure layer="dream" error={writing.error} what="Writing as somebody" />}
      {writing.state !== 'empty' && (
        <footer class="leaf-foot">
          <span class="soft">{stateWords(writing)}</span>
          {writing.state !== 'writing' && writing.text !== '' && <LeafTools title={title} text={prompt + writing.text} />}
        </footer>
      )}
      {writing.state !== 'empty' && <Posterior model={model} writing={writing} dates={dates} form={form} />}
    </article>
  );
}

function stateWords(writing: Writing): string {
  if (writing.state === 'writing') return 'Writing …';
  if (writing.state === 'stopped') return 'Stopped.';
  if (writing.state === 'failed') return '';
  return ENDS[writing.reason ?? ''] ?? 'Finished.';
}

function LeafTools({ title, text }: { title: string; text: string }) {
  const { go } = useStudio();
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      announce('Copied.');
      setTimeout(() => setCopied(false), 2000);
    } catch {
      announce('The browser does not let this page copy.');
    }
  };
  return (
    <span class="row">
      <button type="button" class="button quiet" aria-label={`Copy: ${title}`} onClick={() => void copy()}>
        {isCopied ? 'Copied' : 'Copy'}
      </button>
      <button type="button" class="button quiet" aria-label={`Read it word by word: ${title}`} onClick={() => go('read', {}, text)}>
        Read it
      </button>
    </span>
  );
}

/* What was told is not inferred: then there is nothing to show of it. */
function Posterior({ model, writing, dates, form }: Omit<LeafProps, 'name' | 'prompt'>) {
  const author = guessesOf(writing.reading?.[authorSlot(model) ?? '']);
  const date = yearsOf(writing.reading?.[dateSlot(model) ?? '']);
  const where = placeSlot(model);
  const place = placeOf(writing.reading?.[where?.name ?? '']);
  const isAuthorTold = form.who !== 'nobody';
  return (
    <section class="posterior" aria-label="As whom it reads">
      <h3>As whom it reads</h3>
      {author ? (
        <Bars guesses={author} label="Likeliest authors of what is written" />
      ) : (
        <p class="soft">{isAuthorTold ? 'The author was told.' : 'Nothing is known yet.'}</p>
      )}
      <div class="posterior-side">
        {date !== undefined && (
          <TimeLine years={date} first={dates.first} last={dates.last} label="When it seems to be written" />
        )}
        {date === undefined && form.date !== null && <p class="soft">The date was told.</p>}
        {place !== undefined && (
          <PlaceBeliefMap belief={place} region={where?.region} label="Where it seems to be written" />
        )}
        {place === undefined && form.place !== null && <p class="soft">The place was told.</p>}
      </div>
    </section>
  );
}
