// One press, one event: stamped when the finger comes down, on the disk before the button says so, details later.
import * as outbox from "./outbox.js";
import * as people from "./people.js";
import { joins, operation as operationOf, reading } from "./operations.js";
import { shown } from "./log.js";
import { iso, now } from "./moments.js";
import { toast } from "./toast.js";
import { uuid } from "./ids.js";

const BOUNCE = 2000; // ms within which the same button is the same event (as on the server)
const last = new Map(); // what was pressed -> when
const undone = new Set(); // ids of items that were taken back
let after = () => {};

/** Called with (uuid, template) after an event was logged by a button. */
export function afterPress(listener) {
  after = listener;
}

/**
 * Logs an event. `template` is {instrument, action, kind, fields}; `operation` an open one that it surely belongs to.
 * Resolves to its id, null where it was the same press again.
 */
export async function press({ template, operation = null, at = now(), comment = "", button = null }) {
  const { instrument, action, kind } = template;
  const what = `${instrument}\n${action}\n${operation ?? ""}`;
  if (!comment && Math.abs(at - (last.get(what) ?? -Infinity)) < BOUNCE) {
    toast(`${instrument} ${action} was logged a moment ago.`, { key: "bounce", stays: 3000 });
    return null;
  }
  last.set(what, at);
  const joined = operation ? { operation } : joins(instrument, action, kind);
  const fields = { observed_at: iso(at), instrument, action };
  if (comment) fields.comment = comment;
  if (joined.operation) fields.operation = joined.operation;
  const running = joined.operation && !joined.began ? operationOf(joined.operation) : null;
  if (running?.cast && running.local) fields.cast = running.cast;
  const event = uuid();
  const who = people.current();
  const { safe } = await outbox.append({ verb: "record", event, fields, press: !comment, person: who.person, pass: who.pass });
  // Only now, when it is safe, does the button say that it is logged.
  navigator.vibrate?.(30);
  if (button) {
    button.classList.add("pressed");
    setTimeout(() => button.classList.remove("pressed"), 1500);
  }
  const cast = reading(instrument, action, kind) && running?.cast ? ` cast ${running.cast}` : "";
  toast(`${instrument} ${action}${cast} logged ${iso(at).slice(11, 19)}${safe ? "" : ", in memory only"}.`, {
    key: "press",
    tone: safe ? "good" : "warn",
    buttons: [
      { label: "Undo", icon: "undo", run: () => undoEvent(event) },
      { label: "Details", icon: "edit", run: () => after(event, template, true) },
    ],
  });
  after(event, template, false);
  return event;
}

/** Appends a change of an event by the person who is there. */
export async function change(verb, event, { fields, base, reason, seen } = {}) {
  const who = people.current();
  const before = shown(event);
  return outbox.append({
    verb,
    event,
    fields,
    base,
    reason,
    seen: seen === undefined ? (before?.revision ?? null) : seen,
    before: before && { struck: before.struck, instrument: before.instrument, action: before.action },
    person: who.person,
    pass: who.pass,
  });
}

async function undoEvent(event) {
  const item = outbox.everything().find((each) => each.uuid === event && each.verb === "record");
  if (item) await undo(item);
}

/** The last thing that was done on this tablet and can be taken back; null where there is none. */
export function lastDone() {
  return (
    outbox
      .everything()
      .filter((item) => item.state !== "settled" && item.reason !== "undone" && !undone.has(item.id) && item.verb !== "undo")
      .at(-1) ?? null
  );
}

/**
 * Takes back what an item did, as a new item with the opposite: nothing is lost, and what somebody else did to the
 * event meanwhile is not touched (the server refuses it then, and says who did what).
 */
export async function undo(item = lastDone()) {
  if (!item) {
    toast("There is nothing to undo on this tablet.", { key: "undo" });
    return;
  }
  undone.add(item.id);
  const name = `${item.fields.instrument ?? item.before?.instrument ?? ""} ${item.fields.action ?? item.before?.action ?? ""}`.trim() || "the change";
  if (item.verb === "record") await change("strike", item.uuid, { reason: "undone" });
  else if (item.verb === "strike") await change("restore", item.uuid, { reason: "undone" });
  else if (item.verb === "restore") await change("strike", item.uuid, { reason: "undone" });
  else if (item.verb === "revise") await change("revise", item.uuid, { fields: { ...item.base }, base: { ...item.fields }, reason: "undone" });
  last.clear();
  toast(`Undone: ${name}. It stays in the history.`, {
    key: "press",
    buttons: item.verb === "record" ? [{ label: "Put it back", icon: "undo", run: () => change("restore", item.uuid, { reason: "undone" }) }] : [],
  });
}
