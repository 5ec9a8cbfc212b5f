// The board: what is open, for how long, and what can be done next.
import { h, icon, reconcile, write } from "./dom.js";
import { log } from "./log.js";
import { elapsed, clockTime, day, now } from "./moments.js";
import { eventsOf, open } from "./operations.js";
import { press } from "./press.js";
import { iconOf, stampOf } from "./tiles.js";

let list = null;
let count = null;
let acts = true;

export function start(element, counter, mayRecord) {
  [list, count, acts] = [element, counter, mayRecord];
  setInterval(tick, 1000);
}

export function draw() {
  if (!list) return;
  const running = open();
  for (const each of document.querySelectorAll(".open-count")) write(each, String(running.length));
  if (count) write(count, String(running.length));
  const rows = running.map((operation) => ({
    key: operation.uuid,
    stamp: [operation.state, operation.cast, operation.station, operation.long, operation.pending, operation.started_at, acts, said(operation)].join("|"),
    make: () => card(operation),
  }));
  if (!rows.length) rows.push({ key: "none", stamp: "", make: () => h("li", { class: "nothing" }, "Nothing is in the water or running. What you begin with a button shows here until it is ended.") });
  reconcile(list, rows);
  tick();
}

// "deployed 01:58:05 · at depth 02:51:40"
function said(operation) {
  const today = day(now());
  return eventsOf(operation.uuid)
    .slice(-3)
    .map((event) => `${event.action} ${day(event.observed_at) === today ? "" : `${day(event.observed_at).slice(5)} `}${clockTime(event.observed_at)}`)
    .join(" · ");
}

// What runs in the background is one line with one button.
function calm(operation) {
  const step = operation.next[0];
  return h(
    "li",
    { class: `operation calm${operation.pending ? " waiting" : ""}` },
    h("h3", {}, title(operation), " ", h("small", {}, operation.state)),
    h("span", { class: "elapsed", "data-since": operation.started_at }),
    acts &&
      step &&
      operation.kind !== "cruise" &&
      h("button", { type: "button", class: "button", "data-focus": step.action, onclick: (event) => act(operation, step, event.currentTarget) }, step.label, h("span", { class: "unseen" }, ` ${title(operation)}`)),
  );
}

const title = (operation) => [operation.instrument, operation.cast && `cast ${operation.cast}`].filter(Boolean).join(" ");

function card(operation) {
  if (operation.calm) return calm(operation);
  const about = [operation.state, operation.station && `station ${operation.station}`].filter(Boolean).join(" · ");
  return h(
    "li",
    { class: `operation${operation.long ? " long" : ""}${operation.pending ? " waiting" : ""}` },
    h("h3", {}, title(operation)),
    h("span", { class: "elapsed", "data-since": operation.started_at }),
    h("p", {}, about),
    h("p", { class: "said" }, said(operation)),
    operation.long && h("p", { class: "asks" }, `Longer than usual. Is it over? Log what ended it, with the time when it was.`),
    acts &&
      operation.next.length > 0 &&
      h(
        "div",
        { class: "actions" },
        operation.next.slice(0, 4).map((step, rank) =>
          h(
            "button",
            {
              type: "button",
              class: rank === 0 ? "tile lit" : "tile",
              "data-focus": step.action,
              onclick: (event) => act(operation, step, event.currentTarget),
            },
            icon(iconOf(step.action)),
            h("span", {}, step.label, h("span", { class: "unseen" }, ` ${title(operation)}`)),
          ),
        ),
      ),
  );
}

function act(operation, step, button) {
  const template = [...log.templates.values()].find((each) => each.instrument === operation.instrument && each.action === step.action);
  press({
    template: template ?? { instrument: operation.instrument, action: step.action, kind: operation.kind },
    operation: operation.uuid,
    at: stampOf(button),
    button,
  });
}

function tick() {
  for (const span of list?.querySelectorAll(".elapsed") ?? []) write(span, elapsed(now() - Date.parse(span.dataset.since)));
}
