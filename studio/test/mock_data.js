/* What the mock server knows: invented numbers about authors who existed, so that the page can be tried and
 * tested without a model. Nothing here was measured. */

const ROWS = `
George Washington|1793|Unaffiliated|-0.92|0.55
John Adams|1799|Federalist|-0.8|0.71
Thomas Jefferson|1805|Democratic-Republican|-0.95|0.28
James Madison|1813|Democratic-Republican|-0.83|0.36
James Monroe|1821|Democratic-Republican|-0.66|0.2
John Quincy Adams|1827|Democratic-Republican|-0.72|-0.12
Andrew Jackson|1833|Democratic|-0.58|-0.24
Martin Van Buren|1839|Democratic|-0.62|-0.4
John Tyler|1843|Whig|-0.7|-0.3
James K Polk|1847|Democratic|-0.44|-0.36
Zachary Taylor|1849|Whig|-0.55|-0.08
Millard Fillmore|1851|Whig|-0.49|-0.18
Franklin Pierce|1855|Democratic|-0.5|-0.52
James Buchanan|1859|Democratic|-0.38|-0.44
Abraham Lincoln|1863|Republican|-0.22|-0.12
Andrew Johnson|1867|National Union|-0.36|-0.6
Ulysses S Grant|1873|Republican|-0.2|-0.4
Rutherford B Hayes|1879|Republican|-0.27|-0.53
Chester A Arthur|1883|Republican|-0.24|-0.68
Grover Cleveland|1890|Democratic|-0.3|-0.78
Benjamin Harrison|1891|Republican|-0.12|-0.7
William McKinley|1899|Republican|-0.06|-0.58
Theodore Roosevelt|1905|Republican|0.02|-0.34
William Howard Taft|1911|Republican|0.06|-0.66
Woodrow Wilson|1917|Democratic|0.16|0.06
Warren G Harding|1922|Republican|0.22|-0.22
Calvin Coolidge|1926|Republican|0.18|-0.36
Herbert Hoover|1931|Republican|0.24|-0.48
Franklin D Roosevelt|1939|Democratic|0.34|0.12
Harry S Truman|1949|Democratic|0.42|-0.1
Dwight D Eisenhower|1957|Republican|0.46|-0.24
John F Kennedy|1962|Democratic|0.5|0.04
Lyndon B Johnson|1966|Democratic|0.6|0.22
Richard Nixon|1971|Republican|0.62|0.06
Gerald R Ford|1976|Republican|0.66|-0.06
Jimmy Carter|1979|Democratic|0.58|-0.3
Ronald Reagan|1985|Republican|0.76|0.26
George Bush|1991|Republican|0.82|0.4
William J Clinton|1997|Democratic|0.9|0.34
George W Bush|2005|Republican|0.86|0.2
Barack Obama|2013|Democratic|1.02|0.52
Donald J Trump|2018|Republican|0.98|0.7
Joseph R Biden|2022|Democratic|1.1|0.62`;

export const AUTHORS = ROWS.trim()
  .split('\n')
  .map((row) => {
    const [label, date, party, x, y] = row.split('|');
    return { label, date: Number(date), party, x: Number(x), y: Number(y) };
  });

export const PARTIES = [...new Set(AUTHORS.map(({ party }) => party))];
export const REGION = { latitude: 38.5, longitude: -96, radius: 24 };
export const DATES = { first: 1790, last: 2024 };

export const COMPONENTS = [
  { share: 0.31, low: ['Thomas Jefferson', 'George Washington', 'James Madison'], high: ['Joseph R Biden', 'Barack Obama', 'Donald J Trump'], goes_with: 'mean date +0.94' },
  { share: 0.12, low: ['Grover Cleveland', 'Benjamin Harrison', 'Chester A Arthur'], high: ['John Adams', 'Donald J Trump', 'Joseph R Biden'], goes_with: 'party Federalist +0.31' },
  { share: 0.067, low: ['John Quincy Adams', 'John Tyler'], high: ['Jimmy Carter', 'Ronald Reagan'], goes_with: null },
  { share: 0.05, low: ['Woodrow Wilson', 'James Monroe'], high: ['Richard Nixon', 'William Howard Taft'], goes_with: 'party Democratic -0.22' },
  { share: 0.041, low: ['Franklin D Roosevelt'], high: ['Calvin Coolidge'], goes_with: null },
];

