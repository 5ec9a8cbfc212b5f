// The details of an event: opened after a press or from the stream. It lies beside the tiles and never over them, the
// focus stays where it was unless somebody asked for the sheet, and everything typed is kept as it is typed.
import * as drafts from "./drafts.js";
import * as outbox from "./outbox.js";
import { capture } from "./capture.js";
import { change } from "./press.js";
import { controls } from "./answers.js";
import { events, log, shown } from "./log.js";
import { h, icon, write } from "./dom.js";
import { hints, nearPlaces } from "./redpen.js";
import { iso, now, readTime } from "./moments.js";
import { operation } from "./operations.js";
import { toast } from "./toast.js";
import { where } from "./stream.js";

const TEXTS = ["instrument", "action", "station", "cast", "transect", "comment"];
const NUMBERS = ["latitude", "longitude", "seafloor_m"];
let place = null;
let config = null;
let open_ = null; // {uuid, base, seen, values, back}

export function start(element, given) {
  [place, config] = [element, given];
  place.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
}

export const isOpen = () => open_?.uuid ?? null;
const said = (event, name) => event[name] ?? (NUMBERS.includes(name) || name === "ended_at" ? null : name === "extra" ? {} : "");
const NAMES = [...TEXTS, ...NUMBERS, "observed_at", "ended_at", "extra"];

/** Opens the sheet of an event; `focus`: somebody asked for it. `template` adds its questions. */
export async function open(uuid, { focus = false, template = null } = {}) {
  const event = shown(uuid);
  if (!event) return;
  if (open_ && open_.uuid !== uuid) await save(true);
  const draft = await drafts.of(uuid);
  const base = draft?.base ?? Object.fromEntries(NAMES.map((name) => [name, said(event, name)]));
  const asks = template ?? [...log.templates.values()].find((each) => each.instrument === event.instrument && each.action === event.action);
  open_ = {
    uuid,
    base,
    seen: draft ? draft.seen : (event.revision ?? null),
    values: { ...base, ...draft?.values },
    fields: asks?.fields ?? [],
    back: document.activeElement,
  };
  draw(event);
  place.hidden = false;
  document.body.classList.add("with-sheet");
  if (focus) place.querySelector("h2").focus();
}

export async function close() {
  if (!open_) return;
  await save(true);
  hide();
}

function hide() {
  const inside = place.contains(document.activeElement);
  const { back, uuid } = open_;
  open_ = null;
  place.hidden = true;
  place.replaceChildren();
  document.body.classList.remove("with-sheet");
  if (!inside) return;
  const row = document.querySelector(`.stream [data-key="${CSS.escape(uuid)}"] button`);
  (back?.isConnected ? back : row)?.focus();
}

// What differs from what was there when the sheet was opened. A time that cannot be read is left as it was.
function differences() {
  const { base, values } = open_;
  const fields = {};
  for (const name of NAMES) if (!outbox.same(name, base[name], values[name])) fields[name] = values[name];
  return fields;
}

async function save(quiet = false) {
  const { uuid, base, seen } = open_;
  const fields = differences();
  const bad = place.querySelector('.row-fields [aria-invalid="true"]');
  if (bad && !quiet) {
    bad.focus();
    return;
  }
  const names = Object.keys(fields);
  if (names.length) {
    const was = Object.fromEntries(names.map((name) => [name, base[name]]));
    const { safe } = await change("revise", uuid, { fields, base: was, seen, reason: place.querySelector("#sheet-reason")?.value });
    toast(safe ? "Details kept." : "Details are in memory only.", { key: "press", tone: safe ? "good" : "warn", stays: 4000 });
  }
  await drafts.drop(uuid);
  if (!quiet) hide();
  else if (open_) open_.base = { ...open_.values };
}

function set(name, value) {
  open_.values[name] = value;
  const { uuid, base, seen, values } = open_;
  drafts.keep({ uuid, cruise: log.cruise, base, seen, values, at: iso(now()) });
  redpen();
}

function draw(event) {
  const { values, fields } = open_;
  const closed = log.about?.state === "closed";
  place.replaceChildren(
    h(
      "header",
      { class: "sheet-head" },
      h("h2", { tabindex: "-1" }, `${event.instrument} ${event.action}`),
      h("span", { class: "muted mono" }, event.number ?? "not numbered yet"),
      h("button", { type: "button", class: "button quiet", onclick: close, "aria-label": "Close the details" }, icon("close")),
    ),
    h(
      "form",
      { class: "form sheet-form", onsubmit: (submit) => (submit.preventDefault(), save()) },
      event.struck && h("p", { class: "notice warn" }, "This event is struck. It stays readable, and leaves the exports."),
      fields.length > 0 && controls(fields, values.extra, (extra) => set("extra", extra)),
      h("div", { class: "row-fields" }, time("observed_at", "When (UTC)"), station(), text("cast", "Cast"), time("ended_at", "Ended (UTC)", "if it lasted")),
      h("div", { class: "field" }, h("label", { for: "sheet-comment" }, "Comment"), h("textarea", { id: "sheet-comment", rows: 2, maxlength: 20000, value: values.comment, oninput: (e) => set("comment", e.target.value) })),
      capture(event.uuid),
      h(
        "details",
        { class: "more" },
        h("summary", {}, "Instrument, transect, position by hand"),
        h("p", { class: "muted" }, where(event) ? `Position: ${where(event)}${event.nav_method ? ` (${event.nav_method}${event.nav_feed ? `, ${event.nav_feed}` : ""})` : ""}` : "The position follows from navigation."),
        h("div", { class: "row-fields" }, text("instrument", "Instrument", "known-instruments"), text("action", "Action", "known-actions"), text("transect", "Transect"), figure("latitude", "Latitude", "°N", 90), figure("longitude", "Longitude", "°E", 180), figure("seafloor_m", "Depth", "m", 12000)),
      ),
      closed && h("div", { class: "field" }, h("label", { for: "sheet-reason" }, "Why is this late correction made?"), h("input", { id: "sheet-reason", required: true })),
      h("ul", { class: "hints", id: "sheet-hints", "aria-live": "polite" }),
      h(
        "div",
        { class: "actions" },
        h("button", { class: "button primary" }, icon("check"), "Keep"),
        h("button", { type: "button", class: "button", onclick: strike }, icon(event.struck ? "undo" : "delete"), event.struck ? "Restore" : "Strike"),
        event.number && h("a", { class: "button quiet", href: `${config.eventUrl}${event.uuid}/` }, icon("history"), "History"),
      ),
    ),
  );
  redpen();
}

