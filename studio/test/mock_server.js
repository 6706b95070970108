/* A stand-in for `trine serve`: the same addresses and shapes, invented content, no model. For working on the page
 * and for its tests.
 *
 *   node test/mock_server.js [--port 8089] [--scope good|truth|dream] [--keys] [--no-conversations] [--no-market]
 *                            [--jobs] [--delay MS]
 *
 * With --keys every call needs one of the keys "trine-good", "trine-truth", "trine-dream", which reach as far as
 * they are called. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AUTHORS, COMPONENTS, DATES, JOBS, MARKET, PARTIES, PASSAGES, PRINCIPLES, REGION, STANDARDS, VALUES } from './mock_data.js';

const HERE = dirname(fileURLToPath(import.meta.url));
export const PAGE = join(HERE, '../../build/studio/dist');
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};
const REACH = { none: 0, good: 1, truth: 2, dream: 3 };

/* The very policy that the real server sends. */
export function contentSecurityPolicy() {
  const header = readFileSync(join(HERE, '../../src/serve/studio_files.h'), 'utf8');
  const define = /#define STUDIO_CONTENT_SECURITY_POLICY((?:.*\\\n)*.*)/.exec(header)?.[1] ?? '';
  const policy = [...define.matchAll(/"([^"]*)"/g)].map(([, part]) => part).join('');
  if (!policy.includes('default-src')) throw new Error('no policy in studio_files.h');
  return policy;
}

