// What is being typed, kept on the disk as it is typed: a killed browser brings it back.
import * as store from "./store.js";

const timers = new Map();
const latest = new Map();

/** Keeps the draft of an event soon (within 200 ms), and at once when the page is put away. */
export function keep(draft) {
  latest.set(draft.uuid, draft);
  clearTimeout(timers.get(draft.uuid));
  timers.set(draft.uuid, setTimeout(() => flush(draft.uuid), 200));
}

async function flush(id) {
  const draft = latest.get(id);
  clearTimeout(timers.get(id));
  latest.delete(id);
  if (draft) await store.put("drafts", draft);
}

export async function drop(id) {
  clearTimeout(timers.get(id));
  latest.delete(id);
  await store.remove("drafts", id);
}

export const of = (id) => store.get("drafts", id);
export const list = async (cruise) => (await store.all("drafts")).filter((draft) => draft.cruise === cruise);

for (const name of ["pagehide", "visibilitychange"]) {
  addEventListener(name, () => [...latest.keys()].forEach(flush), true);
}
