// What the page keeps on the tablet, in two databases:
//   leadline-outbox     what people logged and the server has not acknowledged. No code path clears it.
//   leadline-log-cache  a copy of the log, to look back without network. Cleared at sign-out.
// Where the disk is full or the browser has no database, values stay in memory, and `trouble` says so.
const OUTBOX = "leadline-outbox";
const CACHE = "leadline-log-cache";
const STRICT = { durability: "strict" }; // on the disk, not only in the browser's buffers, when the promise resolves

const SHELVES = {
  [OUTBOX]: (db) => {
    db.createObjectStore("items", { keyPath: "n", autoIncrement: true });
    db.createObjectStore("blobs", { keyPath: "uuid" });
    db.createObjectStore("drafts", { keyPath: "uuid" });
    db.createObjectStore("people", { keyPath: "uuid" });
    db.createObjectStore("settings", { keyPath: "name" });
  },
  [CACHE]: (db) => {
    db.createObjectStore("rows", { keyPath: ["cruise", "thing", "uuid"] });
    db.createObjectStore("logs", { keyPath: "cruise" });
  },
};
const WHERE = { items: OUTBOX, blobs: OUTBOX, drafts: OUTBOX, people: OUTBOX, settings: OUTBOX, rows: CACHE, logs: CACHE };
const KEYS = { items: "n", blobs: "uuid", drafts: "uuid", people: "uuid", settings: "name", logs: "cruise" };

const open = new Map(); // name -> promise of a database
const memory = new Map(); // shelf -> Map of what the disk did not take
const troubles = new Map(); // reason -> words for people
const listeners = new Set();
let spare = 1e15; // numbers for items that are only in memory: after all that are on the disk

/** Called with a list of sentences whenever keeping things durable became, or ceased to be, a problem. */
export function onTrouble(listener) {
  listeners.add(listener);
}

function trouble(reason, words) {
  if (troubles.get(reason) === words) return;
  if (words) troubles.set(reason, words);
  else troubles.delete(reason);
  for (const listener of listeners) listener([...troubles.values()]);
}

function database(name) {
  if (!open.has(name)) {
    open.set(
      name,
      new Promise((resolve, reject) => {
        if (!globalThis.indexedDB) throw new Error("no indexedDB");
        const asked = indexedDB.open(name, 1);
        asked.onupgradeneeded = () => SHELVES[name](asked.result);
        asked.onerror = () => reject(asked.error);
        asked.onsuccess = () => {
          const db = asked.result;
          // Another tab signs out or a newer version needs the database: let go of it, and open it anew when needed.
          db.onversionchange = () => {
            db.close();
            open.delete(name);
          };
          db.onclose = () => open.delete(name);
          resolve(db);
        };
      }),
    );
    open.get(name).catch(() => open.delete(name));
  }
  return open.get(name);
}

async function transaction(shelf, mode, work) {
  const db = await database(WHERE[shelf]);
  return new Promise((resolve, reject) => {
    const strict = mode === "readwrite" && WHERE[shelf] === OUTBOX ? STRICT : undefined;
    const tx = db.transaction(shelf, mode, strict);
    let answer;
    tx.oncomplete = () => resolve(answer?.result);
    tx.onabort = () => reject(tx.error ?? new DOMException("aborted", "AbortError"));
    tx.onerror = () => {};
    answer = work(tx.objectStore(shelf));
  });
}

const held = (shelf) => {
  if (!memory.has(shelf)) memory.set(shelf, new Map());
  return memory.get(shelf);
};
const key = (shelf, value) =>
  shelf === "rows" ? JSON.stringify([value.cruise, value.thing, value.uuid]) : String(value[KEYS[shelf]]);

/** Keeps a value; resolves when it is on the disk. Resolves to false where it is in memory only (and trouble is told). */
export async function put(shelf, value) {
  if (shelf === "items" && value.n >= 1e15) {
    held(shelf).set(key(shelf, value), value);
    return false;
  }
  try {
    const n = await transaction(shelf, "readwrite", (store) => store.put(value));
    if (shelf === "items" && value.n === undefined) value.n = n;
    held(shelf).delete(key(shelf, value));
    return true;
  } catch (error) {
    return keepInMemory(shelf, [value], error);
  }
}

/** Keeps many values in one transaction. */
export async function putAll(shelf, values) {
  if (!values.length) return true;
  try {
    await transaction(shelf, "readwrite", (store) => values.forEach((value) => store.put(value)));
    return true;
  } catch (error) {
    return keepInMemory(shelf, values, error);
  }
}

function keepInMemory(shelf, values, error) {
  for (const value of values) {
    if (shelf === "items" && value.n === undefined) value.n = spare++;
    held(shelf).set(key(shelf, value), value);
  }
  if (WHERE[shelf] === OUTBOX) lost(error);
  return false;
}

function lost(error) {
  const count = ["items", "blobs", "drafts"].reduce((sum, shelf) => sum + held(shelf).size, 0);
  if (!count) return trouble("disk", "");
  const full = error?.name === "QuotaExceededError";
  trouble(
    "disk",
    `${full ? "The disk of this tablet is full" : "This browser does not keep data"}: ${count} ${count === 1 ? "item is" : "items are"} ` +
      "in memory only. Leave this page open until everything is sent" + (full ? ", and free some space." : "."),
  );
}

export async function get(shelf, name) {
  const kept = held(shelf).get(Array.isArray(name) ? JSON.stringify(name) : String(name));
  if (kept) return kept;
  try {
    return await transaction(shelf, "readonly", (store) => store.get(name));
  } catch {
    return undefined;
  }
}

/** All values of a shelf, in the order of their keys; those in memory last. */
export async function all(shelf, range) {
  let kept = [];
  try {
    kept = await transaction(shelf, "readonly", (store) => store.getAll(range));
  } catch {
    // no database: what is in memory is all there is
  }
  if (!held(shelf).size) return kept;
  const merged = new Map(kept.map((value) => [key(shelf, value), value]));
  for (const [name, value] of held(shelf)) merged.set(name, value);
  return [...merged.values()];
}

export async function remove(shelf, name) {
  held(shelf).delete(String(name));
  try {
    await transaction(shelf, "readwrite", (store) => store.delete(name));
  } catch {
    // it is not on the disk either
  }
  lost();
}

/** Items that are in memory only are tried again on the disk; their number in the queue stays. */
export async function rescue() {
  for (const shelf of ["items", "blobs", "drafts"]) {
    for (const [name, value] of [...held(shelf)]) {
      try {
        await transaction(shelf, "readwrite", (store) => store.put(value));
        held(shelf).delete(name);
      } catch (error) {
        return lost(error);
      }
    }
  }
  return lost();
}

/** Whether anything of the outbox would be gone with this page. */
export function fragile() {
  return ["items", "blobs", "drafts"].some((shelf) => held(shelf).size > 0);
}

export const rowsOf = (cruise, thing) => IDBKeyRange.bound([cruise, thing, ""], [cruise, thing, "\uffff"]);

/** Asks the browser not to clear our data when space is short. True where it promises. */
export async function persist() {
  try {
    return (await navigator.storage?.persisted?.()) || (await navigator.storage?.persist?.()) || false;
  } catch {
    return false;
  }
}

/** A word for the other tabs: {kind, …}. */
export const channel = globalThis.BroadcastChannel ? new BroadcastChannel("leadline-log") : null;
export function tell(message) {
  channel?.postMessage(message);
}