class Refusal extends Error {
  constructor(status, message, headers = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/* The same numbers for the same text. */
function fraction(text) {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}

function nearestAuthors(date, sharpness, wanted) {
  const weights = AUTHORS.map(({ label, date: of }) => ({ label, weight: Math.exp((-Math.abs(of - date) * sharpness) / 12) }));
  const sum = weights.reduce((total, { weight }) => total + weight, 0);
  return weights
    .map(({ label, weight }) => ({ label, probability: weight / sum }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, wanted);
}

/* A belief about a place that closes in on Springfield, Illinois; `share`: of the way there. */
function placeBelief(share) {
  const latitude = 39.8 - 1.5 * (1 - share);
  const longitude = -89.6 - 6 * (1 - share);
  return {
    latitude,
    longitude,
    kilometres_50: Math.round(150 + 900 * (1 - share)),
    kilometres_90: Math.round(420 + 1700 * (1 - share)),
    places: [
      { latitude, longitude, kilometres: 163, probability: 0.2 + 0.5 * share },
      { latitude: 38.9, longitude: -77, kilometres: 163, probability: 0.5 - 0.4 * share },
      { latitude: 40.7, longitude: -74, kilometres: 163, probability: 0.05 },
    ],
  };
}

function checkPlace(text) {
  const [latitude, longitude, ...more] = String(text).split(',').map(Number);
  if (more.length > 0 || !(Math.abs(latitude) <= 90) || !(Math.abs(longitude) <= 180))
    throw new Refusal(400, `"${text}" is neither "latitude,longitude" nor a name.`);
}

function entropyOf(guesses) {
  return guesses.reduce((sum, { probability }) => sum - (probability > 0 ? probability * Math.log(probability) : 0), 0);
}

function checkedHandle(handle) {
  if (handle === undefined) return { date: null, authorTold: false, dateTold: false, placeTold: false };
  const known = new Set(AUTHORS.map(({ label }) => label));
  const dateOf = (name) => {
    if (!known.has(name)) throw new Refusal(400, `There is no author "${name}" in this model.`);
    return AUTHORS.find(({ label }) => label === name).date;
  };
  let date = null;
  if (handle.author !== undefined) date = dateOf(handle.author);
  if (handle.mix !== undefined) {
    const parts = Object.entries(handle.mix);
    const sum = parts.reduce((total, [, share]) => total + share, 0);
    if (Math.abs(sum - 1) > 0.01) throw new Refusal(400, `The shares of "mix" add up to ${sum}, not to 1.`);
    date = parts.reduce((total, [name, share]) => total + share * dateOf(name), 0);
  }
  if (handle.like !== undefined) date = 1862;
  if (handle.date !== undefined) date = Number(handle.date);
  if (handle.place !== undefined) checkPlace(handle.place);
  for (const shift of handle.shift ?? []) {
    if (!Number.isInteger(shift.component) || shift.component < 1 || shift.component > COMPONENTS.length)
      throw new Refusal(400, `There is no component ${shift.component}.`);
  }
  return {
    date,
    authorTold: handle.author !== undefined || handle.mix !== undefined || handle.like !== undefined,
    dateTold: handle.date !== undefined,
    placeTold: handle.place !== undefined,
  };
}

async function* completion(body, delay, places) {
  const told = checkedHandle(body.handle);
  const date = told.date ?? PASSAGES[Math.floor(fraction(`seed ${body.seed}`) * PASSAGES.length)][0];
  const [, passage] = PASSAGES.reduce((best, one) => (Math.abs(one[0] - date) < Math.abs(best[0] - date) ? one : best));
  const words = passage.split(' ');
  const count = Math.min(body.max_tokens ?? 60, 4096);
  for (let index = 0; index < count; index += 1) {
    const text = ` ${words[index % words.length]}`;
    const sharpness = Math.min(2.5, 0.15 + index / 25);
    const spread = Math.max(4, 60 - index * 1.5);
    const middle = date + (spread / 8) * Math.sin(index / 7);
    const reading = { tokens: index + 1 };
    if (!told.authorTold) reading.author = nearestAuthors(middle, sharpness, 5);
    if (!told.dateTold) reading.date = { median: middle, low: middle - spread, high: middle + spread };
    if (places && !told.placeTold) reading.place = placeBelief(Math.min(1, index / 30));
    yield {
      id: 'cmpl-1', object: 'text_completion', created: 0, model: body.model,
      choices: [{ index: 0, text, finish_reason: index === count - 1 ? 'length' : null, logprobs: null }],
      ...(body.reading ? { reading } : {}),
    };
    await pause(delay);
  }
}

function read(body, places) {
  const text = String(body.text ?? '');
  if (text.trim() === '') throw new Refusal(400, '"text" is empty.');
  const parts = text.match(/\s*\S+/g) ?? [];
  const date = /folks|kids|jobs|health care/.test(text) ? 2012 : /patronage|infant country/.test(text) ? 1793 : 1862;
  const beliefAt = (index) => {
    const sharpness = Math.min(2.2, 0.12 + index / 30);
    const spread = Math.max(8, 70 - index);
    const middle = date + (spread / 5) * Math.sin(index / 6);
    return { author: nearestAuthors(middle, sharpness, AUTHORS.length), date: { median: middle, low: middle - spread, high: middle + spread } };
  };
  const last = beliefAt(parts.length - 1);
  const parties = new Map();
  for (const { label, probability } of last.author) {
    const { party } = AUTHORS.find((author) => author.label === label);
    parties.set(party, (parties.get(party) ?? 0) + probability);
  }
  const partyLabels = [...parties].map(([label, probability]) => ({ label, probability })).sort((a, b) => b.probability - a.probability);
  const reply = {
    tokens: parts.length,
    slots: {
      author: { kind: 'categorical', labels: last.author.slice(0, 10), entropy: entropyOf(last.author) },
      date: { kind: 'date', ...last.date },
      party: { kind: 'categorical', labels: partyLabels, entropy: entropyOf(partyLabels) },
    },
  };
  if (places) reply.slots.place = { kind: 'place', ...placeBelief(Math.min(1, parts.length / 40)) };
  if (body.by_token) {
    const join = Math.max(1, Math.ceil(parts.length / 2000));
    reply.path = [];
    for (let start = 0; start < parts.length; start += join) {
      const end = Math.min(parts.length, start + join);
      const belief = beliefAt(end - 1);
      reply.path.push({ text: parts.slice(start, end).join(''), author: belief.author.slice(0, 3), date: belief.date, entropy: entropyOf(belief.author) });
    }
  }
  return reply;
}

function checkedStandard(name = 'plain') {
  const standard = STANDARDS.find((one) => one.name === name);
  if (standard === undefined) throw new Refusal(400, `There is no standard "${name}".`);
  return standard;
}

const SOURCES = [
  { text: 'There are now forty-five States in the Union, the last of which was admitted in January of this year.', author: 'Grover Cleveland', date: '1896', support: 0.42 },
  { text: 'The admission of new States has in every case been followed by a larger measure of prosperity.', author: 'William McKinley', date: '1899', support: -0.08 },
];

const say = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}()%+-]+/gu, ' ').trim();

