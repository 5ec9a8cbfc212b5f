// Who is logging. The tablet is signed in once; a person who types a PIN gets a pass for it, and events carry the pass.
// Passes are kept sealed with a key made from the PIN, so that people who were here before can change over without
// network. (Four figures withstand a curious colleague, not a laboratory; the pass is good for this log alone.)
import * as store from "./store.js";
import { log } from "./log.js";
import { call, words } from "./wire.js";

const ROUNDS = 210_000; // PBKDF2-HMAC-SHA-512, OWASP Password Storage Cheat Sheet
let config = null;
let now = null; // {person: {uuid, name}, pass} or null: who signed the tablet in
const listeners = new Set();

export function onPerson(listener) {
  listeners.add(listener);
}

export async function start(given) {
  config = given;
  if (localStorage.getItem("leadline-signed-out")) {
    // Somebody signed the tablet out: whoever signs in next is not the one who had changed over.
    await store.remove("settings", `person ${config.cruise}`);
    localStorage.removeItem("leadline-signed-out");
  }
  now = (await store.get("settings", `person ${config.cruise}`))?.value ?? null;
}

/** {person: {uuid, name}, pass or null}. */
export function current() {
  if (now) return now;
  const you = log.you ?? config.you;
  return { person: you?.uuid ? { uuid: you.uuid, name: you.name } : null, pass: null };
}

/** People who may log, those who used this tablet first. */
export async function list() {
  const here = new Map((await store.all("people")).filter((row) => row.cruise === config.cruise).map((row) => [row.uuid, row]));
  const all = new Map((log.people ?? []).map((person) => [person.uuid, person]));
  if (log.you?.uuid && !all.has(log.you.uuid)) all.set(log.you.uuid, log.you);
  return [...all.values()]
    .map((person) => ({ ...person, here: here.get(person.uuid)?.used ?? "", you: person.uuid === log.you?.uuid }))
    .sort((a, b) => (a.here < b.here ? 1 : a.here > b.here ? -1 : a.name.localeCompare(b.name)));
}

/** Changes over. Resolves to "" when done, else to what was wrong. */
export async function become(person, pin) {
  const { status, body } = await call(`${config.api}/log/pass`, {
    method: "POST",
    json: { person: person.uuid, pin, device: config.device().uuid },
    timeout: 4000,
  });
  if (status === 200 || status === 201) {
    await seal(person, pin, body.pass);
    await use({ uuid: person.uuid, name: body.person?.name ?? person.name }, body.pass);
    return "";
  }
  if (status === 0 || status >= 500 || status === 401) return offline(person, pin, status);
  return words(body, "The PIN was not accepted.");
}

/** Back to the person who signed the tablet in. */
export async function becomeOwner() {
  await use(null, null);
}

async function use(person, pass) {
  now = person ? { person, pass } : null;
  await store.put("settings", { name: `person ${config.cruise}`, value: now });
  store.tell({ kind: "person", cruise: config.cruise });
  for (const listener of listeners) listener();
}

/** Who signed the tablet in may be somebody else now. */
export function changed() {
  for (const listener of listeners) listener();
}

export async function refresh() {
  now = (await store.get("settings", `person ${config.cruise}`))?.value ?? null;
  for (const listener of listeners) listener();
}

/** Sets one's own PIN; resolves to "" or to what was wrong. */
export async function setPin(pin) {
  const { status, body } = await call(`${config.api}/log/pin`, { method: "PUT", json: { pin } });
  if (status >= 200 && status < 300) return "";
  return status === 0 ? "There is no network: a PIN is set with the server." : words(body, "The PIN was not accepted.");
}

const text = new TextEncoder();

async function keyOf(pin, salt) {
  const base = await crypto.subtle.importKey("raw", text.encode(pin), "PBKDF2", false, ["deriveKey"]);
  return crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-512", salt, iterations: ROUNDS },
    base,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

async function seal(person, pin, pass) {
  const row = { uuid: person.uuid, cruise: config.cruise, name: person.name, used: new Date().toISOString() };
  if (crypto.subtle) {
    const [salt, iv] = [crypto.getRandomValues(new Uint8Array(16)), crypto.getRandomValues(new Uint8Array(12))];
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await keyOf(pin, salt), text.encode(pass));
    Object.assign(row, { salt, iv, sealed, failures: 0 });
  }
  await store.put("people", row);
}

async function offline(person, pin, status) {
  const why = status === 401 ? "The tablet must be signed in again" : "There is no network";
  const row = await store.get("people", person.uuid);
  if (!row?.sealed) return `${why}, and ${person.name} has not used this tablet before. Go on as somebody who has, and say in a comment who it was.`;
  if (!crypto.subtle) return `${why}, and without https this browser cannot check a PIN by itself.`;
  if ((row.failures ?? 0) >= 10) return `${why}, and too many wrong PINs were typed for ${person.name}. It works again with network.`;
  try {
    const pass = await crypto.subtle.decrypt({ name: "AES-GCM", iv: row.iv }, await keyOf(pin, row.salt), row.sealed);
    await store.put("people", { ...row, failures: 0, used: new Date().toISOString() });
    await use({ uuid: person.uuid, name: row.name }, new TextDecoder().decode(pass));
    return "";
  } catch {
    await store.put("people", { ...row, failures: (row.failures ?? 0) + 1 });
    return "The PIN is wrong.";
  }
}

export function initials(name) {
  const parts = String(name ?? "").replace(/\(.*?\)/g, "").trim().split(/[\s.@]+/).filter(Boolean);
  return ((parts[0]?.[0] ?? "?") + (parts.length > 1 ? parts.at(-1)[0] : "")).toUpperCase();
}

/** One of eight colours for a name, always the same. In the night theme it is the initials that tell. */
export function colour(name) {
  let sum = 0x811c9dc5; // FNV-1a
  for (const letter of String(name ?? "")) sum = Math.imul(sum ^ letter.codePointAt(0), 0x01000193) >>> 0;
  return `p${(sum >>> 12) % 8}`;
}
