import { signed } from '../lib/numbers';
import type { Source } from '../lib/types';

function origin(source: Source): string {
  return [source.author, source.date].filter((part) => part !== null && part !== undefined && part !== '').join(', ');
}

/* What documents say to it, each with how much it speaks for or against. */
export function Sources({ sources }: { sources: Source[] }) {
  return (
    <ol class="sources">
      {sources.map((source, index) => {
        const support = source.support ?? null;
        return (
          <li key={index}>
            <blockquote>{source.text}</blockquote>
            <p class="source-line">
              <span>{origin(source) || 'unnamed'}</span>
              {support !== null && (
                <span class={support >= 0 ? 'supports' : 'opposes'}>
                  {support >= 0 ? 'speaks for it' : 'speaks against it'} <span class="number">{signed(support, 2)}</span>
                </span>
              )}
            </p>
          </li>
        );
      })}
    </ol>
  );
}
