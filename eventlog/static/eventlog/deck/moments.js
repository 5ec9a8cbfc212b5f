// What time it is. The server's clock is believed, and carried on by the page's monotonic one (performance.now), so
// that somebody who sets the tablet's clock in mid-watch does not move the events.
const SLEEP = 1000; // ms by which the two clocks may drift apart before it counts as a jump

let known = null; // {server, mono, wall}: the server's time at a moment of both of our clocks
let awayAt = 0; // when the page was last hidden or frozen, monotonic
let jumped = false;
const listeners = new Set();

/** Called with no arguments whenever what is known of the time changed. */
export function onClock(listener) {
  listeners.add(listener);
}

/** The server said `iso`, in answer to what was asked at `asked` (performance.now); the middle of the way is taken. */
export function measured(iso, asked = performance.now()) {
  const server = Date.parse(iso);
  if (Number.isNaN(server)) return;
  const mono = performance.now();
  const way = (mono - asked) / 2;
  // A slow answer says less than a quick one: it is taken only where nothing better is known.
  if (known && !jumped && way > 1500 && Math.abs(now() - (server + way)) < way) return;
  known = { server: server + way, mono, wall: Date.now() };
  jumped = false;
  for (const listener of listeners) listener();
}

/** Goes on from an offset that was kept (ms, server minus device), until the server is heard. */
export function remembered(offset) {
  if (!known && Number.isFinite(offset)) known = { server: Date.now() + offset, mono: performance.now(), wall: Date.now() };
}

/** The time now, ms since 1970, corrected. */
export function now() {
  check();
  return known ? known.server + (performance.now() - known.mono) : Date.now();
}

/** ms by which the server's clock is ahead of this device's (negative: behind), 0 where it is not known. */
export function offset() {
  return known ? Math.round(now() - Date.now()) : 0;
}

/** Whether the server's time is known, and no clock jumped since. */
export function sure() {
  check();
  return known !== null && !jumped;
}

export function iso(ms) {
  return new Date(ms).toISOString();
}

// The wall clock ran away from the monotonic one. Either somebody set it, or the device slept and the monotonic clock
// stood still meanwhile. After the page was away the wall clock is believed (sleep is far more frequent), else not; in
// both cases the server is asked again.
function check() {
  if (!known) return;
  const mono = performance.now();
  const drift = Date.now() - known.wall - (mono - known.mono);
  if (Math.abs(drift) < SLEEP) return;
  const slept = drift > 0 && awayAt && mono - awayAt < 60_000;
  known = {
    server: known.server + (mono - known.mono) + (slept ? drift : 0),
    mono,
    wall: Date.now(),
  };
  jumped = true;
  for (const listener of listeners) listener();
}

for (const name of ["visibilitychange", "freeze", "resume", "pagehide", "pageshow"]) {
  document.addEventListener(name, () => {
    awayAt = performance.now();
    check();
  });
}

const two = (number) => String(number).padStart(2, "0");

/** "03:14:07" of ISO text or ms, UTC. */
export function clockTime(moment) {
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(11, 19);
}

/** "2026-11-21" of ISO text or ms, UTC. */
export function day(moment) {
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(0, 10);
}

/** "1:16:02", or "3 d 04:10" for more than a day. */
export function elapsed(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${two(hours % 24)}:${two(minutes)}`;
  return `${hours}:${two(minutes)}:${two(seconds % 60)}`;
}

/** "12 s", "4 min", "3 h", "2 d". */
export function age(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

const AHEAD = 300_000; // ms that somebody's own watch may be ahead of ours

/** What a person typed as a time of a day near `near` (ms): 0314, 03:14, 3:14:07, 2026-11-21 03:14; ms, or null. */
export function readTime(text, near) {
  const clean = text.trim().replace(/\s*(utc|z)$/i, "");
  const whole = clean.match(/^(\d{4})-(\d{2})-(\d{2})[ T](\d{1,2}):?(\d{2})(?::?(\d{2})(?:\.\d+)?)?$/);
  if (whole) {
    const [, y, mo, d, hh, mi, s = "0"] = whole.map((part) => part);
    return valid(Date.UTC(+y, +mo - 1, +d, +hh, +mi, +s), +hh, +mi, +s, +d);
  }
  const short = clean.match(/^(\d{1,2}):?(\d{2})(?::?(\d{2})(?:\.\d+)?)?$/);
  if (!short) return null;
  const [, hh, mi, s = "0"] = short;
  const base = new Date(near);
  const at = Date.UTC(base.getUTCFullYear(), base.getUTCMonth(), base.getUTCDate(), +hh, +mi, +s);
  const fine = valid(at, +hh, +mi, +s);
  if (fine === null) return null;
  // The nearest such time that is not to come: 23:58 typed at 00:02 was yesterday, 00:01 typed at 14:00 was today.
  const latest = now() + AHEAD;
  const options = [at - 86_400_000, at, at + 86_400_000].filter((option, index) => !index || option <= latest);
  return options.reduce((best, option) => (Math.abs(option - near) < Math.abs(best - near) ? option : best));
}

function valid(at, hours, minutes, seconds, date = null) {
  if (Number.isNaN(at) || hours > 23 || minutes > 59 || seconds > 59) return null;
  return date !== null && new Date(at).getUTCDate() !== date ? null : at;
}
