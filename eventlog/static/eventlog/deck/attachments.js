// Photos and voice notes wait on the tablet as blobs, and are sent one by one once their event is with the server.
import * as outbox from "./outbox.js";
import * as people from "./people.js";
import * as store from "./store.js";
import { call, words } from "./wire.js";
import { iso, now } from "./moments.js";
import { uuid } from "./ids.js";

const AGAIN = 60_000; // ms until the next attempt where the server cannot take files now
const LONG = 10 * 60_000; // ms for one file over a slow link
let config = null;
let list = []; // without their bytes
let timer = 0;
let busy = false;
const listeners = new Set();

export function onAttachments(listener) {
  listeners.add(listener);
}
const changed = () => {
  for (const listener of listeners) listener();
};

export async function start(given) {
  config = given;
  await reload();
  outbox.onOutbox(() => list.length && hurry(2000));
  addEventListener("online", () => hurry(0));
  if (list.length) hurry(1000);
}

async function reload() {
  list = (await store.all("blobs")).filter((each) => each.cruise === config.cruise).map(({ file, ...rest }) => ({ ...rest, size: file?.size ?? 0 }));
  changed();
}

/** What waits, of all events or of one: [{uuid, event, name, size, state, problem}]. */
export const waiting = (event = null) => list.filter((each) => event === null || each.event === event);

/** Keeps a file for an event; resolves once it is on the disk (false: in memory only). */
export async function add(event, file, name) {
  const safe = await store.put("blobs", {
    uuid: uuid(),
    cruise: config.cruise,
    event,
    name,
    file: new Blob([await file.arrayBuffer()], { type: file.type }),
    taken_at: iso(now()),
    pass: people.current().pass,
    state: "waiting",
  });
  await reload();
  hurry(0);
  return safe;
}

/** A file that the server refused is taken off the tablet by a person, and by nobody else. */
export async function discard(id) {
  await store.remove("blobs", id);
  await reload();
}

function hurry(wait) {
  clearTimeout(timer);
  timer = setTimeout(pump, wait);
}

async function pump() {
  if (busy) return;
  busy = true;
  try {
    for (const { uuid: id, event, state } of [...list]) {
      if (state !== "waiting") continue;
      if (outbox.of(event).some((item) => item.verb === "record")) continue; // its event comes first
      const row = await store.get("blobs", id);
      if (!row) continue;
      const aliases = (await store.get("settings", "aliases"))?.value ?? {};
      const form = new FormData();
      form.append("uuid", row.uuid);
      form.append("event", aliases[row.event] ?? row.event);
      form.append("taken_at", row.taken_at);
      form.append("device", config.device().name.slice(0, 60));
      if (row.pass) {
        form.append("pass", row.pass);
        form.append("device_uuid", config.device().uuid);
      }
      form.append("file", row.file, row.name);
      const { status, body } = await call(`${config.api}/attachments`, { method: "POST", form, timeout: LONG });
      if (status === 200 || status === 201) await store.remove("blobs", id);
      else if ([413, 415, 422, 400].includes(status)) await store.put("blobs", { ...row, state: "refused", problem: words(body) });
      else {
        // No network, signed out, or a server that takes no files yet: it waits, and the page says so.
        hurry(AGAIN);
        break;
      }
      await reload();
    }
  } finally {
    busy = false;
    changed();
  }
}