async function strike() {
  const { uuid } = open_;
  const struck = shown(uuid)?.struck;
  await save(true);
  await change(struck ? "restore" : "strike", uuid, {});
  toast(struck ? "It stands again." : "Struck. It stays in the history.", { key: "press", stays: 5000 });
  hide();
}

function field(name, label, input, hint) {
  return h("div", { class: "field" }, h("label", { for: `sheet-${name}` }, label, hint && h("small", {}, ` ${hint}`)), input);
}

function text(name, label, list = null) {
  return field(name, label, h("input", { id: `sheet-${name}`, value: open_.values[name] ?? "", list, autocomplete: "off", oninput: (e) => set(name, e.target.value) }));
}

function figure(name, label, unit, most) {
  const read = (e) => {
    const typed = e.target.value.trim().replace(",", ".");
    const value = typed === "" ? null : Number(typed);
    const wrong = value !== null && !(Math.abs(value) <= most);
    e.target.setAttribute("aria-invalid", String(wrong));
    if (!wrong) set(name, value);
  };
  return field(name, label, h("input", { id: `sheet-${name}`, class: "short", inputmode: "decimal", value: open_.values[name] ?? "", oninput: read }), unit);
}

function time(name, label, hint = "") {
  const value = open_.values[name];
  const near = Date.parse(open_.values.observed_at) || now();
  const read = (e) => {
    const typed = e.target.value.trim();
    const at = typed === "" ? null : readTime(typed, near);
    const wrong = typed === "" ? name === "observed_at" : at === null;
    e.target.setAttribute("aria-invalid", String(wrong));
    if (!wrong) set(name, at === null ? null : iso(at));
  };
  const shownAs = value ? iso(Date.parse(value)).slice(0, 19).replace("T", " ") : "";
  return field(name, label, h("input", { id: `sheet-${name}`, class: "mono", value: shownAs, placeholder: name === "ended_at" ? "03:14" : "", autocomplete: "off", oninput: read }), hint);
}

function station() {
  const near = h("div", { class: "near", role: "group", "aria-label": "Known ones that it may be" });
  const input = h("input", { id: "sheet-station", value: open_.values.station ?? "", autocomplete: "off", list: "known-stations" });
  const offer = () => {
    const typed = input.value.trim();
    const offers = nearPlaces(typed, [...log.places.values()].filter((each) => each.kind === "station"));
    near.replaceChildren(
      ...offers.map((each) => h("button", { type: "button", class: "button small", onclick: () => ((input.value = each.name), set("station", each.name), offer(), input.focus()) }, `${each.name}?`)),
    );
  };
  input.addEventListener("input", () => (set("station", input.value), offer()));
  const made = field("station", "Station", input);
  made.append(near);
  return made;
}

function redpen() {
  const list = place.querySelector("#sheet-hints");
  if (!list || !open_) return;
  const event = { uuid: open_.uuid, ...shown(open_.uuid), ...open_.values };
  if (!outbox.same("observed_at", event.observed_at, open_.base.observed_at)) event.nav_latitude = event.nav_longitude = null;
  const found = hints(event, {
    now: now(),
    about: log.about,
    operation: event.operation ? operation(event.operation) : null,
    events: events(),
    terms: [...log.terms.values()],
    places: [...log.places.values()],
  });
  const made = found.map(({ field: name, text: what, fix }) =>
    h("li", {}, icon("warning"), h("span", {}, `${LABELS[name] ?? ""} ${what}.`.trim()), fix && h("button", { type: "button", class: "button small", onclick: () => apply(fix.values) }, fix.label)),
  );
  if (list.textContent !== made.map((item) => item.textContent).join("")) list.replaceChildren(...made);
}

const LABELS = { observed_at: "The time", ended_at: "The end", instrument: "The instrument", action: "The action", station: "The station", latitude: "The position" };

function apply(values) {
  for (const [name, value] of Object.entries(values)) {
    set(name, value);
    const input = place.querySelector(`#sheet-${name}`);
    if (input) input.value = name.endsWith("_at") ? value.slice(0, 19).replace("T", " ") : value;
  }
}

/** The sheet's head when the server answers: its number. What is being typed stays. */
export function refresh() {
  if (!open_) return;
  const event = shown(open_.uuid);
  if (!event) return;
  write(place.querySelector(".sheet-head .mono"), event.number ?? "not numbered yet");
  if (open_.seen === null && event.revision && !event.pending.some((item) => item.verb === "record")) open_.seen = event.revision;
}
