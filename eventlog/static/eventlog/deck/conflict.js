// What the server did not take: an edit of what somebody else changed too (both versions, field by field, and a choice
// for each), or an item that it refused (the reason, and what can be done). Nothing is thrown away.
import * as outbox from "./outbox.js";
import { change } from "./press.js";
import { clockTime } from "./moments.js";
import { h, icon } from "./dom.js";
import { log, shown } from "./log.js";
import { words } from "./wire.js";

const LABELS = {
  observed_at: "When (UTC)",
  ended_at: "Ended (UTC)",
  instrument: "Instrument",
  action: "Action",
  station: "Station",
  transect: "Transect",
  cast: "Cast",
  operation: "Operation",
  latitude: "Latitude, °N",
  longitude: "Longitude, °E",
  seafloor_m: "Depth, m",
  comment: "Comment",
  extra: "Further answers",
};
let dialog = null;

export function show(item) {
  dialog ??= document.body.appendChild(h("dialog", { class: "dialog versions", "aria-labelledby": "versions-title" }));
  const both = item.state === "conflict" && versionsOf(item);
  dialog.replaceChildren(both ? (item.verb === "revise" ? twoVersions(item) : changedSince(item)) : refused(item));
  if (!dialog.open) dialog.showModal();
}

const versionsOf = (item) => {
  const versions = item.problem?.versions;
  return versions && Object.keys(versions).length ? versions : null;
};

function worded(name, value) {
  if (value === null || value === undefined || value === "") return "(empty)";
  if (name.endsWith("_at")) return `${String(value).slice(0, 10)} ${clockTime(value)}`;
  if (typeof value === "object") return Object.entries(value).map(([key, each]) => `${key}: ${each}`).join(", ") || "(empty)";
  return String(value);
}

function title(item) {
  const event = shown(item.uuid);
  return `${event?.instrument ?? item.fields.instrument ?? ""} ${event?.action ?? item.fields.action ?? ""} ${clockTime(event?.observed_at ?? item.made)}`.trim();
}

function twoVersions(item) {
  const versions = versionsOf(item);
  const chosen = Object.fromEntries(Object.keys(versions).map((name) => [name, null]));
  const keep = h("button", { class: "button primary", disabled: true }, icon("check"), "Keep these");
  const pick = (name, which) => {
    chosen[name] = which;
    keep.disabled = Object.values(chosen).some((each) => each === null);
  };
  const option = (name, which, label, value) =>
    h(
      "label",
      { class: "check version" },
      h("input", { type: "radio", name: `v-${name}`, value: which, onchange: () => pick(name, which) }),
      h("span", {}, h("small", {}, label), h("span", {}, worded(name, value))),
    );
  return h(
    "form",
    { method: "dialog", onsubmit: (event) => (event.preventDefault(), choose(item, versions, chosen)) },
    h("h2", { id: "versions-title" }, "Changed in two places"),
    h("p", {}, `${title(item)}. Nothing was overwritten: choose for each field what shall stand.`),
    Object.entries(versions).map(([name, version]) =>
      h(
        "fieldset",
        { class: "field" },
        h("legend", {}, LABELS[name] ?? name, h("small", {}, ` was ${worded(name, version.base)}`)),
        option(name, "theirs", `${version.by ?? "Somebody"}${version.at ? `, ${clockTime(version.at)}` : ""}`, version.theirs),
        option(name, "mine", `${item.by?.name ?? "This tablet"}, on this tablet`, version.mine),
      ),
    ),
    h("div", { class: "actions" }, h("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Later"), keep),
  );
}

async function choose(item, versions, chosen) {
  const fields = { ...item.fields };
  const base = { ...item.base };
  for (const [name, which] of Object.entries(chosen)) {
    if (which === "theirs") delete fields[name];
    else base[name] = versions[name].theirs;
  }
  const seen = log.events.get(item.uuid)?.revision ?? null;
  // The choice is on the disk before the item that it answers is settled.
  if (Object.keys(fields).length) await change("revise", item.uuid, { fields, base, seen, reason: item.reason || "chosen between two versions" });
  await outbox.resolve(item, chosen);
  dialog.close();
}

// Somebody edited the event after this person looked at it and struck it: what is different, and what shall be.
function changedSince(item) {
  const verb = item.verb === "strike" ? "Strike it all the same" : "Restore it all the same";
  const insist = async () => {
    await change(item.verb, item.uuid, { reason: item.reason });
    await outbox.resolve(item, "insisted");
    dialog.close();
  };
  return h(
    "form",
    { method: "dialog", onsubmit: (event) => (event.preventDefault(), insist()) },
    h("h2", { id: "versions-title" }, "Changed in two places"),
    h("p", {}, `${title(item)} was changed after ${item.by?.name ?? "this tablet"} looked at it.`),
    h(
      "dl",
      { class: "facts stacked" },
      Object.entries(versionsOf(item)).map(([name, version]) =>
        h("div", {}, h("dt", {}, LABELS[name] ?? name), h("dd", {}, `${worded(name, version.base)} → ${worded(name, version.theirs)}`, h("small", { class: "muted" }, ` ${version.by ?? ""}`))),
      ),
    ),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "button", onclick: () => (outbox.resolve(item, "theirs"), dialog.close()) }, "Leave it as it is now"),
      h("button", { class: "button primary" }, icon("check"), verb),
    ),
  );
}

function refused(item) {
  const event = shown(item.uuid);
  const instead = { record: "Edit it", revise: "Edit it" }[item.verb];
  return h(
    "form",
    { method: "dialog", onsubmit: (submit) => submit.preventDefault() },
    h("h2", { id: "versions-title" }, "The server did not take this"),
    h("p", {}, `${title(item)} (${item.verb}, by ${item.by?.name ?? "this tablet"})`),
    h("p", { class: "notice bad" }, words(item.problem)),
    h(
      "dl",
      { class: "facts stacked" },
      Object.entries(item.fields)
        .filter(([name]) => name !== "operation")
        .map(([name, value]) => h("div", {}, h("dt", {}, LABELS[name] ?? name), h("dd", {}, worded(name, value)))),
    ),
    h("p", { class: "muted" }, "It stays on this tablet until you decide."),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Keep it for later"),
      h("button", { type: "button", class: "button", onclick: () => (outbox.again(item), dialog.close()) }, icon("refresh"), "Send it again"),
      instead && h("button", { type: "button", class: "button primary", onclick: () => editInstead(item, event) }, icon("edit"), instead),
      h("button", { type: "button", class: "button danger", onclick: () => (outbox.resolve(item, "given up"), dialog.close()) }, "Give it up"),
    ),
  );
}

function editInstead(item) {
  dialog.close();
  document.dispatchEvent(new CustomEvent("leadline:mend", { detail: item }));
}
