
/* The page reads without this. What it adds: the map moves, somebody can be found on it, and colours can be chosen.
   Everything it knows stands in the document; texts go from there to there as text. */
(() => {
  'use strict';
  const MARGIN = 46, RADIUS = 5.5, LINE = 15, STEP = 1.3, LEAST = 0.5, MOST = 60;
  const sheet = document.getElementById('sheet');
  const card = document.getElementById('card');
  const find = document.getElementById('find');
  const colour = document.getElementById('colour');
  const found = document.getElementById('found');
  const rows = [...document.querySelectorAll('#authors tbody tr')];
  const heads = [...document.querySelectorAll('#authors thead th')].map((head) => head.textContent);
  const near = [...document.querySelectorAll('#nearest tbody tr')];
  const spots = [...sheet.querySelectorAll('.spot')].map((element, index) => ({
    element,
    name: rows[index].firstElementChild.textContent,
    x: Number(element.dataset.x),
    y: Number(element.dataset.y),
    colours: element.dataset.colours.split(' '),
  }));
  /* The same label wherever it is drawn: map, strips, tree. */
  const drawn = spots.map(() => []);
  for (const element of document.querySelectorAll('[data-author]')) drawn[Number(element.dataset.author)].push(element);

  let size = { width: 900, height: 600 };
  let fitted = { x: 0, y: 0, scale: 1 };
  let view = null; /* null: all is shown */
  let chosen = -1;
  let matching = null; /* null: nobody is looked for */

  /* ---- the view ---- */
  const fit = () => {
    const xs = spots.map((spot) => spot.x), ys = spots.map((spot) => spot.y);
    const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const margin = Math.min(MARGIN, size.width / 8);
    fitted = {
      x: (left + right) / 2,
      y: (low + high) / 2,
      scale: Math.min((size.width - 2 * margin) / Math.max(right - left, 1e-9), (size.height - 2 * margin) / Math.max(high - low, 1e-9)),
    };
  };
  const onScreen = (spot, from) => ({ x: size.width / 2 + (spot.x - from.x) * from.scale, y: size.height / 2 - (spot.y - from.y) * from.scale });
  /* What lies under `at` stays there; by the keys and buttons that is whoever is chosen, or the middle. */
  const zoom = (factor, under) => {
    const from = view ?? fitted, middle = { x: size.width / 2, y: size.height / 2 };
    const at = under ?? (chosen >= 0 ? onScreen(spots[chosen], from) : middle);
    const scale = Math.min(fitted.scale * MOST, Math.max(fitted.scale * LEAST, from.scale * factor));
    const dx = at.x - size.width / 2, dy = at.y - size.height / 2;
    view = { x: from.x + dx / from.scale - dx / scale, y: from.y - dy / from.scale + dy / scale, scale };
    draw();
  };
  const pan = (dx, dy) => {
    const from = view ?? fitted;
    view = { ...from, x: from.x - dx / from.scale, y: from.y + dy / from.scale };
    draw();
  };
  const reveal = (index) => {
    const from = view ?? fitted, at = onScreen(spots[index], from);
    const x = Math.min(size.width - MARGIN, Math.max(MARGIN, at.x)), y = Math.min(size.height - MARGIN, Math.max(MARGIN, at.y));
    if (view !== null && (x !== at.x || y !== at.y)) view = { ...from, x: from.x + (at.x - x) / from.scale, y: from.y - (at.y - y) / from.scale };
  };

  /* ---- drawing ---- */
  const ruler = document.createElement('canvas').getContext('2d');
  if (ruler !== null) ruler.font = '13px ' + getComputedStyle(document.body).fontFamily;
  const widths = spots.map((spot) => (ruler === null ? spot.name.length * 6.5 : ruler.measureText(spot.name).width));
  const isFree = (box, taken) => box.left >= 0 && box.right <= size.width && box.top >= 0 && box.bottom <= size.height &&
    !taken.some((other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom);

  /* Who is chosen or looked for first; each name where it covers nothing, or not at all. */
  const placeNames = (places) => {
    const group = sheet.querySelector('.names');
    group.replaceChildren();
    const rank = (index) => (index === chosen ? 0 : matching !== null && matching.has(index) ? 1 : 2);
    const order = spots.map((_, index) => index).sort((a, b) => rank(a) - rank(b) || a - b).filter((index) => {
      const at = places[index];
      return at.x > 0 && at.x < size.width && at.y > 0 && at.y < size.height;
    }).slice(0, 300);
    const taken = order.map((index) => ({ left: places[index].x - RADIUS, right: places[index].x + RADIUS, top: places[index].y - RADIUS, bottom: places[index].y + RADIUS }));
    for (const index of order) {
      const { x, y } = places[index], width = widths[index] * (index === chosen ? 1.09 : 1), gap = RADIUS + 3;
      const tries = [[x + gap, y + 4.5, 'start', x + gap], [x - gap, y + 4.5, 'end', x - gap - width], [x, y - gap, 'middle', x - width / 2], [x, y + gap + 11, 'middle', x - width / 2]];
      for (const [tx, ty, anchor, left] of tries) {
        const box = { left: left - 2, right: left + width + 2, top: ty - LINE * 0.8, bottom: ty + LINE * 0.25 };
        if (!isFree(box, taken)) continue;
        const text = document.createElementNS(sheet.namespaceURI, 'text');
        text.setAttribute('x', tx.toFixed(1));
        text.setAttribute('y', ty.toFixed(1));
        text.setAttribute('text-anchor', anchor);
        text.setAttribute('class', (index === chosen ? 'chosen' : '') + (matching !== null && !matching.has(index) ? ' faded' : ''));
        text.textContent = spots[index].name;
        group.append(text);
        taken.push(box);
        break;
      }
    }
  };
  const draw = () => {
    const from = view ?? fitted;
    sheet.setAttribute('viewBox', `0 0 ${size.width} ${size.height}`);
    const middle = onScreen({ x: 0, y: 0 }, from);
    const [across, up] = sheet.querySelectorAll('.axes line');
    for (const [name, value] of [['x2', size.width], ['y1', middle.y], ['y2', middle.y]]) across.setAttribute(name, value);
    for (const [name, value] of [['y2', size.height], ['x1', middle.x], ['x2', middle.x]]) up.setAttribute(name, value);
    const places = spots.map((spot) => onScreen(spot, from));
    spots.forEach((spot, index) => spot.element.setAttribute('transform', `translate(${places[index].x.toFixed(1)} ${places[index].y.toFixed(1)})`));
    placeNames(places);
  };

  /* ---- colours ---- */
  const recolour = () => {
    const way = Number(colour.value);
    spots.forEach((spot, index) => {
      const name = spot.colours[way];
      for (const element of drawn[index]) {
        for (const old of [...element.classList]) if (/^[cs]\d+$/.test(old)) element.classList.remove(old);
        element.classList.add(name);
      }
    });
    for (const legend of document.querySelectorAll('[data-legend]')) legend.hidden = Number(legend.dataset.legend) !== way;
  };

  /* ---- who is chosen ---- */
  const add = (parent, tag, text) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };
  const hint = card.firstElementChild;
  const fillCard = (index) => {
    if (index < 0) {
      card.replaceChildren(hint);
      return;
    }
    const cells = [...rows[index].children];
    card.replaceChildren();
    add(card, 'h3', spots[index].name);
    const list = add(card, 'dl');
    cells.slice(1).forEach((cell, at) => {
      if (cell.textContent === '') return;
      const pair = add(list, 'div');
      add(pair, 'dt', heads[at + 1]);
      add(pair, 'dd', cell.textContent);
    });
    const closest = near[index]?.querySelectorAll('[data-near]') ?? [];
    if (closest.length === 0) return;
    add(card, 'p', 'Nearest, in spreads').className = 'soft';
    const nearest = add(card, 'ul');
    for (const one of closest) {
      const item = add(nearest, 'li');
      const button = add(item, 'button', one.textContent);
      button.type = 'button';
      button.className = 'link';
      button.addEventListener('click', () => choose(Number(one.dataset.near)));
      add(item, 'span', one.nextElementSibling?.textContent ?? '').className = 'number soft';
    }
  };
  const choose = (index) => {
    for (const element of drawn[chosen] ?? []) element.classList.remove('chosen');
    chosen = index;
    for (const element of drawn[chosen] ?? []) element.classList.add('chosen');
    spots.forEach((spot, at) => spot.element.setAttribute('aria-selected', String(at === chosen)));
    if (chosen >= 0) {
      sheet.setAttribute('aria-activedescendant', `spot-${chosen}`);
      reveal(chosen);
    } else sheet.removeAttribute('aria-activedescendant');
    fillCard(chosen);
    draw();
  };
  /* Who stands next in a direction: the closest within 45 degrees, distance across counting double. */
  const next = (dx, dy) => {
    const start = spots[chosen];
    if (start === undefined) return 0;
    let best = chosen, least = Infinity;
    spots.forEach((spot, index) => {
      const along = (spot.x - start.x) * dx + (spot.y - start.y) * dy;
      const across = Math.abs((spot.x - start.x) * dy - (spot.y - start.y) * dx);
      if (index === chosen || along <= 0 || across > along || along + 2 * across >= least) return;
      [best, least] = [index, along + 2 * across];
    });
    return best;
  };

  /* ---- finding ---- */
  const plain = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  const search = () => {
    const wanted = plain(find.value.trim());
    matching = wanted === '' ? null : new Set(spots.map((_, index) => index).filter((index) => plain(spots[index].name).includes(wanted)));
    spots.forEach((_, index) => {
      const isOut = matching !== null && !matching.has(index);
      for (const element of drawn[index]) element.classList.toggle('faded', isOut);
      for (const row of [rows[index], near[index]]) if (row !== undefined) row.hidden = isOut;
    });
    found.textContent = matching === null ? '' : `${matching.size} of ${spots.length}`;
    if (matching !== null && matching.size === 1) choose([...matching][0]);
    else draw();
  };

  /* ---- pointers and keys ---- */
  const frame = sheet.parentElement;
  const down = new Map();
  let travelled = 0;
  const place = (event) => {
    const box = frame.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const lift = (event) => down.delete(event.pointerId);
  frame.addEventListener('pointerdown', (event) => {
    if (down.size === 0) travelled = 0;
    down.set(event.pointerId, place(event));
  });
  frame.addEventListener('pointermove', (event) => {
    const before = down.get(event.pointerId);
    if (before === undefined) return;
    const now = place(event);
    const other = [...down].find(([pointer]) => pointer !== event.pointerId)?.[1];
    down.set(event.pointerId, now);
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (travelled > 5 && !frame.hasPointerCapture(event.pointerId)) frame.setPointerCapture(event.pointerId);
    if (other === undefined) {
      pan(now.x - before.x, now.y - before.y);
      return;
    }
    const was = Math.hypot(before.x - other.x, before.y - other.y), is = Math.hypot(now.x - other.x, now.y - other.y);
    if (was > 0 && is > 0) zoom(is / was, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  });
  frame.addEventListener('pointerup', lift);
  frame.addEventListener('pointercancel', lift);
  frame.addEventListener('wheel', (event) => {
    /* Only with Ctrl: who scrolls the page should not get stuck in the map. */
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * 0.004), place(event));
  }, { passive: false });
  spots.forEach((spot, index) => {
    spot.element.addEventListener('click', () => {
      if (travelled <= 5) choose(index);
    });
    spot.element.addEventListener('pointerenter', () => {
      if (down.size === 0) fillCard(index);
    });
    spot.element.addEventListener('pointerleave', () => fillCard(chosen));
  });
  sheet.addEventListener('keydown', (event) => {
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (arrow !== undefined && event.shiftKey) pan(-arrow[0] * 60, arrow[1] * 60);
    else if (arrow !== undefined) choose(next(arrow[0], arrow[1]));
    else if (event.key === '+' || event.key === '=') zoom(STEP);
    else if (event.key === '-') zoom(1 / STEP);
    else if (event.key === '0') showAll();
    else if (event.key === 'Escape') choose(-1);
    else return;
    event.preventDefault();
  });
  const showAll = () => {
    view = null;
    draw();
  };
  const ZOOMS = { in: () => zoom(STEP), out: () => zoom(1 / STEP), all: showAll };
  for (const button of document.querySelectorAll('[data-zoom]')) button.addEventListener('click', ZOOMS[button.dataset.zoom]);
  find.addEventListener('input', search);
  find.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && matching !== null && matching.size > 0) choose([...matching][0]);
  });
  colour.addEventListener('change', recolour);
  addEventListener('beforeprint', () => {
    for (const details of document.querySelectorAll('details')) details.open = true;
  });

  /* ---- to begin with ---- */
  for (const element of document.querySelectorAll('[data-script]')) element.hidden = false;
  frame.classList.add('live');
  sheet.setAttribute('role', 'listbox');
  sheet.setAttribute('tabindex', '0');
  sheet.setAttribute('aria-describedby', 'keys');
  for (const spot of spots) {
    spot.element.setAttribute('role', 'option');
    spot.element.setAttribute('aria-label', spot.name);
    spot.element.setAttribute('aria-selected', 'false');
  }
  recolour();
  new ResizeObserver(([entry]) => {
    const { width, height } = entry.contentRect;
    if (width === 0 || height === 0) return;
    size = { width, height };
    fit();
    draw();
  }).observe(frame);
})();
