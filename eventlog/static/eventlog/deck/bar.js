// The bar that never scrolls away: clock, where the ship is and how old that is, the link, and who is logging.
import * as attachments from "./attachments.js";
import * as outbox from "./outbox.js";
import { age, iso, now, sure } from "./moments.js";
import { degrees } from "./stream.js";
import { feed } from "./feed.js";
import { log } from "./log.js";
import { say, write } from "./dom.js";

const STALE = { position: 30, depth: 120, speed: 30 }; // s; a sounder often loses the bottom for a minute
const KNOT = 1852 / 3600; // m/s
let parts = null;
let last = "";

export function start(elements) {
  parts = elements;
  tick();
}

function tick() {
  const text = iso(now());
  const clock = parts.clock;
  clock.dateTime = `${text.slice(0, 19)}Z`;
  write(clock.querySelector(".clock-date"), text.slice(0, 10));
  write(clock.querySelector(".clock-time"), text.slice(11, 19));
  write(clock.querySelector(".clock-zone"), sure() ? "UTC" : "UTC?");
  clock.title = sure() ? "" : "By this tablet's own clock: the server was not heard since it was set or woke up.";
  ship();
  setTimeout(tick, 1000 - (now() % 1000) + 4);
}

function reading(name, value, seconds) {
  const box = parts.readings.querySelector(`[data-reading="${name}"]`);
  if (!box) return;
  write(box.querySelector(".value"), value ?? "–");
  const old = value !== null && seconds > STALE[name];
  box.classList.toggle("stale", old);
  box.querySelector(".old").hidden = !old;
  write(box.querySelector(".since"), value === null ? "" : age(seconds * 1000));
}

function ship() {
  const ship_ = log.ship;
  const seconds = ship_ ? (ship_.at ? (now() - Date.parse(ship_.at)) / 1000 : (ship_.age_s ?? 0) + (now() - ship_.heard) / 1000) : 0;
  const has = (value) => value !== null && value !== undefined;
  reading("position", has(ship_?.latitude) ? `${degrees(ship_.latitude, 2, "N", "S")} ${degrees(ship_.longitude, 3, "E", "W")}` : null, seconds);
  reading("depth", has(ship_?.depth_m) ? Math.round(ship_.depth_m).toLocaleString("en") : null, seconds);
  reading("speed", has(ship_?.speed_mps) ? (ship_.speed_mps / KNOT).toFixed(1) : null, seconds);
}

/** The state of the link, in words: "Live", "Offline, 3 waiting", "Sign in again, 3 waiting". */
export function link() {
  const open = outbox.waiting();
  const problems = open.filter((item) => item.state !== "waiting").length;
  const files = attachments.waiting().length;
  const queued = open.length - problems + files;
  const strangers = open.filter((item) => item.state === "waiting" && !outbox.mine(item));
  const signedOut = outbox.link.signedOut || feed.state === "signed out";
  const off = outbox.link.offline || feed.state === "offline";
  const counts = [queued && `${queued} waiting`, problems && `${problems} to look at`].filter(Boolean);
  let [state, word] = ["live", "Live"];
  if (signedOut) [state, word] = ["offline", "Sign in again"];
  else if (outbox.link.forbidden) [state, word] = ["offline", "Not allowed"];
  else if (off) [state, word] = ["offline", "Offline"];
  else if (feed.state === "starting" && !queued) [state, word] = ["waiting", "Connecting"];
  else if (feed.state === "polling") [state, word] = [queued ? "waiting" : "live", "Every 5 s"];
  else if (queued) [state, word] = ["waiting", strangers.length ? `For ${strangers[0].by?.name ?? "another person"}` : "Sending"];
  const text = [word, ...counts].join(", ");
  parts.link.dataset.link = state;
  write(parts.link.querySelector(".link-words"), text);
  parts.link.title = outbox.link.forbidden || (strangers.length ? `Logged by ${strangers[0].by?.name}, who must sign in here to send it.` : "");
  parts.signIn.hidden = !signedOut;
  parts.problems.hidden = !problems;
  if (text !== last && last && (word !== "Sending" || counts.length)) say(text);
  last = text;
  const others = log.present.length;
  write(parts.present, others ? `${others} ${others === 1 ? "screen" : "screens"} open` : "");
  parts.present.title = log.present.map((each) => [each.name, each.device].filter(Boolean).join(", ")).join("\n");
}
