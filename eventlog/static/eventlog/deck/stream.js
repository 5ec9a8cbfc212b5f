// The stream of events, newest first. New rows never push away what somebody reads or touches: they are announced.
import { h, icon, reconcile, say, write } from "./dom.js";
import { badge } from "./personswitch.js";
import { events, log } from "./log.js";
import { clockTime, day } from "./moments.js";

const STEP = 80; // rows drawn at once; more on request
const CLICK = 60; // ms after lifting within which the click has come
let list = null;
let pane = null;
let pill = null;
let more = null;
let config = null;
let most = STEP;
let down = false;
let known = null; // ids that were drawn
let held = 0;
const fresh = new Map(); // id -> until when it is shown as new

export function start({ list: element, pane: around, pill: button, more: older, ...rest }) {
  [list, pane, pill, more, config] = [element, around, button, older, rest];
  pane.addEventListener("pointerdown", () => (down = true));
  // The click comes after the finger is lifted: a row that was drawn anew in between would not hear it.
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => setTimeout(lifted, CLICK));
  pane.addEventListener("scroll", () => atTop() && held && draw(), { passive: true });
  list.addEventListener("focusout", () => setTimeout(() => held && draw(), 0));
  pill.addEventListener("click", () => {
    draw(true);
    pane.scrollTo({ top: 0, behavior: "instant" });
    // Whatever else scrolls around it: what is new is what shall be seen.
    list.querySelector(".event")?.scrollIntoView({ block: "nearest", behavior: "instant" });
    list.querySelector("button")?.focus({ preventScroll: true });
  });
  more.addEventListener("click", () => {
    most += STEP * 2;
    draw(true);
  });
}

const atTop = () => pane.scrollTop < 24;
const touched = () => list.contains(document.activeElement);

function lifted() {
  down = false;
  draw();
}

export function draw(force = false) {
  if (!list || (down && !force)) return;
  const all = events();
  for (const element of document.querySelectorAll(".event-count")) write(element, all.length.toLocaleString("en"));
  const shownNow = all.slice(0, most);
  more.hidden = all.length <= most;
  const added = known ? shownNow.filter((event) => !known.has(event.uuid)) : [];
  const own = added.some((event) => event.pending.length);
  if (!force && added.length && !(atTop() && !touched()) && !(own && atTop())) {
    held = added.length;
    pill.hidden = false;
    write(pill.querySelector("span"), `${held} new`);
    // What is there is still brought up to date, in its place.
    paint(all.filter((event) => known.has(event.uuid)).slice(0, most));
    return;
  }
  held = 0;
  pill.hidden = true;
  const until = Date.now() + 2400;
  for (const event of added) fresh.set(event.uuid, until);
  if (added.length && known && !own) say(added.length === 1 ? `New: ${added[0].instrument} ${added[0].action}` : `${added.length} new events`);
  paint(shownNow);
  known = new Set(shownNow.map((event) => event.uuid));
}

function paint(list_) {
  const rows = [];
  let last = "";
  for (const event of list_) {
    const date = day(event.observed_at);
    if (date !== last) {
      rows.push({ key: `day ${date}`, stamp: date, make: () => h("li", { class: "day" }, date) });
      last = date;
    }
    rows.push({ key: event.uuid, stamp: stamp(event), make: () => row(event) });
  }
  if (!list_.length && log.loaded) rows.push({ key: "none", stamp: "", make: () => h("li", { class: "nothing" }, "No events yet. The first press of a button stands here.") });
  reconcile(list, rows);
}

const attached = (event) => [...log.attachments.values()].filter((each) => each.event === event.uuid && !each.struck).length;

function stamp(event) {
  const { observed_at: at, ended_at: end, instrument, action, station, cast, transect, comment, struck, revision, number, author_name: who } = event;
  const where = [event.latitude, event.longitude, event.nav_latitude, event.nav_longitude, event.nav_method, event.seafloor_m, event.nav_depth_m];
  const states = event.pending.map((item) => item.verb + item.state);
  return JSON.stringify([at, end, instrument, action, station, cast, transect, comment, event.extra, struck, revision, number, who, where, states, attached(event)]);
}

