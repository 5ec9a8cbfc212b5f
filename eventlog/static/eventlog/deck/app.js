// The log page: puts the parts together. Each subject has its own module; this one only makes them know each other.
import * as attachments from "./attachments.js";
import * as bar from "./bar.js";
import * as board from "./board.js";
import * as conflict from "./conflict.js";
import * as drafts from "./drafts.js";
import * as feed from "./feed.js";
import * as keys from "./keys.js";
import * as line from "./line.js";
import * as log from "./log.js";
import * as offline from "./offline.js";
import * as operations from "./operations.js";
import * as outbox from "./outbox.js";
import * as people from "./people.js";
import * as personswitch from "./personswitch.js";
import * as press from "./press.js";
import * as sheet from "./sheet.js";
import * as store from "./store.js";
import * as stream from "./stream.js";
import * as tiles from "./tiles.js";
import * as toasts from "./toast.js";
import { h, iconsAt } from "./dom.js";
import { measured, offset, onClock, remembered } from "./moments.js";
import { uuid } from "./ids.js";

const root = document.getElementById("main");
const at = (id) => document.getElementById(id);

async function main() {
  const { data } = document.getElementById("log-about").dataset;
  const about = JSON.parse(data);
  const wall = new URLSearchParams(location.search).has("wall");
  iconsAt(about.icons);
  // A page that the service worker brought up may be days old: its time counts only if it came over the network now.
  const entry = performance.getEntriesByType("navigation")[0];
  if (entry?.transferSize > 0 && entry.workerStart === 0) measured(about.now, entry.requestStart);
  const kept = (await store.get("settings", "clock"))?.value;
  remembered(kept);
  const device = await deviceOf();
  const api = about.api;
  const shared = { cruise: about.cruise, api, device: () => device };

  operations.configure(about);
  log.log.you = about.you;
  const had = await log.restore(about.cruise);
  // The page says who is signed in when it came from the server; a kept one may be of somebody else.
  if (navigator.onLine && about.you?.uuid) log.log.you = about.you;
  await people.start({ ...shared, you: about.you });
  await outbox.start({ ...shared, page: wall ? "wall" : "log", you: () => log.log.you?.uuid ?? null, identify });
  outbox.onArrival(log.arrived);
  await attachments.start(shared);

  root.dataset.view ||= "tiles";
  if (wall) root.dataset.screen = "wall";
  dress(about, wall);

  const draw = () => {
    tiles.draw();
    board.draw();
    stream.draw();
    bar.link();
    sheet.refresh();
    lists();
  };
  log.onLog(draw);
  outbox.onOutbox(log.changed);
  attachments.onAttachments(log.changed);
  feed.onFeed(log.changed);
  people.onPerson(() => at("person") && personswitch.show(at("person")));
  store.onTrouble(trouble);
  onClock(() => store.put("settings", { name: "clock", value: offset() }));
  draw();
  document.documentElement.classList.add("log-ready");

  feed.configure(shared);
  const status = had ? 0 : await identify();
  feed.start({ ...shared, presence: () => ({ device: device.uuid, name: device.name, page: wall ? "wall" : "log" }) });
  if (had || status !== 200) identify();
  outbox.hurry();
  await unfinished();

  const words = await offline.start({ worker: about.worker, scope: about.scope });
  if (words) notice("offline", words);
}

// Asks the server for the log at a glance, and with it who is signed in.
async function identify() {
  const status = await feed.snapshot();
  if (status === 200) {
    outbox.identified();
    outbox.link.signedOut = false;
    people.changed();
    outbox.hurry();
  } else if (status === 401 || status === 403 || status === 404) {
    outbox.link.signedOut = true;
    log.changed();
  } else if (status === 0) outbox.link.offline = true;
  return status;
}

// The tablet's name and id, made once.
async function deviceOf() {
  const known = (await store.get("settings", "device"))?.value;
  if (known) return known;
  const kind = /Android|iPad|iPhone|Mobile/.test(navigator.userAgent) ? "tablet" : "computer";
  const id = uuid();
  const made = { uuid: id, name: `${kind} ${id.slice(0, 4)}` };
  await store.put("settings", { name: "device", value: made });
  return made;
}

