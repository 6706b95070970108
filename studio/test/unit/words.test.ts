import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../src/lib/address';
import { describe as describeForm, emptyForm, incomplete, toHandle } from '../../src/lib/handle';
import { count, doubt, likelihood, percent, signed, ticks, year } from '../../src/lib/numbers';
import { findNames } from '../../src/lib/search';
import { SentenceSplitter } from '../../src/lib/sentences';
import { authorSlot, dateSlot, placeOf, placeSlot, stepOf, yearsOf } from '../../src/lib/slots';
import { titleOf } from '../../src/lib/title';
import type { Model } from '../../src/lib/types';
import { foldGuesses } from '../../src/parts/bars';

describe('numbers', () => {
  it('says probabilities without claiming certainty', () => {
    expect([0, 0.004, 0.5, 0.996, 1].map(percent)).toEqual(['0\u00a0%', '< 1\u00a0%', '50\u00a0%', '> 99\u00a0%', '100\u00a0%']);
    expect(percent(NaN)).toBe('unknown');
  });
  it('counts years over the turn of the era', () => {
    expect([1862.6, 1, 0, -43].map(year)).toEqual(['1863', '1', '1\u00a0BC', '44\u00a0BC']);
  });
  it('signs numbers, but not zero', () => {
    expect([-1.25, 0, 0.04, -0.04, 2].map((value) => signed(value))).toEqual(['\u22121.3', '0.0', '0.0', '0.0', '+2.0']);
  });
  it('counts', () => {
    expect([count(1, 'token'), count(1200, 'token')]).toEqual(['1\u00a0token', '1,200\u00a0tokens']);
  });
  it('chooses round ticks inside the range', () => {
    expect(ticks(1770, 2044, 4)).toEqual([1800, 1900, 2000]);
    expect(ticks(0, 1, 3)).toEqual([0, 0.5, 1]);
    expect(ticks(-0.3, 0.3, 3)).toEqual([-0.2, 0, 0.2]);
    expect(ticks(5, 5, 3)).toEqual([]);
  });
  it('has words for probabilities, in order and the same on both sides', () => {
    expect(likelihood(0.995)).toBe('all but certainly true');
    expect(likelihood(0.003)).toBe('all but certainly false');
    expect(likelihood(0.5)).toBe('a toss-up');
    expect(likelihood(0.75)).toBe('likely true');
    expect(likelihood(0.25)).toBe('likely false');
  });
  it('has words for doubt', () => {
    expect(doubt(0, 43)).toBe('hardly any doubt');
    expect(doubt(Math.log(43), 43)).toBe('almost anybody');
    expect(doubt(0, 1)).toBe('hardly any doubt');
  });
});

describe('addresses', () => {
  it('come back as they went', () => {
    const values = { author: 'Ann & Bob = #1?', date: '1863' };
    expect(parseAddress(formatAddress('dream', values))).toEqual({ panel: 'dream', values });
    expect(parseAddress('#atlas')).toEqual({ panel: 'atlas', values: {} });
  });
  it('of nothing that is there are none', () => {
    for (const hash of ['', '#', '#main', '#dreams', '#constructor']) expect(parseAddress(hash)).toBeNull();
  });
});

describe('toHandle', () => {
  it('is nothing when nothing is told', () => {
    expect(toHandle(emptyForm())).toBeUndefined();
    expect(toHandle({ ...emptyForm(), author: 'Ann' })).toBeUndefined(); /* left over from another choice */
  });
  it('says what is told, and only that', () => {
    expect(
      toHandle({ ...emptyForm(), who: 'author', author: 'Ann', date: 1863, tell: { party: 'Whig', place: '' }, shifts: [0, -1.5, 0] }),
    ).toEqual({ author: 'Ann', date: 1863, tell: { party: 'Whig' }, shift: [{ component: 2, deviations: -1.5 }] });
  });
  it('mixes', () => {
    expect(toHandle({ ...emptyForm(), who: 'mixture', corners: ['Ann', 'Bob', '', ''], point: { x: 0.4, y: 0 } })).toEqual({
      mix: { Ann: 0.6, Bob: 0.4 },
    });
  });
  it('tells a place, by the name of its slot', () => {
    const form = { ...emptyForm(), place: { latitude: 41.88, longitude: -87.63 }, tell: { party: 'Whig' } };
    expect(toHandle(form)).toEqual({ place: '41.88,-87.63', tell: { party: 'Whig' } });
    expect(toHandle(form, 'town')).toEqual({ tell: { party: 'Whig', town: '41.88,-87.63' } });
    expect(describeForm(form)).toBe('Whig, 41.9°\u00a0N 87.6°\u00a0W');
  });
  it('tells the year 0', () => {
    expect(toHandle({ ...emptyForm(), date: 0 })).toEqual({ date: 0 });
  });
  it('knows what is missing', () => {
    expect(incomplete({ ...emptyForm(), who: 'author' })).toMatch(/author/);
    expect(incomplete({ ...emptyForm(), who: 'mixture' })).toMatch(/corner/);
    expect(incomplete({ ...emptyForm(), who: 'like', like: ' ' })).toMatch(/text/);
    expect(incomplete({ ...emptyForm(), who: 'author', author: 'Ann' })).toBeNull();
  });
  it('is described', () => {
    expect(describeForm(emptyForm())).toBe('Nobody in particular');
    expect(describeForm({ ...emptyForm(), who: 'author', author: 'Ann', date: 1990 })).toBe('Ann, 1990');
  });
});