function market(query) {
  const head = { engine: MARKET.engine, days: MARKET.days };
  const statement = query.get('statement');
  if (statement !== null) {
    if (statement === '') throw new Refusal(400, '"statement" is empty.');
    return { ...head, sentence: MARKET.sentences.find(({ text }) => say(text) === say(statement)) ?? null };
  }
  const limit = Number(query.get('limit') ?? '50');
  if (!Number.isInteger(limit) || limit < 1 || limit > 200) throw new Refusal(400, '"limit" must be a whole number from 1 to 200.');
  const words = say(query.get('search') ?? '').split(' ');
  const found = MARKET.sentences.filter(({ text }) => words.every((word) => ` ${say(text)}`.includes(` ${word}`)));
  const plain = found.map(({ prices, traders, ...sentence }) => sentence);
  return { ...head, found: found.length, sentences: plain.slice(0, limit) };
}

function judge(body) {
  const standard = checkedStandard(body.standard);
  const statement = body.statement ?? body.formula;
  if (typeof statement !== 'string' || statement.trim() === '') throw new Refusal(400, '"statement" is missing.');
  const isEther = /ether|forty-five/.test(statement);
  const probability = isEther ? (standard.name === 'before-1900' ? 0.952 : 0.003) : 0.02 + 0.96 * fraction(statement + standard.name);
  const verdict = probability >= standard.threshold ? 'true' : probability <= 1 - standard.threshold ? 'false' : 'unknown';
  return {
    statement, probability, decided: null, doubt: 0.02, standard: standard.name, verdict,
    sources: isEther ? SOURCES : [],
    dissenters: [
      { author: 'Joseph R Biden', probability: 0.53 },
      { author: 'Calvin Coolidge', probability: 0.41 },
      { author: 'Thomas Jefferson', probability: 0.12 },
    ],
    seconds: 0.8,
  };
}

function ask(body) {
  checkedStandard(body.standard);
  if (typeof body.question !== 'string' || body.question.trim() === '') throw new Refusal(400, '"question" is missing.');
  return {
    question: body.question,
    known: true,
    answers: [
      { text: 'Abraham Lincoln', probability: 0.91 },
      { text: 'Andrew Johnson', probability: 0.05 },
      { text: 'James Buchanan', probability: 0.02 },
    ],
    sources: SOURCES.slice(0, 1),
  };
}

function grant(values = {}) {
  const lengths = Object.values(values);
  const length = Math.hypot(...lengths, 0);
  const allowed = Math.min(length, VALUES.radius);
  return {
    honoured: length === 0 ? 1 : (allowed / length) * 0.87,
    projected: length > 0,
    shortened: length > VALUES.radius,
  };
}

function chatReply(body) {
  const messages = body.messages ?? [];
  const asked = messages[messages.length - 1]?.content ?? '';
  const prices = (name, price) => Object.fromEntries(PRINCIPLES.map((one, index) => [one, one === name ? price : 0.004 * (index + 1)]));
  const values = body.values === undefined ? null : grant(body.values);
  if (/poison|bomb/.test(asked)) {
    return {
      text: 'I will not help with that: I do not help to hurt, poison, stalk or kill anyone. If somebody is in danger, please call the emergency number.',
      reason: 'content_filter',
      trine: { outcome: 'declined_request', odds: null, request: { screen: 0.97, principles: prices('serious-harm', 0.94) }, reply: null, claims: [], values },
    };
  }
  if (/write as|poem/i.test(asked)) {
    return {
      text: 'Fellow-citizens, the iron road has bound the prairie to the sea, and no man may now say that his neighbour is far. (This is invented; nobody said it.)',
      reason: 'stop',
      trine: { outcome: 'dreamed', odds: null, request: { screen: 0.01, principles: {} }, reply: { screen: 0.02, principles: {} }, claims: [], values },
    };
  }
  return {
    text: 'Water boils at about 100 °C at the level of the sea. Higher up it boils sooner: at 3,000 metres at about 90 °C, since the air weighs less on it. Tea is the weaker for it.',
    reason: 'stop',
    trine: {
      outcome: /medicine|dose/.test(asked) ? 'hedged' : 'replied',
      odds: 0.83,
      request: { screen: 0.01, principles: prices('', 0) },
      reply: { screen: 0.01, principles: prices('', 0) },
      claims: [
        { text: 'Water boils at about 100 °C at the level of the sea.', probability: 0.96, source: 'textbook: “Under the pressure of the air at the sea’s level water boils at 100 degrees.”' },
        { text: 'At 3,000 metres water boils at about 90 °C.', probability: 0.71, source: null },
      ],
      values,
    },
  };
}

