// The time line: <div class="timeline" data-lanes="URL" data-label="…">what to read without it</div>
//
// A lane for each instrument; operations are bars, open at the right while they go on; events are ticks, or columns of
// counts when they are many; bands are UTC days. One item takes the tab key, arrows walk: left and right in a lane, up and
// down between lanes. Every item is a link whose name says what its drawing shows; the table below it tells the same.
const SVG = "http://www.w3.org/2000/svg";
const LANE = 34;
const AXIS = 40;
const NARROW = 560;
const STEPS = [
  60e3, 5 * 60e3, 10 * 60e3, 30 * 60e3, 3600e3, 2 * 3600e3, 3 * 3600e3, 6 * 3600e3, 12 * 3600e3,
  86400e3, 2 * 86400e3, 5 * 86400e3, 10 * 86400e3, 30 * 86400e3, 90 * 86400e3, 365 * 86400e3,
];
const DAY = 86400e3;

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function html(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

const stamp = (at, until = 19) => new Date(at).toISOString().slice(0, until).replace("T", " ");

/** What the server told, with times in milliseconds and each item's own words. */
export function read(json) {
  const now = Date.parse(json.now);
  const lanes = json.lanes.map((lane) => {
    const bars = lane.bars.map((bar) => {
      const from = Date.parse(bar.from);
      const to = bar.to ? Date.parse(bar.to) : bar.open ? now : from;
      const words = bar.to ? `to ${stamp(to)}` : bar.open ? "still open" : "without an end";
      return { kind: bar.open ? "bar open" : bar.to ? "bar" : "bar loose", from, to, url: bar.url,
        words: `${lane.name} ${bar.label}: ${stamp(from)} UTC ${words}` };
    });
    const ticks = lane.ticks.map((tick) => {
      const from = Date.parse(tick.at);
      const to = tick.end ? Date.parse(tick.end) : from;
      const words = `${lane.name} ${tick.label}${tick.struck ? ", struck" : ""}: ${stamp(from)}`;
      return { kind: tick.struck ? "tick struck" : "tick", from, to, url: tick.url,
        words: `${words}${to > from ? ` to ${stamp(to)}` : ""} UTC` };
    });
    const most = Math.max(1, ...lane.bins.map((bin) => bin.count));
    const bins = lane.bins.map((bin) => {
      const from = Date.parse(bin.at);
      return { kind: "bin", from, to: from + json.bin_s * 1000, share: bin.count / most, url: bin.url,
        words: `${lane.name}: ${bin.count} events from ${stamp(from, 16)} to ${stamp(from + json.bin_s * 1000, 16)} UTC` };
    });
    const items = [...bars, ...ticks, ...bins].sort((a, b) => a.from - b.from || b.to - a.to);
    return { name: lane.name, count: lane.count, items };
  });
  return { lanes, from: Date.parse(json.from), to: Math.max(Date.parse(json.to), Date.parse(json.from) + 60e3) };
}

function draw(container, told) {
  const pad = Math.max((told.to - told.from) * 0.02, 30e3);
  const all = { from: told.from - pad, to: told.to + pad };
  const view = { ...all };
  let chosen; // the item that takes the tab key
  const nodes = new Map();

  const bar = html("div", "timeline-tools");
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Look closer");
  const button = (words, act) => {
    const made = html("button", "button small", words);
    made.type = "button";
    made.addEventListener("click", act);
    bar.append(made);
    return made;
  };
  const range = html("output", "muted small");
  button("Closer", () => zoom(0.5));
  button("Wider", () => zoom(2));
  button("Earlier", () => shift(-0.4));
  button("Later", () => shift(0.4));
  button("All", () => { Object.assign(view, all); paint(); });
  bar.append(range);
  const tip = html("p", "timeline-tip");
  tip.setAttribute("aria-hidden", "true"); // a screen reader hears the same from the item itself
  tip.textContent = "Point at a mark, or walk with the arrow keys.";
  const drawing = svg("svg", { role: "group", "aria-label": container.dataset.label ?? "Time line" });
  container.replaceChildren(bar, drawing, tip);
  container.classList.add("drawn");

  function zoom(factor, at = (view.from + view.to) / 2) {
    const width = Math.min(Math.max((view.to - view.from) * factor, 60e3), (all.to - all.from));
    const share = (at - view.from) / (view.to - view.from);
    view.from = at - share * width;
    view.to = view.from + width;
    hold();
  }

  function shift(share) {
    const by = (view.to - view.from) * share;
    view.from += by;
    view.to += by;
    hold();
  }

  function hold() {
    const width = view.to - view.from;
    view.from = Math.min(Math.max(view.from, all.from), all.to - width);
    view.to = view.from + width;
    paint();
  }

  function paint() {
    const focused = nodes.get(chosen) === document.activeElement && chosen;
    const width = Math.max(container.clientWidth, 280);
    const narrow = width < NARROW;
    const left = narrow ? 4 : Math.min(180, width * 0.2);
    const lane = narrow ? LANE + 18 : LANE;
    const height = AXIS + told.lanes.length * lane + 6;
    const x = (at) => left + ((at - view.from) / (view.to - view.from)) * (width - left - 8);
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.setAttribute("width", width);
    drawing.setAttribute("height", height);
    drawing.replaceChildren(...bands(x, left, width, height), ...scale(x, left, width, height));
    nodes.clear();
    told.lanes.forEach((each, row) => {
      const top = AXIS + row * lane;
      const middle = top + lane - LANE / 2;
      drawing.append(svg("line", { class: "timeline-rule", x1: 0, x2: width, y1: top, y2: top }));
      const name = svg("text", { class: "timeline-name", x: 4, y: narrow ? top + 14 : middle + 4 });
      name.textContent = shorten(each.name, (narrow ? width : left) / 7.8);
      drawing.append(name);
      const group = svg("g", { role: "group", "aria-label": `${each.name}, ${each.count} events` });
      for (const item of each.items) {
        if (item.to < view.from || item.from > view.to) continue;
        const node = mark(item, x, middle, left, width);
        nodes.set(item, node);
        group.append(node);
      }
      drawing.append(group);
    });
    if (!nodes.has(chosen)) chosen = nodes.keys().next().value;
    nodes.get(chosen)?.setAttribute("tabindex", "0");
    if (focused) nodes.get(focused)?.focus();
    range.textContent = `${stamp(view.from, 16)} to ${stamp(view.to, 16)} UTC`;
  }

  function mark(item, x, middle, left, width) {
    const from = Math.max(x(item.from), left);
    const to = Math.min(x(item.to), width - 4);
    const link = svg("a", { href: item.url, tabindex: "-1", "aria-label": item.words, class: `timeline-${item.kind}` });
    if (item.kind === "bin") {
      const tall = Math.max(3, item.share * (LANE - 10));
      link.append(svg("rect", { x: from, y: middle + LANE / 2 - 5 - tall, width: Math.max(to - from - 0.5, 1.5), height: tall }));
    } else if (item.kind.startsWith("bar")) {
      const end = Math.max(to, from + 3);
      const cut = item.kind === "bar" ? "Z" : "";
      const edge = item.kind === "bar" ? "" : `M${end - 5} ${middle - 9}l5 9l-5 9`;
      link.append(svg("rect", { class: "body", x: from, y: middle - 9, width: end - from, height: 18 }));
      link.append(svg("path", { class: "edge", d: `M${end} ${middle - 9}H${from}V${middle + 9}H${end}${cut}${edge}` }));
    } else {
      if (to - from > 2) link.append(svg("rect", { class: "lasting", x: from, y: middle - 2, width: to - from, height: 4 }));
      link.append(svg("rect", { class: "reach", x: from - 6, y: middle - 15, width: 12, height: 30 }));
      link.append(svg("line", { x1: from, x2: from, y1: middle - 11, y2: middle + 11 }));
    }
    const say = () => { tip.textContent = item.words; };
    link.addEventListener("focus", () => { choose(item); say(); });
    link.addEventListener("pointerenter", say);
    return link;
  }

  function choose(item) {
    nodes.get(chosen)?.setAttribute("tabindex", "-1");
    chosen = item;
    nodes.get(item)?.setAttribute("tabindex", "0");
  }

  function go(item) {
    if (!item) return;
    if (!nodes.has(item)) {
      const width = view.to - view.from;
      view.from = item.from - width / 2;
      view.to = view.from + width;
      hold();
    }
    choose(item);
    nodes.get(item)?.focus();
  }

  drawing.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const row = told.lanes.findIndex((lane) => lane.items.includes(chosen));
    if (row < 0) return;
    const { items } = told.lanes[row];
    const place = items.indexOf(chosen);
    const closest = (way) => {
      for (let next = row + way; told.lanes[next]; next += way) {
        const all = told.lanes[next].items;
        if (all.length) {
          return all.reduce((best, each) => (Math.abs(each.from - chosen.from) < Math.abs(best.from - chosen.from) ? each : best));
        }
      }
      return undefined;
    };
    const act = {
      ArrowLeft: () => go(items[place - 1]),
      ArrowRight: () => go(items[place + 1]),
      ArrowUp: () => go(closest(-1)),
      ArrowDown: () => go(closest(1)),
      Home: () => go(items[0]),
      End: () => go(items[items.length - 1]),
      "+": () => zoom(0.5, chosen.from),
      "-": () => zoom(2, chosen.from),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  new ResizeObserver(paint).observe(container);
  paint();

  function bands(x, left, width, height) {
    const made = [];
    const first = Math.floor(view.from / DAY);
    const last = Math.floor(view.to / DAY);
    if (last - first > 400) return made;
    for (let day = first; day <= last; day += 1) {
      if (day % 2) continue;
      const from = Math.max(x(day * DAY), left);
      const to = Math.min(x((day + 1) * DAY), width - 4);
      if (to > from) made.push(svg("rect", { class: "timeline-day", x: from, y: AXIS - 18, width: to - from, height: height - AXIS + 18 }));
    }
    return made;
  }

  function scale(x, left, width, height) {
    const room = Math.max(2, Math.floor((width - left) / 110));
    const step = STEPS.find((each) => (view.to - view.from) / each <= room) ?? STEPS[STEPS.length - 1];
    const made = [];
    let day = "";
    for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
      const text = svg("text", { class: "timeline-scale", x: x(at) + 3, y: 16 });
      const date = stamp(at, 10);
      text.textContent = step >= DAY ? date : date === day ? stamp(at, 16).slice(11) : `${date.slice(5)} ${stamp(at, 16).slice(11)}`;
      day = date;
      if (x(at) + 60 < width) made.push(text);
      made.push(svg("line", { class: "timeline-grid", x1: x(at), x2: x(at), y1: 4, y2: height - 4 }));
    }
    return made;
  }
}

// Long names differ at their ends as often as at their beginnings, so the middle goes.
function shorten(text, most) {
  if (text.length <= most) return text;
  const half = Math.max(3, Math.floor((most - 1) / 2));
  return `${text.slice(0, half).trimEnd()}…${text.slice(-half).trimStart()}`;
}

for (const container of document.querySelectorAll(".timeline[data-lanes]")) {
  fetch(container.dataset.lanes, { headers: { Accept: "application/json" } })
    .then((answer) => {
      if (!answer.ok) throw new Error(`${container.dataset.lanes} answered ${answer.status}`);
      return answer.json();
    })
    .then((json) => {
      if (json.lanes.length) draw(container, read(json));
    })
    .catch((error) => {
      console.error(error);
      container.append(html("p", "notice warn", "The time line could not be drawn. Load the page again, or use the table below."));
    });
}
