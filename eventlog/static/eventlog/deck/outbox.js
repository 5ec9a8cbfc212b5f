// The outbox: what people logged, in order, until the server has acknowledged each item. Nothing is taken out before.
//
// An item is never altered; only its state is: waiting -> done | conflict | refused -> (waiting again) | settled.
// Of one event at most one item is on its way at a time, so that what comes of one is known before the next is sent.
import * as store from "./store.js";
import { uuid } from "./ids.js";
import { iso, now, offset, sure } from "./moments.js";
import { call, token, words } from "./wire.js";

const MOST = 100; // items in a batch (the server takes 200)
const MOST_CHARACTERS = 1_000_000;
const WAITS = [1, 2, 4, 8, 15, 30]; // s between attempts while there is no network
const KEEP_DONE = 3 * 86_400_000; // ms for which sent items stay on the tablet as a second copy
const OPEN = new Set(["waiting", "conflict", "refused"]);
const TIMES = new Set(["observed_at", "ended_at"]);

let config = null; // {cruise, api, device: () => ({uuid, name}), you: () => uuid, identify: async () => status}
let items = [];
const listeners = new Set();
let session = null; // the session of which we know whose it is
let attempt = 0; // failures since the last answer
let size = MOST; // halved when the server stumbles over a batch, so that one bad item does not hold the others
let timer = 0;
let busy = false;
const postponed = new Map(); // id of an item on which the server failed -> when it may be sent again
export const link = { sending: false, offline: false, signedOut: false, forbidden: "" };

/** Called with nothing after every change of the queue or of the link. */
export function onOutbox(listener) {
  listeners.add(listener);
}
let arrived = () => {};
/** Called with an event's row whenever the server told how it stands now. */
export function onArrival(listener) {
  arrived = listener;
}

export async function start(given) {
  config = given;
  await reload();
  await prune();
  addEventListener("online", () => hurry());
  document.addEventListener("visibilitychange", () => document.hidden || hurry());
  store.channel?.addEventListener("message", async ({ data }) => {
    if (data.kind !== "outbox") return;
    await reload();
    if (!waiting().length) link.offline = false; // the other tab has sent it
    changed(false);
  });
  setInterval(() => store.fragile() && store.rescue(), 10_000);
}

/** The server said who is signed in, at this moment. */
export function identified() {
  session = token();
}

async function reload() {
  items = (await store.all("items")).filter((item) => item.cruise === config.cruise);
}

/** Items that are not settled, oldest first. */
export const waiting = () => items.filter((item) => OPEN.has(item.state));
/** All items on this tablet, sent ones too, oldest first. */
export const everything = () => items;
export const of = (event) => items.filter((item) => item.uuid === event && OPEN.has(item.state));

/**
 * Appends an item; resolves once it is on the disk (false: in memory only, which the page tells loudly).
 * `base` holds the fields as the person saw them, `seen` the revision that was on the screen (none: not sent yet).
 */
export async function append({ verb, event, fields, base, seen, reason, press, person, pass, before }) {
  const item = {
    id: uuid(),
    cruise: config.cruise,
    verb,
    uuid: event,
    fields: fields ?? {},
    base: base ?? {},
    seen: seen ?? null,
    reason: reason ?? "",
    press: Boolean(press),
    before: before ?? null, // how the event looked, for undoing
    made: iso(now()),
    clock: { offset_s: -offset() / 1000, sure: sure() },
    by: person, // {uuid, name}
    pass: pass ?? null,
    state: "waiting",
  };
  const safe = await store.put("items", item);
  items.push(item);
  changed();
  hurry();
  return { item, safe };
}

/** Sets the state of an item; what was made stays as it was made. */
async function mark(item, change) {
  Object.assign(item, change);
  await store.put("items", item);
}

function changed(tellOthers = true) {
  if (tellOthers) store.tell({ kind: "outbox" });
  try {
    // For the frame of the other pages, which asks before somebody signs out.
    localStorage.setItem("leadline-waiting", String(waiting().length));
  } catch {
    // no storage: then nobody asks
  }
  for (const listener of listeners) listener();
}

/** Sends now, whatever the backoff says. */
export function hurry() {
  clearTimeout(timer);
  timer = setTimeout(pump, 0);
}

function later() {
  clearTimeout(timer);
  const wait = WAITS[Math.min(attempt, WAITS.length - 1)] * (0.75 + Math.random() / 2);
  attempt += 1;
  timer = setTimeout(pump, wait * 1000);
}

// One tab sends at a time. Without Web Locks (plain http) each tab sends what it knows of: every item carries its id,
// so that the server makes it once; that costs bytes and nothing else.
async function pump() {
  if (busy || !config) return;
  busy = true;
  try {
    if (navigator.locks) {
      await navigator.locks.request(`leadline-send-${config.cruise}`, { ifAvailable: true }, async (lock) => {
        if (lock) await drain();
        else later();
      });
    } else await drain();
  } finally {
    busy = false;
    link.sending = false;
    changed(false);
  }
}

async function drain() {
  await reload();
  for (;;) {
    const batch = ready();
    if (!batch.length) {
      attempt = 0;
      link.offline = false; // nothing of ours is left that could not be sent; whether there is a network the feed tells
      if (postponed.size) later();
      return;
    }
    link.sending = true;
    changed(false);
    // Somebody signed in since: who it is must be known before anything is sent under that name.
    if (token() !== session) {
      const asked = token();
      if ((await config.identify()) !== 200) return later();
      session = asked;
      continue;
    }
    if (!(await send(batch))) return later();
    attempt = 0;
  }
}