async function* chat(body, delay) {
  const reply = chatReply(body);
  const event = (delta, finish, more = {}) => ({
    id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 0, model: body.model,
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...more,
  });
  yield event({ role: 'assistant', content: '' }, null);
  for (const sentence of reply.text.match(/[^.!?]+[.!?]+\s*/g) ?? [reply.text]) {
    await pause(delay * 8);
    yield event({ content: sentence }, null);
  }
  yield event({}, reply.reason, body.why ? { trine: reply.trine } : {});
}

/* options: { scope, keys, conversations, market, places, jobs, delay, layers }; jobs: a list that may be changed while the
 * server runs, null: it does not look on at any. */
export function createMockServer(options = {}) {
  const { scope = 'dream', keys = false, conversations = true, delay = 12, layers = ['dream', 'truth', 'good'] } = options;
  const { market: hasMarket = true, places = true, jobs = [] } = options;
  const policy = contentSecurityPolicy();
  const kept = new Map();
  const seen = []; /* the bodies that came, for tests */

  const reachOf = (request) => {
    if (!keys) return REACH[scope];
    const [, key] = /^Bearer trine-(good|truth|dream)$/.exec(request.headers.authorization ?? '') ?? [];
    if (key === undefined) throw new Refusal(401, 'This server wants an access key: Authorization: Bearer trine-...');
    return REACH[key];
  };
  const need = (reach, layer) => {
    if (reach < REACH[layer]) throw new Refusal(403, `This needs the scope "${layer}".`);
  };
  const modelsFor = (reach) =>
    layers.filter((layer) => REACH[layer] <= reach).map((layer) => ({
      id: `sotu/${layer}`, object: 'model', created: 0, owned_by: 'trine', layer,
      slots: [
        { name: 'author', kind: 'categorical', labels: AUTHORS.length },
        { name: 'date', kind: 'date' },
        { name: 'party', kind: 'categorical', labels: PARTIES.length },
        ...(places ? [{ name: 'place', kind: 'place', labels: 0, region: REGION }] : []),
      ],
      context: 1024, chat: layer === 'good', market: hasMarket && layer === 'truth',
    }));

  const routes = {
    'GET /health': () => ({ status: 'ok' }),
    'GET /openapi.json': () => ({ openapi: '3.1.0', info: { title: 'mock', version: '0' }, paths: {} }),
    'GET /v1/models': (reach) => {
      need(reach, 'good');
      const data = modelsFor(reach);
      const markets = data.some((model) => model.market);
      return { object: 'list', data, trine: { conversations, jobs: jobs !== null && reach >= REACH.dream, markets } };
    },
    'GET /v1/jobs': (reach) => {
      need(reach, 'dream');
      if (jobs === null) throw new Refusal(404, 'This server does not look on at long commands.');
      return { jobs };
    },
    'GET /v1/market': (reach, _, query) => {
      need(reach, 'truth');
      if (!hasMarket) throw new Refusal(404, 'The model was loaded without a market.');
      return market(query);
    },
    'GET /v1/atlas': (reach) => {
      need(reach, 'dream');
      return {
        points: AUTHORS.map(({ label, x, y, date, party }) => ({ label, x, y, slots: { date, party } })),
        components: COMPONENTS,
        labels: { author: AUTHORS.map(({ label }) => label), party: PARTIES },
        dates: DATES,
      };
    },
    'POST /v1/read': (reach, body) => {
      need(reach, 'dream');
      return read(body, places);
    },
    'GET /v1/standards': (reach) => {
      need(reach, 'truth');
      return { standards: STANDARDS };
    },
    'POST /v1/judge': (reach, body) => {
      need(reach, 'truth');
      return judge(body);
    },
    'POST /v1/ask': (reach, body) => {
      need(reach, 'truth');
      return ask(body);
    },
    'GET /v1/values': (reach) => {
      need(reach, 'good');
      return VALUES;
    },
    'POST /v1/values': (reach, body) => {
      need(reach, 'good');
      return grant(body.values);
    },
    'GET /v1/conversations': () => {
      if (!conversations) throw new Refusal(404, 'This server keeps no conversations.');
      return { conversations: [...kept.values()].map(({ id, title }) => ({ id, title })) };
    },
    'POST /v1/conversations': (_, body) => {
      if (!conversations) throw new Refusal(404, 'This server keeps no conversations.');
      const one = { id: randomUUID(), title: body.title ?? '', messages: [] };
      kept.set(one.id, one);
      return one;
    },
  };

  const converse = (method, id) => {
    const one = kept.get(id);
    if (!conversations || one === undefined) throw new Refusal(404, 'There is no such conversation.');
    if (method === 'DELETE') kept.delete(id);
    return method === 'DELETE' ? { id, deleted: true } : one;
  };

  const sendStream = async (response, events, isGone) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store' });
    for await (const event of events) {
      if (isGone()) return null;
      response.write(`data: ${JSON.stringify(event)}\n\n`);
    }
    response.end('data: [DONE]\n\n');
    return true;
  };

  const answer = async (request, response) => {
    const url = new URL(request.url, 'http://mock');
    let text = '';
    request.setEncoding('utf8');
    for await (const piece of request) text += piece;
    const body = text === '' ? {} : JSON.parse(text);
    if (text !== '') seen.push({ path: url.pathname, body });
    let isOver = false;
    response.on('close', () => {
      isOver = true;
    });
    const isGone = () => isOver;
    const route = `${request.method} ${url.pathname}`;
    if (route === 'POST /v1/completions' || route === 'POST /v1/chat/completions') {
      const layer = String(body.model).split('/')[1] ?? 'good';
      need(reachOf(request), layer);
      const mock = String(body.prompt ?? body.messages?.[body.messages.length - 1]?.content ?? '');
      if (mock.includes('BUSY')) throw new Refusal(429, 'The queue is full.', { 'Retry-After': '2' });
      if (mock.includes('BREAK')) {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write('data: {"choices":[{"index":0,"text":" begun","delta":{"content":"begun"}}]}\n\n');
        await pause(60);
        response.destroy();
        return;
      }
      if (route === 'POST /v1/completions') {
        checkedHandle(body.handle); /* refused before the stream begins */
        await sendStream(response, completion(body, delay, places), isGone);
      } else {
        const isDone = await sendStream(response, chat(body, delay), isGone);
        const one = kept.get(body.conversation);
        if (isDone && one) one.messages.push(body.messages.at(-1), { role: 'assistant', content: chatReply(body).text });
      }
      return;
    }
    const [, id] = /^\/v1\/conversations\/([^/]+)$/.exec(url.pathname) ?? [];
    const handler = routes[route];
    if (handler === undefined && id === undefined) throw new Refusal(404, `There is no ${url.pathname}.`);
    const isOpen = url.pathname === '/health' || url.pathname === '/openapi.json';
    const reach = isOpen ? 0 : reachOf(request);
    await pause(delay);
    const reply = handler ? handler(reach, body, url.searchParams) : converse(request.method, id);
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(reply));
  };

  const sendFile = (path, response) => {
    const file = join(PAGE, normalize(path === '/' ? '/index.html' : path));
    if (!file.startsWith(PAGE) || !existsSync(file) || !statSync(file).isFile()) return false;
    response.writeHead(200, {
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-cache',
    });
    response.end(readFileSync(file));
    return true;
  };

  const server = createServer((request, response) => {
    if (request.method === 'GET' && sendFile(new URL(request.url, 'http://mock').pathname, response)) return;
    answer(request, response).catch((error) => {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const status = error.status ?? 500;
      response.writeHead(status, { 'Content-Type': 'application/json', ...error.headers });
      response.end(JSON.stringify({ error: { message: error.message, type: 'invalid_request_error', param: null, code: null } }));
    });
  });
  return { server, seen };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2);
  const valueOf = (name, otherwise) => (words.includes(name) ? words[words.indexOf(name) + 1] : otherwise);
  const { server } = createMockServer({
    scope: valueOf('--scope', 'dream'),
    keys: words.includes('--keys'),
    conversations: !words.includes('--no-conversations'),
    market: !words.includes('--no-market'),
    jobs: words.includes('--jobs') ? JOBS : [],
    delay: Number(valueOf('--delay', '12')),
  });
  server.listen(Number(valueOf('--port', '8089')), '127.0.0.1', () => {
    console.log(`http://127.0.0.1:${server.address().port}/`);
  });
}