describe('findNames', () => {
  const names = ['Ulysses S Grant', 'Abraham Lincoln', 'Karel Čapek', 'Lincoln Chafee', 'Jean-Paul Sartre'];
  it('finds by beginnings first, without case and accents', () => {
    expect(findNames(names, 'linc')).toEqual(['Lincoln Chafee', 'Abraham Lincoln']);
    expect(findNames(names, 'capek')).toEqual(['Karel Čapek']);
    expect(findNames(names, 'paul s')).toEqual(['Jean-Paul Sartre']);
  });
  it('wants every word', () => {
    expect(findNames(names, 'lincoln grant')).toEqual([]);
  });
  it('finds all when nothing is typed', () => {
    expect(findNames(names, '  ')).toEqual(names);
  });
});

describe('SentenceSplitter', () => {
  const split = (pieces: string[]): string[] => {
    const splitter = new SentenceSplitter();
    return [...pieces.map((piece) => splitter.push(piece)), splitter.finish()].filter((said) => said !== '');
  };
  it('waits for the end of a sentence', () => {
    expect(split(['We must ', 'rise.', ' As our', ' case is new', '. “So”'])).toEqual(['We must rise.', 'As our case is new.', '“So”']);
  });
  it('loses nothing', () => {
    const text = 'One. Two! “Three?” Four\nfive. ' + 'word '.repeat(200);
    const said = split([...text]).join(' ').replace(/\s+/g, ' ');
    expect(said).toBe(text.replace(/\s+/g, ' ').trim());
  });
  it('does not wait for ever', () => {
    const splitter = new SentenceSplitter();
    expect(splitter.push('word '.repeat(60)).length).toBeGreaterThan(100);
  });
});

describe('slots', () => {
  const model: Model = {
    id: 'm/dream',
    layer: 'dream',
    slots: [
      { name: 'year', kind: 'date' },
      { name: 'paper', kind: 'categorical', labels: 3 },
      { name: 'writer', kind: 'categorical', labels: 9 },
    ],
  };
  it('are found by kind', () => {
    expect([authorSlot(model), dateSlot(model)]).toEqual(['paper', 'year']);
    expect(authorSlot({ ...model, slots: [...model.slots, { name: 'author', kind: 'categorical' }] })).toBe('author');
    expect([authorSlot({ ...model, slots: [] }), dateSlot({ ...model, slots: [] })]).toEqual([null, null]);
  });
  it('of places, and beliefs about them', () => {
    const region = { latitude: 38, longitude: -96, radius: 24 };
    expect(placeSlot(model)).toBeNull();
    expect(placeSlot({ ...model, slots: [...model.slots, { name: 'town', kind: 'place', region }] })).toEqual({ name: 'town', kind: 'place', region });
    const place = { latitude: 1, longitude: 2, kilometres_50: 3, kilometres_90: 4, places: [] };
    expect([placeOf(place), yearsOf(place), placeOf({ median: 1, low: 0, high: 2 }), placeOf([]), placeOf(undefined)]).toEqual([place, ...Array(4)]);
  });
  it('give a step its author and its date, whatever they are called', () => {
    const date = { median: 1, low: 0, high: 2 };
    const paper = [{ label: 'Times', probability: 0.5 }];
    expect(stepOf(model, { text: ' a', paper, year: date, writer: [], entropy: 0.4 })).toEqual({ text: ' a', author: paper, date, entropy: 0.4 });
    expect(stepOf(model, { text: ' a' })).toEqual({ text: ' a' });
  });
});

describe('foldGuesses', () => {
  const guesses = [0.5, 0.2, 0.1].map((probability, index) => ({ label: `a${index}`, probability }));
  it('puts together those that are not shown, also those that were not sent', () => {
    expect(foldGuesses(guesses, 2, 43)).toEqual([...guesses.slice(0, 2), { label: '41 others', probability: expect.closeTo(0.3, 9) as number }]);
  });
  it('shows all when only one would be left', () => {
    expect(foldGuesses(guesses, 2, 3)).toEqual(guesses);
  });
});

describe('titleOf', () => {
  it('is one line', () => {
    expect(titleOf('  A\nquestion\twith\u0007 lines ')).toBe('A question with lines');
  });
  it('fits into 200 bytes, and cuts no character', () => {
    const title = titleOf('\u{1f600}'.repeat(300));
    expect(new TextEncoder().encode(title).length).toBeLessThanOrEqual(200);
    expect(title.endsWith('\u{1f600}…')).toBe(true);
  });
});