// The next items that may be sent: of each event the oldest open one, if it is waiting and its author is known to the
// server by the session or by a pass.
function ready() {
  const taken = new Set();
  const batch = [];
  let characters = 0;
  for (const item of waiting()) {
    if (taken.has(item.uuid)) continue;
    taken.add(item.uuid);
    if (item.state !== "waiting" || !mine(item) || (postponed.get(item.id) ?? 0) > performance.now()) continue;
    characters += JSON.stringify(item.fields).length + 400;
    if (batch.length && (batch.length >= size || characters > MOST_CHARACTERS)) break;
    batch.push(item);
  }
  return batch;
}

/** Whether the server would write this item down under its author's name. Otherwise it waits for that person. */
export function mine(item) {
  return Boolean(item.pass) || !item.by?.uuid || !config.you() || item.by.uuid === config.you();
}

async function send(batch) {
  const aliases = (await store.get("settings", "aliases"))?.value ?? {};
  const body = {
    device: { ...config.device(), now: new Date().toISOString(), waiting: waiting().length, page: config.page ?? "log" },
    items: batch.map((item) => parcel(item, aliases)),
  };
  const { status, body: answer } = await call(`${config.api}/events:batch`, { method: "POST", json: body });
  link.offline = status === 0 || status >= 500;
  link.signedOut = status === 401;
  link.forbidden = status === 403 ? words(answer, "You may not write in this log.") : "";
  if (status === 403 && /credentials|csrf|log in|sign in/i.test(link.forbidden)) {
    link.signedOut = true;
    link.forbidden = "";
  }
  if (status === 200 && Array.isArray(answer?.results)) {
    size = MOST;
    return settle(batch, answer.results, aliases);
  }
  if (status === 0 || status === 401 || status === 403 || status === 404 || status === 429) return false;
  if (batch.length > 1) {
    size = Math.max(1, Math.floor(batch.length / 2));
    return status < 500;
  }
  if (status >= 400 && status < 500) {
    await mark(batch[0], { state: "refused", problem: answer ?? { detail: `The server answered ${status}.` } });
    return true;
  }
  return false;
}

// What goes over the wire. A person who edits an event twice without network has seen the own first edit, but not what
// others did meanwhile: `seen` is the revision that was on the screen, `mine` names this tablet's own changes since.
function parcel(item, aliases) {
  const sent = { id: item.id, verb: item.verb, uuid: aliases[item.uuid] ?? item.uuid, logged_at: item.made };
  if (item.verb === "record" || item.verb === "revise") sent.fields = item.fields;
  if (item.verb === "record") sent.press = item.press;
  else {
    sent.seen = item.seen ?? 1;
    const own = items.filter((other) => other.uuid === item.uuid && other.n < item.n && other.state === "done");
    if (own.length) sent.mine = own.map((other) => other.id).slice(-100);
  }
  if (item.clock) sent.clock = { offset_s: item.clock.offset_s, corrected: true };
  if (item.reason) sent.reason = item.reason.slice(0, 1000);
  if (item.pass) sent.pass = item.pass;
  return sent;
}

/** Whether two values of a field are the same to a reader: times by the moment, empty as nothing. */
export function same(name, one, other) {
  const [a, b] = [one ?? "", other ?? ""];
  if (TIMES.has(name) && a && b) return Date.parse(a) === Date.parse(b);
  if (typeof a === "object" || typeof b === "object") return sorted(a) === sorted(b);
  return String(a) === String(b);
}

function sorted(value) {
  if (value === "" || typeof value !== "object") return "{}";
  return JSON.stringify(Object.keys(value).sort().map((name) => [name, value[name]]));
}

async function settle(batch, results, aliases) {
  const byId = new Map(results.map((result) => [result.id, result]));
  let settled = 0;
  for (const item of batch) {
    const result = byId.get(item.id);
    if (!result) continue;
    settled += 1;
    if (result.result === "bounced" && result.event && result.event.uuid !== item.uuid) {
      // Somebody pressed the same button at the same moment: ours is theirs, and later edits of ours go there.
      aliases[item.uuid] = result.event.uuid;
      await store.put("settings", { name: "aliases", value: aliases });
    }
    if (["done", "known", "bounced"].includes(result.result)) {
      if (result.event) await arrived(result.event, result.result === "bounced" ? item.uuid : null);
      await mark(item, { state: "done", sent: iso(now()) });
      postponed.delete(item.id);
    } else if (result.result === "failed") {
      // The server's fault: the item waits, and the others go on.
      postponed.set(item.id, performance.now() + 30_000);
    } else {
      const stands = result.event ?? result.problem?.event;
      if (stands?.uuid) await arrived(stands, null);
      await mark(item, { state: result.result === "conflict" ? "conflict" : "refused", problem: result.problem ?? null });
    }
  }
  changed();
  return settled > 0;
}

/** A person looked at a conflict or a refusal: this item is settled, and what they chose is a new item. */
export async function resolve(item, choice) {
  await mark(item, { state: "settled", choice });
  changed();
  hurry();
}

/** Sends a refused item again as it is (the reason may have gone). */
export async function again(item) {
  await mark(item, { state: "waiting", problem: null });
  changed();
  hurry();
}

async function prune() {
  const old = now() - KEEP_DONE;
  for (const item of items.filter((each) => each.state === "done" || each.state === "settled")) {
    const open = items.some((other) => other.uuid === item.uuid && OPEN.has(other.state));
    if (!open && Date.parse(item.sent ?? item.made) < old) await store.remove("items", item.n);
  }
  await reload();
}