// Takes over what the server drew, and binds what is pressed.
function dress(about, wall) {
  bar.start({ clock: at("clock"), readings: at("readings"), link: at("link"), signIn: at("sign-in"), problems: at("problems"), present: at("present") });
  const may = about.may.record && about.state === "open" && !wall;
  at("without-script")?.remove();
  const tileList = at("tiles");
  tileList.replaceChildren();
  if (may) tiles.start(tileList);
  board.start(at("board"), null, may);
  at("board").replaceChildren();
  at("stream").replaceChildren();
  stream.start({
    list: at("stream"),
    pane: document.querySelector(".log-stream"),
    pill: at("pill"),
    more: at("older"),
    edit: (id) => sheet.open(id, { focus: true }),
    problem: conflict.show,
  });
  sheet.start(at("sheet"), { eventUrl: about.eventUrl });
  if (at("person")) {
    personswitch.show(at("person"));
    at("person").addEventListener("click", personswitch.choose);
  }
  if (at("say")) line.start(at("say"), at("offers"));
  at("undo")?.addEventListener("click", () => press.undo());
  at("problems").addEventListener("click", () => {
    const item = outbox.waiting().find((each) => each.state !== "waiting");
    if (item) conflict.show(item);
  });
  keys.start({ help: () => at("help").showModal(), close: sheet.close });
  at("help-button")?.addEventListener("click", () => at("help").showModal());
  const awake = at("awake");
  awake.hidden = !("wakeLock" in navigator);
  awake.addEventListener("click", async () => {
    const on = await offline.stayAwake(awake.getAttribute("aria-pressed") !== "true");
    awake.setAttribute("aria-pressed", String(on));
  });
  press.afterPress((event, template, asked) => {
    const wide = matchMedia("(min-width: 48rem)").matches;
    if (asked || (template.fields?.length && wide)) sheet.open(event, { focus: asked, template });
  });
  document.addEventListener("leadline:mend", ({ detail: item }) => mend(item));
  for (const tab of document.querySelectorAll(".log-tabs a")) {
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      show(tab.dataset.view);
    });
  }
  // Nothing of the outbox may go with the page unasked.
  addEventListener("beforeunload", (event) => {
    if (store.fragile()) event.preventDefault();
  });
  store.channel?.addEventListener("message", ({ data: message }) => {
    if (message.kind === "person" && message.cruise === about.cruise) people.refresh();
  });
}

function show(view) {
  root.dataset.view = view;
  for (const tab of document.querySelectorAll(".log-tabs a")) {
    if (tab.dataset.view === view) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
}

// A refused item is mended by a new one with what was typed; the old one is settled once that is on the disk.
async function mend(item) {
  await sheet.open(item.uuid, { focus: true });
  const done = outbox.everything().length;
  const stop = setInterval(async () => {
    if (sheet.isOpen() === item.uuid) return;
    clearInterval(stop);
    const newer = outbox.everything().slice(done).find((each) => each.uuid === item.uuid && each.verb === "revise");
    if (!newer) return;
    const who = people.current();
    await outbox.append({ ...item, event: item.uuid, fields: { ...item.fields, ...newer.fields }, person: item.by ?? who.person, seen: item.seen });
    await outbox.resolve(newer, "part of the mended item");
    await outbox.resolve(item, "mended");
  }, 200);
}

// Words for the fields of the sheet.
function lists() {
  const fill = (id, values) => {
    const list = at(id);
    const text = [...new Set(values)].filter(Boolean).sort();
    if (!list || list.dataset.stamp === text.join("\n")) return;
    list.dataset.stamp = text.join("\n");
    list.replaceChildren(...text.map((value) => h("option", { value })));
  };
  const templates = [...log.log.templates.values()];
  const terms = [...log.log.terms.values()];
  const named = (kind) => terms.filter((term) => term.kind === kind && !term.replaced_by).map((term) => term.name);
  fill("known-stations", [...log.log.places.values()].filter((place) => place.kind === "station" && !place.merged_into).map((place) => place.name));
  fill("known-instruments", [...templates.map((each) => each.instrument), ...named("instrument")]);
  fill("known-actions", [...templates.map((each) => each.action), ...named("action")]);
}

// Details that were being typed when the browser was killed.
async function unfinished() {
  const left = (await drafts.list(log.log.cruise)).filter((draft) => !draft.line).sort((a, b) => (a.at < b.at ? 1 : -1));
  if (!left.length || !log.shown(left[0].uuid)) return;
  await sheet.open(left[0].uuid);
  toasts.toast("What you were typing is still here.", { key: "draft", stays: 6000 });
}

function trouble(sentences) {
  notice("trouble", sentences.join(" "), "bad");
}

function notice(key, text, tone = "warn") {
  const box = at("notices");
  box.querySelector(`[data-key="${key}"]`)?.remove();
  if (text) box.append(h("p", { class: `notice ${tone}`, "data-key": key, role: tone === "bad" ? "alert" : null }, text));
}

main().catch((error) => {
  // The page that the server drew still works; say so rather than leave a dead screen.
  console.error(error);
  notice("broken", "The live page did not start. Reload it; what was logged is kept on this tablet.", "bad");
});
