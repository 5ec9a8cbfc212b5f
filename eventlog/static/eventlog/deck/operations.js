// Operations as this tablet sees them: what the server told, carried on by what waits in the outbox. The machines are
// the server's own (eventlog.machines), sent along with the page, so that the next action is lit without network too.
import * as outbox from "./outbox.js";
import { events, log } from "./log.js";
import { now } from "./moments.js";
import { uuid } from "./ids.js";

let machines = {};
let readings = {}; // "instrument\naction" -> [kind, action of the machine], of the templates that the server knew

export function configure(given) {
  machines = given?.machines ?? {};
  readings = given?.readings ?? {};
}

/** What an event of this instrument and action means: {kind, machine, step}, or null where it is no step. */
export function reading(instrument, action, kind = "") {
  const [named, canonical] = readings[`${instrument}\n${action}`] ?? [kind, action];
  const machine = machines[named || kind];
  const step = machine?.steps.find((each) => each.action === (canonical ?? action));
  return step ? { kind: named || kind, machine, step } : null;
}

/** The open operations, what the watch waits for first, then the newest: {…row, next: [steps], since, long, calm}. */
export function open() {
  const found = new Map();
  for (const row of log.operations.values()) found.set(row.uuid, { ...row, local: false });
  for (const item of outbox.waiting()) advance(found, item);
  return [...found.values()]
    .filter((operation) => operation.is_open && operation.started_at)
    .map(dressed)
    .sort((a, b) => a.calm - b.calm || Date.parse(b.started_at) - Date.parse(a.started_at));
}

/** One operation, by its id. */
export function operation(id) {
  const row = log.operations.get(id);
  return row ?? open().find((each) => each.uuid === id) ?? null;
}

// An event that waits brings its operation on, or begins one, as the server will do when it comes there.
function advance(found, item) {
  if (item.verb === "strike" && item.before) {
    const began = [...found.values()].find((each) => each.local && each.first === item.uuid);
    if (began) began.is_open = false;
    return;
  }
  if (item.verb !== "record" || !item.fields.operation) return;
  const { instrument, action, operation: id, observed_at: at } = item.fields;
  const meant = reading(instrument, action, item.fields.kind ?? found.get(id)?.kind ?? "");
  if (!meant) return;
  const known = found.get(id) ?? {
    uuid: id,
    kind: meant.kind,
    instrument,
    cast: item.fields.cast ?? "",
    station: item.fields.station ?? "",
    state: "",
    started_at: at,
    is_open: true,
    local: true,
    first: item.uuid,
  };
  if (!meant.step.sources.includes(known.state) && !meant.step.closes) return;
  known.state = meant.step.target;
  known.is_open = !meant.step.closes;
  known.pending = true;
  found.set(id, known);
}

function dressed(row) {
  const machine = machines[row.kind];
  const next = (machine?.steps ?? []).filter((step) => step.sources.includes(row.state) && step.target !== row.state);
  const since = now() - Date.parse(row.started_at);
  const expected = machine?.expected?.[row.state];
  return {
    ...row,
    name: machine?.name ?? row.kind,
    next,
    since,
    // What runs for the whole cruise, or lies out on purpose, is not what the watch waits for.
    calm: !expected || (machine?.resting?.includes(row.state) ?? false),
    long: Boolean(expected && since > expected * 1000),
  };
}

/** The operation to which a press of a button belongs: {operation: id or null, began: whether it begins one}. */
export function joins(instrument, action, kind) {
  const meant = reading(instrument, action, kind);
  if (!meant) return { operation: null, began: false };
  const running = open().filter((each) => each.instrument === instrument && each.kind === meant.kind);
  const takes = running.find((each) => meant.step.sources.includes(each.state));
  if (takes) return { operation: takes.uuid, began: false };
  if (!meant.step.opens) return { operation: running[0]?.uuid ?? null, began: false };
  return { operation: uuid(), began: true };
}

/** The cast number that the next operation of this instrument will have; the server gives it, this is shown. */
export function nextCast(instrument, kind) {
  if (!machines[kind]?.counts) return "";
  const casts = [...log.operations.values()].filter((each) => each.kind === kind).map((each) => each.cast);
  const own = [...log.operations.values()]
    .filter((each) => each.instrument === instrument && each.cast)
    .sort((a, b) => Date.parse(b.started_at) - Date.parse(a.started_at))[0]?.cast;
  const written = (own ?? "").match(/^([^0-9]{0,20})([0-9]{1,9})$/);
  const [prefix, width] = written ? [written[1], written[2].length] : ["", 3];
  const numbers = casts
    .map((cast) => cast.match(/^([^0-9]{0,20})([0-9]{1,9})$/))
    .filter((parts) => parts && parts[1] === prefix)
    .map((parts) => Number(parts[2]));
  return prefix + String(Math.max(0, ...numbers) + 1).padStart(width, "0");
}

/** The events of an operation, oldest first. */
export function eventsOf(id) {
  return events()
    .filter((event) => event.operation === id && !event.struck)
    .reverse();
}
