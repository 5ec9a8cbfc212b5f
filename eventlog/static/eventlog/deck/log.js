// The log as this tablet knows it: the rows that the server told, and over them what waits in the outbox.
import * as store from "./store.js";
import * as outbox from "./outbox.js";

export const log = {
  cruise: "",
  sequence: 0,
  about: null, // the log's own row: state, vessel …
  you: null,
  people: [],
  templates: new Map(),
  operations: new Map(),
  places: new Map(),
  terms: new Map(),
  attachments: new Map(),
  events: new Map(),
  present: [],
  ship: null, // {at, latitude, longitude, depth_m, course_deg, speed_mps, feed, age_s} and `heard`
  loaded: false,
};
const MAPS = {
  event: log.events,
  operation: log.operations,
  place: log.places,
  term: log.terms,
  template: log.templates,
  attachment: log.attachments,
};
const listeners = new Set();
let planned = false;

/** Called once per frame after anything changed. */
export function onLog(listener) {
  listeners.add(listener);
}

export function changed() {
  if (planned) return;
  planned = true;
  // A hidden tab draws no frames; a timer is good enough there.
  const soon = document.hidden ? (work) => setTimeout(work, 250) : requestAnimationFrame;
  soon(() => {
    planned = false;
    for (const listener of listeners) listener();
  });
}

/** What this tablet kept of the log. */
export async function restore(cruise) {
  log.cruise = cruise;
  const kept = await store.get("logs", cruise);
  if (kept) head(kept);
  for (const [thing, map] of Object.entries(MAPS)) {
    for (const { uuid, row } of await store.all("rows", store.rowsOf(cruise, thing))) map.set(uuid, row);
  }
  log.loaded = Boolean(kept);
  changed();
  return log.loaded;
}

function head({ sequence, about, you, people }) {
  log.sequence = sequence ?? 0;
  log.about = about ?? log.about;
  log.you = you ?? log.you;
  log.people = people ?? log.people;
}

async function keepHead(extra = {}) {
  const { cruise, sequence, about, you, people } = log;
  const kept = (await store.get("logs", cruise)) ?? {};
  await store.put("logs", { ...kept, cruise, sequence, about, you, people, ...extra });
}

/**
 * A snapshot from the server. Where this tablet kept the log, the number of its last change stays: the feed goes on from
 * there, so that old events that were changed meanwhile are told too.
 */
export async function take(snapshot, extra) {
  const rows = [];
  const add = (thing, list) => {
    for (const row of list ?? []) {
      if (!newer(thing, row)) continue;
      MAPS[thing].set(row.uuid, row);
      rows.push({ cruise: log.cruise, thing, uuid: row.uuid, row });
    }
  };
  add("event", snapshot.events);
  add("operation", snapshot.operations);
  add("place", snapshot.places);
  add("term", snapshot.terms);
  add("template", snapshot.templates);
  add("attachment", snapshot.attachments);
  const sequence = log.loaded && log.sequence <= snapshot.sequence ? log.sequence : snapshot.sequence;
  head({ ...snapshot, about: snapshot.log, sequence });
  log.loaded = true;
  await store.putAll("rows", rows);
  await keepHead(extra);
  changed();
}

/** Forgets what the server told, and nothing of the outbox. */
export async function forget() {
  for (const [thing, map] of Object.entries(MAPS)) {
    for (const uuid of map.keys()) await store.remove("rows", [log.cruise, thing, uuid]);
    map.clear();
  }
  log.sequence = 0;
  log.loaded = false;
}

function newer(thing, row) {
  const known = MAPS[thing].get(row.uuid);
  return !known || known.revision === undefined || (row.revision ?? Infinity) >= known.revision;
}

/** Changes of the feed, in their order. Returns false where one is missing before them: then catch up by the list. */
export async function apply(changes) {
  const rows = [];
  let whole = true;
  for (const change of changes) {
    if (change.sequence <= log.sequence) continue;
    if (change.sequence !== log.sequence + 1) {
      whole = false;
      break;
    }
    log.sequence = change.sequence;
    if (change.thing === "log" && change.row) log.about = change.row;
    const map = MAPS[change.thing];
    if (!map || !change.row) continue;
    if (newer(change.thing, change.row)) {
      map.set(change.thing_uuid, change.row);
      rows.push({ cruise: log.cruise, thing: change.thing, uuid: change.thing_uuid, row: change.row });
    }
  }
  await store.putAll("rows", rows);
  await keepHead();
  changed();
  return whole;
}

/** An event as the server answered it to an item of ours; `instead` is the id that we had given it, if it bounced. */
export async function arrived(row) {
  if (!newer("event", row)) return;
  log.events.set(row.uuid, row);
  await store.put("rows", { cruise: log.cruise, thing: "event", uuid: row.uuid, row });
  changed();
}

/**
 * Events as this tablet shows them: {…row, pending: [items]}. A recorded event that the server has not yet seen has no
 * `number` and no `revision`.
 */
export function shown(uuid) {
  const row = log.events.get(uuid);
  return over(row ?? null, outbox.of(uuid));
}

function over(row, items) {
  if (!items.length) return row ? { ...row, pending: items } : null;
  let event = row ? { ...row } : null;
  for (const item of items) {
    if (item.verb === "record" && !row) {
      event = { uuid: item.uuid, logged_at: item.made, author_name: item.by?.name ?? "", struck: false, ...item.fields };
    } else if (event && item.verb === "revise") Object.assign(event, item.fields);
    else if (event && item.verb === "strike") event.struck = true;
    else if (event && item.verb === "restore") event.struck = false;
  }
  // Edits of an event that this tablet no longer holds a copy of: show what was typed.
  event ??= { uuid: items[0].uuid, observed_at: items[0].made, instrument: "", action: "", ...items[0].base, ...items[0].fields };
  return { ...event, pending: items };
}

// Of one second the higher number was logged later; what has no number yet is the latest.
function newestFirst(a, b) {
  const later = Date.parse(b.observed_at) - Date.parse(a.observed_at);
  if (later) return later;
  const [one, other] = [a.number ?? "~", b.number ?? "~"];
  return one === other ? (a.uuid < b.uuid ? 1 : -1) : one < other ? 1 : -1;
}

/** All events, newest first by when they happened. */
export function events() {
  const pending = new Map();
  for (const item of outbox.waiting()) {
    if (!pending.has(item.uuid)) pending.set(item.uuid, []);
    pending.get(item.uuid).push(item);
  }
  const list = [];
  for (const [uuid, row] of log.events) list.push(pending.has(uuid) ? over(row, pending.get(uuid)) : { ...row, pending: [] });
  for (const [uuid, items] of pending) if (!log.events.has(uuid)) list.push(over(null, items));
  return list.sort(newestFirst);
}
