// A UTC clock in <time class="clock" data-server-now="2026-11-21T03:14:07Z">. The server's time is believed, not the
// tablet's: data-server-now is when the page was made; where it is absent the device's own clock has to do.
const clocks = [...document.querySelectorAll("time.clock")];
const arrival = performance.getEntriesByType("navigation")[0]?.responseStart ?? performance.now();
const asked = performance.timeOrigin + arrival;

const offset = (clock) => {
  const server = Date.parse(clock.dataset.serverNow ?? "");
  return Number.isNaN(server) ? 0 : server - asked;
};
const offsets = new Map(clocks.map((clock) => [clock, offset(clock)]));

/** Correct a running clock, e.g. after an answer from the server said what time it is. */
export function setServerTime(iso, at = Date.now()) {
  for (const clock of clocks) offsets.set(clock, Date.parse(iso) - at);
}

/** Milliseconds by which the device runs ahead of the server (negative: behind). */
export function deviceAhead(clock = clocks[0]) {
  return -(offsets.get(clock) ?? 0);
}

function part(clock, name, text) {
  let element = clock.querySelector(`.${name}`);
  if (!element) {
    element = document.createElement("span");
    element.className = name;
    clock.append(element);
  }
  if (element.textContent !== text) element.textContent = text;
}

function tick() {
  for (const clock of clocks) {
    const iso = new Date(Date.now() + offsets.get(clock)).toISOString();
    clock.dateTime = `${iso.slice(0, 19)}Z`;
    part(clock, "clock-date", iso.slice(0, 10));
    part(clock, "clock-time", iso.slice(11, 19));
    part(clock, "clock-zone", "UTC");
  }
  const now = Date.now() + (offsets.get(clocks[0]) ?? 0);
  setTimeout(tick, 1000 - (((now % 1000) + 1000) % 1000) + 4);
}

if (clocks.length) {
  for (const clock of clocks) {
    if (!clock.querySelector(".clock-time")) clock.textContent = "";
  }
  tick();
}
