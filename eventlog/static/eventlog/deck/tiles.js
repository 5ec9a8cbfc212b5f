// The tiles: a button per instrument and action. Their order is made once, most used first, and then stays: nothing
// moves under a finger. What changes is which of them is lit, and the small words on it.
import { h, icon, reconcile } from "./dom.js";
import { events, log } from "./log.js";
import { age, now } from "./moments.js";
import { nextCast, open, reading } from "./operations.js";
import { press } from "./press.js";

const RECENT = 14 * 86_400_000;
const ICONS = [
  [/^(deploy|launch|startsample)/i, "deploy"],
  [/^(recover|ondeck)/i, "recover"],
  [/^(maxdepth|onbottom|atdepth)/i, "gauge"],
  [/^(stop|end|abort|leave)/i, "stop"],
  [/^(start|begin|startline)/i, "play"],
  [/^arrive/i, "position"],
  [/^release/i, "release"],
  [/^(service|repair)/i, "settings"],
  [/sample/i, "sample"],
];
let order = null;
let list = null;
const stamps = new Map(); // button -> when the finger or key came down

export const iconOf = (action) => ICONS.find(([pattern]) => pattern.test(action))?.[1] ?? "plus";

export function start(element) {
  list = element;
  list.addEventListener("pointerdown", stamp, true);
  list.addEventListener("keydown", (event) => (event.key === "Enter" || event.key === " ") && !event.repeat && stamp(event), true);
}

function stamp(event) {
  const tile = event.target.closest?.(".tile");
  if (tile) stamps.set(tile, now());
}

/** When this button was pressed: the finger's coming down, not its going up. */
export function stampOf(tile) {
  const at = stamps.get(tile);
  stamps.delete(tile);
  return at && now() - at < 10_000 ? at : now();
}

/** The templates in the order of the tiles: {uuid: template}, grouped by instrument. */
export function offered() {
  const visible = [...log.templates.values()].filter((template) => !template.is_hidden);
  if (!order || visible.some((template) => !order.has(template.uuid))) order = ranked(visible);
  return visible.sort((a, b) => order.get(a.uuid) - order.get(b.uuid));
}

function ranked(visible) {
  const since = now() - RECENT;
  const uses = new Map();
  for (const event of log.events.values()) {
    if (event.struck || Date.parse(event.observed_at) < since) continue;
    uses.set(event.instrument, (uses.get(event.instrument) ?? 0) + 1);
  }
  const groups = [...new Set(visible.map((template) => template.instrument))];
  const first = (name) => Math.min(...visible.filter((t) => t.instrument === name).map((t) => t.order ?? 0));
  groups.sort((a, b) => (uses.get(b) ?? 0) - (uses.get(a) ?? 0) || first(a) - first(b));
  const inOrder = groups.flatMap((name) => visible.filter((t) => t.instrument === name).sort((a, b) => a.order - b.order));
  return new Map(inOrder.map((template, rank) => [template.uuid, rank]));
}

export function draw() {
  if (!list) return;
  const running = open();
  const groups = new Map();
  for (const template of offered()) {
    if (!groups.has(template.instrument)) groups.set(template.instrument, []);
    groups.get(template.instrument).push(template);
  }
  // Figures that no template has of its own go to the first tiles, in their order.
  const own = new Set([...log.templates.values()].map((template) => template.key).filter(Boolean));
  const free = [..."123456789"].filter((figure) => !own.has(figure));
  const rows = [...groups].map(([instrument, templates]) => {
    const tiles = templates.map((template) => tileOf(template, running, template.key || (free.shift() ?? "")));
    return {
      key: instrument,
      stamp: JSON.stringify(tiles.map(({ stamp: text }) => text)),
      make: () => h("section", { class: "group" }, h("h3", {}, instrument), h("div", { class: "tiles" }, tiles.map(({ make }) => make()))),
    };
  });
  if (!rows.length && log.loaded) rows.push({ key: "none", stamp: "", make: () => h("p", { class: "empty" }, "No buttons yet. Type in the line below, or ask the chief scientist to add templates.") });
  reconcile(list, rows);
}

function tileOf(template, running, shortcut) {
  const { instrument, action, kind } = template;
  const meant = reading(instrument, action, kind);
  const mine = running.filter((operation) => operation.instrument === instrument && operation.kind === meant?.kind);
  const lit = mine.find((operation) => operation.next[0]?.action === meant?.step.action && !operation.calm);
  const possible = mine.find((operation) => operation.next.some((step) => step.action === meant?.step.action));
  const cast = (operation) => (operation.cast ? `cast ${operation.cast} · ` : "");
  let small = "";
  if (lit || (possible && !meant.step.opens)) small = `${cast(lit ?? possible)}out ${age((lit ?? possible).since)}`;
  else if (meant?.step.opens) small = nextCast(instrument, meant.kind) && `next cast ${nextCast(instrument, meant.kind)}`;
  const stamp = [template.uuid, template.label, Boolean(lit), small, shortcut].join("|");
  const make = () =>
    h(
      "button",
      {
        type: "button",
        class: lit ? "tile lit" : "tile",
        "data-template": template.uuid,
        "data-focus": template.uuid,
        "data-shortcut": shortcut,
        "aria-keyshortcuts": shortcut || null,
        onclick: (event) => pressed(template, event.currentTarget),
      },
      icon(iconOf(action)),
      h("span", {}, labelOf(template), h("span", { class: "unseen" }, ` ${instrument}`)),
      small && h("small", {}, small),
      shortcut && h("kbd", { "aria-hidden": "true" }, shortcut),
    );
  return { stamp, make };
}

/** What stands on a button: its own label, else the word of its step. */
export function labelOf({ label, instrument, action, kind }) {
  return label || reading(instrument, action, kind)?.step.label || action;
}

export function pressed(template, button, at = stampOf(button)) {
  return press({ template, at, button });
}

/** Presses the tile that has this key, at this time; false where none has. */
export function byKey(key, at) {
  const tile = list?.querySelector(`[data-shortcut="${CSS.escape(key)}"]`);
  if (!tile) return false;
  pressed(log.templates.get(tile.dataset.template), tile, at);
  return true;
}
