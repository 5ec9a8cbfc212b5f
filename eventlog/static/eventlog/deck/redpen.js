// The red pen while typing: hints that need no network. Each is {field, text, fix: {label, values}}; none forbids.
// The server's own list (events:check) knows more and is asked when there is a network.
import { elapsed } from "./moments.js";

const FAST = 25; // kn; no research ship is faster
const KNOT = 1852 / 3600; // m/s
const RADIUS = 6_371_008.8; // m, mean radius of the Earth (IUGG)
const TWIN = 120_000; // ms within which the same instrument and action is asked about

/** A word as it is compared: without case, blanks, signs and leading zeros of numbers; LTER1 is L1. */
export function key(word) {
  return String(word ?? "")
    .normalize("NFKC")
    .toLowerCase()
    .replace(/\b(station|stn|sta|st)\b\.?/g, "")
    .replace(/[^\p{L}\p{N}]/gu, "")
    .replace(/0+(?=\d)/g, (zeros, at, text) => (/\d/.test(text[at - 1] ?? "") ? zeros : ""));
}

/** Places that are probably meant by `typed`: by name, alias, the same letters and number, or nearly the same word. */
export function nearPlaces(typed, places, most = 4) {
  const wanted = key(typed);
  if (!wanted) return [];
  const scored = [];
  for (const place of places) {
    if (place.merged_into) continue;
    const names = [place.name, ...(place.aliases ?? [])];
    if (place.name === typed) return [];
    const score = Math.min(...names.map((name) => distance(wanted, key(name))));
    if (score < 3) scored.push({ place, score });
  }
  return scored.sort((a, b) => a.score - b.score || a.place.name.length - b.place.name.length).slice(0, most).map(({ place }) => place);
}

// 0 the same, 1 begins alike or the same number after a shortened word (LTER1, L1), 2 one letter apart, 3 something else
function distance(one, other) {
  if (one === other) return 0;
  if (!one || !other) return 3;
  const [a, b] = [one, other].map((text) => text.match(/^(\p{L}*)(\d*)$/u));
  if (a && b && a[2] === b[2] && a[2] && (a[1].startsWith(b[1]) || b[1].startsWith(a[1]))) return 1;
  if (other.startsWith(one)) return 1;
  if (a && b && a[2] !== b[2]) return 3; // another number is another station
  return one.length > 3 && apart(one, other) ? 2 : 3;
}

function apart(one, other) {
  if (Math.abs(one.length - other.length) > 1) return false;
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return [
    [1, 1],
    [1, 0],
    [0, 1],
  ].some(([i, j]) => one.slice(at + i) === other.slice(at + j));
}

/** Great-circle distance in metres. */
export function metres(lat1, lon1, lat2, lon2) {
  const rad = Math.PI / 180;
  const a =
    Math.sin(((lat2 - lat1) * rad) / 2) ** 2 +
    Math.cos(lat1 * rad) * Math.cos(lat2 * rad) * Math.sin(((lon2 - lon1) * rad) / 2) ** 2;
  return 2 * RADIUS * Math.asin(Math.sqrt(a));
}

const place = (event) =>
  event.latitude != null && event.longitude != null
    ? [event.latitude, event.longitude]
    : event.nav_latitude != null
      ? [event.nav_latitude, event.nav_longitude]
      : null;

/** Hints about an event as it stands in the form. `events` are all others, newest first. */
export function hints(event, { now, about, operation, events, terms, places, steps }) {
  const found = [];
  const at = Date.parse(event.observed_at);
  if (at > now + 60_000) {
    found.push({ field: "observed_at", text: `lies ${elapsed(at - now)} in the future`, fix: { label: "Use now", values: { observed_at: new Date(now).toISOString() } } });
  }
  if (about?.opened_at && at < Date.parse(about.opened_at)) found.push({ field: "observed_at", text: "lies before the log was opened" });
  if (event.ended_at && Date.parse(event.ended_at) < at) found.push({ field: "ended_at", text: "lies before the beginning" });
  if (operation?.started_at && at < Date.parse(operation.started_at)) found.push({ field: "observed_at", text: `lies before its operation began (${operation.started_at.slice(11, 19)})` });
  if (operation?.ended_at && at > Date.parse(operation.ended_at)) found.push({ field: "observed_at", text: `lies after its operation ended (${operation.ended_at.slice(11, 19)})` });
  const others = events.filter((other) => other.uuid !== event.uuid && !other.struck);
  const twin = others.find(
    (other) => other.action !== "comment" && other.instrument === event.instrument && other.action === event.action && Math.abs(Date.parse(other.observed_at) - at) < TWIN,
  );
  if (twin) found.push({ field: "", text: `${twin.instrument} ${twin.action} was also logged at ${twin.observed_at.slice(11, 19)}; perhaps it is the same` });
  const here = place(event);
  if (here) {
    const near = others.filter((other) => place(other)).reduce((best, other) => {
      const gap = Math.abs(Date.parse(other.observed_at) - at);
      return !best || gap < best.gap ? { other, gap } : best;
    }, null);
    if (near && near.gap > 0) {
      const way = metres(...here, ...place(near.other));
      const knots = way / (near.gap / 1000) / KNOT;
      if (knots > FAST && way > 500) found.push({ field: "latitude", text: `is ${(way / 1852).toFixed(1)} nm from the event at ${near.other.observed_at.slice(11, 19)}: ${Math.round(knots)} kn` });
    }
  }
  for (const kind of ["instrument", "action"]) {
    const known = [...terms].filter((term) => term.kind === kind);
    const word = event[kind];
    if (!word || !known.length || known.some((term) => term.name === word)) continue;
    const meant = known.find((term) => key(term.name) === key(word) || (term.aliases ?? []).some((alias) => key(alias) === key(word)));
    if (meant) found.push({ field: kind, text: `is known as ${meant.name}`, fix: { label: `Use ${meant.name}`, values: { [kind]: meant.name } } });
  }
  if (event.station) {
    const named = [...places].some((each) => each.name === event.station && !each.merged_into);
    const near = named ? [] : nearPlaces(event.station, places);
    if (near.length) found.push({ field: "station", text: `may be ${near[0].name}`, fix: { label: `Use ${near[0].name}`, values: { station: near[0].name } } });
  }
  if (steps) found.push(...steps);
  return found;
}