function row(event) {
  const wrong = event.pending.find((item) => item.state !== "waiting");
  const waits = event.pending.length > 0;
  const classes = ["event", waits && "waiting", wrong && "wrong", event.struck && "struck", (fresh.get(event.uuid) ?? 0) > Date.now() && "new"];
  const what = `${event.instrument} ${event.action}`.trim() || "Event";
  const edits = (event.revision ?? 1) - 1;
  const files = attached(event);
  return h(
    "li",
    { class: classes.filter(Boolean).join(" ") },
    h("time", { datetime: event.observed_at }, clockTime(event.observed_at)),
    h(
      "span",
      { class: "event-what" },
      h(
        "button",
        { type: "button", class: "plain", "data-focus": "edit", onclick: () => config.edit(event.uuid) },
        what,
        h("span", { class: "unseen" }, `, ${clockTime(event.observed_at)}. Open`),
      ),
      event.station && ` · ${event.station}`,
      event.cast && ` · cast ${event.cast}`,
      event.ended_at && ` · until ${clockTime(event.ended_at)}`,
    ),
    h(
      "span",
      { class: "event-end" },
      wrong
        ? h("button", { type: "button", class: "button small", "data-focus": "wrong", onclick: () => config.problem(wrong) }, icon("warning"), wrong.state === "conflict" ? "Two versions" : "Refused")
        : waits && h("span", { class: "waits" }, "waiting"),
      event.struck && "struck",
      !event.struck && edits > 0 && event.source !== "position" && `edited`,
      files > 0 && h("span", { class: "files" }, icon("paperclip"), String(files), h("span", { class: "unseen" }, " attachments")),
      event.author_name && badge(event.author_name),
    ),
    event.comment && h("span", { class: "event-note" }, event.comment),
    extraWords(event) && h("span", { class: "event-note extra" }, extraWords(event)),
    h("span", { class: "event-where mono" }, where(event)),
  );
}

function extraWords(event) {
  return Object.entries(event.extra ?? {})
    .filter(([, value]) => value !== "" && value !== null)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${value === true ? "yes" : value === false ? "no" : value}`)
    .join(" · ");
}

/** "62° 14.31′ N 034° 07.88′ W · 2,918 m", with how sure it is where it was derived badly. */
export function where(event) {
  const typed = event.latitude !== null && event.latitude !== undefined;
  const [latitude, longitude] = typed ? [event.latitude, event.longitude] : [event.nav_latitude, event.nav_longitude];
  const depth = event.seafloor_m ?? event.nav_depth_m;
  const parts = [];
  if (latitude !== null && latitude !== undefined) parts.push(`${degrees(latitude, 2, "N", "S")} ${degrees(longitude, 3, "E", "W")}`);
  if (depth !== null && depth !== undefined) parts.push(`${Math.round(depth).toLocaleString("en")} m`);
  if (!typed && ["extrapolated", "interpolated"].includes(event.nav_method) && event.nav_uncertainty_m > 100) {
    parts.push(`±${event.nav_uncertainty_m < 2000 ? `${Math.round(event.nav_uncertainty_m / 10) * 10} m` : `${(event.nav_uncertainty_m / 1852).toFixed(1)} nm`}`);
  }
  return parts.join(" · ");
}

export function degrees(value, figures, plus, minus) {
  const size = Math.round(Math.abs(value) * 6000) / 6000;
  const whole = Math.floor(size + 1e-9);
  const minutes = Math.max(0, (size - whole) * 60);
  return `${String(whole).padStart(figures, "0")}°\u00a0${minutes.toFixed(2).padStart(5, "0")}′\u00a0${value < 0 ? minus : plus}`;
}