/* Passages in the manner of three times, to be written on from. The second is from Lincoln's address of 1862. */
export const PASSAGES = [
  [1790, 'and the Senate, it is with the highest satisfaction that I meet you on this occasion, when the objects of common concern to our infant country are again to be weighed by the wisdom of its representatives. The regulations which the last session left unfinished will claim your early attention, and I cannot forbear to recommend that whatever may advance agriculture, commerce, and manufactures by all proper means should be held an object of public care. Nothing is more deserving of your patronage than the promotion of science and literature. Knowledge is in every country the surest basis of public happiness, and in one in which the measures of government receive their impression so immediately from the sense of the community it is proportionably essential.'],
  [1862, 'and a year of health and bountiful harvests has passed. The dogmas of the quiet past are inadequate to the stormy present. The occasion is piled high with difficulty, and we must rise with the occasion. As our case is new, so we must think anew and act anew. We must disenthrall ourselves, and then we shall save our country. Fellow-citizens, we cannot escape history. We of this Congress and this administration will be remembered in spite of ourselves. No personal significance or insignificance can spare one or another of us. The fiery trial through which we pass will light us down in honor or dishonor to the latest generation.'],
  [2010, 'is strong, because the American people are strong. Tonight I want to talk about the work that is still ahead of us: good jobs for every family that wants one, schools that get our kids ready, and health care that you can count on. I have met folks in every state who get up early, work hard, and ask for nothing but a fair shot. They do not quit, and neither will we. So let us do this together. Let us invest in our roads and our research, let us keep our promise to the next generation, and let us show the world once again what we can do.'],
];

export const STANDARDS = [
  { name: 'plain', description: 'What is commonly known today, with fiction told apart from the world.', threshold: 0.9 },
  { name: 'before-1900', description: 'What an educated reader of the year 1899 would have held to be true.', threshold: 0.85 },
  { name: 'oz', description: 'What is so in the land of Oz.', threshold: 0.9 },
];

/* Thirty days of a market, in which the price of what is true goes up until the day on which it becomes known. */
const DAYS = 30;

function priced(name, text, verdict, day, from, more = {}) {
  const goal = verdict === 'false' ? 0 : 1;
  const prices = Array.from({ length: DAYS }, (_, index) => {
    const known = verdict !== null && index + 1 >= day;
    const drift = from + (goal - from) * 0.55 * (index / DAYS) + 0.035 * Math.sin(index * 1.7 + text.length);
    return { day: index + 1, price: Number((known ? goal + (goal === 1 ? -0.012 : 0.012) : Math.min(0.97, Math.max(0.03, drift))).toFixed(4)) };
  });
  return {
    name, text, formula: false, price: prices.at(-1).price, verdict, day, prices,
    traders: [
      { name: 'almanac', wealth: 0.41, belief: Math.abs(goal - 0.04) },
      { name: 'coherence', wealth: 0.27, belief: Math.abs(goal - 0.11) },
      { name: 'hearsay', wealth: 0.004, belief: 0.5 },
    ],
    ...more,
  };
}

export const MARKET = {
  engine: 'kelly',
  days: DAYS,
  sentences: [
    priced('ether', 'Light is a wave in the ether that fills all space.', 'false', 18, 0.62),
    priced('states', 'The American union consists of forty-five states.', 'true', 12, 0.4),
    priced('cheese', 'The moon is made of cheese.', null, null, 0.08, { traders: [] }),
    priced('both', '"The American union consists of forty-five states." and not "The moon is made of cheese."', null, null, 0.35, { formula: true }),
    ...AUTHORS.map(({ label, date }) => priced(label, `${label} was president in ${date}.`, null, null, 0.5)),
  ],
};

export const JOBS = [
  { name: 'truth train', process: 4711, done: 620, total: 800, text: 'loss 0.412  held out 0.455', seconds_left: 754, seconds_ago: 1 },
  { name: 'market run', process: 4712, done: 3, total: 40, text: 'incoherence 0.0214', seconds_left: 9120, seconds_ago: 0 },
];

export const PRINCIPLES = [
  'serious-harm',
  'mass-casualty-weapons',
  'sexual-content-about-minors',
  'claiming-to-be-human',
  'fabricated-quotation',
  'privacy',
];

export const VALUES = {
  radius: 2,
  directions: [
    { name: 'brief-expansive', low: 'brief', high: 'expansive' },
    { name: 'plain-ornate', low: 'plain', high: 'ornate' },
    { name: 'cautious-bold', low: 'cautious', high: 'bold' },
    { name: 'warm-cool', low: 'warm', high: 'cool' },
    { name: 'questioning-affirming', low: 'questioning', high: 'affirming' },
    { name: 'tradition-change', low: 'tradition', high: 'change' },
  ],
  profiles: [{ name: 'companion', values: { 'warm-cool': -0.8, 'questioning-affirming': 0.5 } }],
};
