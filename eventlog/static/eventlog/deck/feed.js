// The change feed: server-sent events after the last number, the list of changes to catch up, and polling where a proxy
// swallows the stream. Of several tabs in a browser one listens and tells the others: browsers allow six connections.
import * as store from "./store.js";
import { apply, changed, forget, log, take } from "./log.js";
import { measured, now } from "./moments.js";
import { call } from "./wire.js";

const SILENCE = 40_000; // ms; the server says something every 15 s
const POLL = 5_000;
const WAITS = [1, 2, 4, 8, 15];

export const feed = { state: "starting" }; // live | polling | offline | signed out | missing
let config = null;
let source = null;
let heard = 0;
let failures = 0;
let leads = false;
let timer = 0;
let catching = null;
const listeners = new Set();

export function onFeed(listener) {
  listeners.add(listener);
}

function become(state) {
  if (feed.state === state) return;
  feed.state = state;
  for (const listener of listeners) listener(state);
  changed();
  if (leads) store.tell({ kind: "feed", cruise: config.cruise, state });
}

export function start(given) {
  config = given;
  store.channel?.addEventListener("message", ({ data }) => overheard(data));
  if (navigator.locks) {
    // Held until the tab goes; then the next tab leads.
    navigator.locks.request(`leadline-feed-${config.cruise}`, () => {
      lead();
      return new Promise(() => {});
    });
    catchUp();
  } else lead();
  addEventListener("online", () => leads && reconnect(0));
  addEventListener("offline", () => become("offline"));
  document.addEventListener("visibilitychange", () => !document.hidden && leads && performance.now() - heard > SILENCE && reconnect(0));
}

function lead() {
  leads = true;
  setInterval(() => source && performance.now() - heard > SILENCE && reconnect(0), 5_000);
  reconnect(0);
}

async function overheard(data) {
  if (leads || data.cruise !== config.cruise) return;
  if (data.kind === "changes" && !(await apply(data.changes))) await catchUp();
  if (data.kind === "feed") become(data.state);
  if (data.kind === "ship") ship(data.ship);
  if (data.kind === "presence") presence(data.present);
}

function reconnect(wait) {
  clearTimeout(timer);
  source?.close();
  source = null;
  timer = setTimeout(connect, wait);
}

function failed() {
  failures += 1;
  reconnect(WAITS[Math.min(failures, WAITS.length) - 1] * 1000 * (0.75 + Math.random() / 2));
}

async function connect() {
  // First the list: it tells why there may be no stream (signed out, no network), and empties what waited.
  const status = await catchUp();
  if (status === 0 || status >= 500) {
    become("offline");
    return failed();
  }
  if (status === 401 || status === 403) {
    become("signed out");
    return failed();
  }
  if (status !== 200) {
    become("missing");
    return failed();
  }
  if (!globalThis.EventSource) return poll();
  const who = new URLSearchParams({ after: log.sequence, ...config.presence() });
  source = new EventSource(`${config.api}/changes/stream?${who}`);
  heard = performance.now();
  let opened = false;
  source.onopen = () => {
    heard = performance.now();
  };
  source.onerror = () => {
    source?.close();
    source = null;
    // The list works and the stream does not: somebody on the way swallows it.
    if (!opened && failures >= 1 && navigator.onLine) return poll();
    // The browser would go on by itself, but from the number in the address; ours is newer. The list is asked at once,
    // and tells whether there is a network at all.
    if (opened && !failures) {
      failures = 1;
      return reconnect(200);
    }
    failed();
  };
  const on = (name, work) =>
    source.addEventListener(name, async ({ data }) => {
      heard = performance.now();
      opened = true;
      failures = 0;
      become("live");
      await work(JSON.parse(data));
    });
  on("change", received);
  on("reset", () => startAgain());
  on("time", ({ now: server }) => measured(server));
  on("ship", (reading) => {
    ship(reading);
    store.tell({ kind: "ship", cruise: config.cruise, ship: reading });
  });
  on("presence", (present) => {
    presence(present);
    store.tell({ kind: "presence", cruise: config.cruise, present });
  });
}

let queue = Promise.resolve();
function received(change) {
  // In their order, however long the disk takes.
  queue = queue.then(async () => {
    if (!(await apply([change]))) await catchUp();
    store.tell({ kind: "changes", cruise: config.cruise, changes: [change] });
  });
  return queue;
}

/** Fetches what happened since the last number. Resolves to the status of the last answer. */
export function catchUp() {
  catching ??= list().finally(() => (catching = null));
  return catching;
}

async function list() {
  for (;;) {
    const { status, body } = await call(`${config.api}/changes?after=${log.sequence}&limit=500`);
    if (status !== 200) return status;
    const before = log.sequence;
    if (body.changes?.length) {
      await apply(body.changes);
      if (leads) store.tell({ kind: "changes", cruise: config.cruise, changes: body.changes });
    }
    if (!body.more || log.sequence === before) return status;
  }
}

async function poll() {
  const status = await catchUp();
  if (status === 200) {
    become("polling");
    failures = 0;
    timer = setTimeout(poll, POLL);
    // Now and then the stream is given another chance.
    if (Math.random() < 0.02) reconnect(POLL);
  } else failed();
}

function ship(reading) {
  log.ship = reading && { ...reading, heard: now() };
  changed();
}

function presence(present) {
  log.present = present ?? [];
  changed();
}

// The server's log is not the one that we know (it was brought back from an older copy): its own state is taken anew.
// What waits in the outbox is sent as ever.
async function startAgain() {
  await forget();
  await snapshot();
  reconnect(0);
}

/** The snapshot of the log; resolves to the status. */
export async function snapshot(extra) {
  const { status, body } = await call(`${config.api}/log/snapshot`);
  if (status === 200 && body) await take(body, extra);
  return status;
}
export function configure(given) {
  config = given;
}
