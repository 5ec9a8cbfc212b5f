// Writes "3 h ago" after the words of every <time datetime="…" data-ago>. The exact time stays; this is an addition.
const STEPS = [
  [90, 1, "s"],
  [90 * 60, 60, "min"],
  [36 * 3600, 3600, "h"],
  [60 * 86400, 86400, "day"],
  [730 * 86400, 30.4375 * 86400, "month"],
  [Infinity, 365.25 * 86400, "year"],
];
const SYMBOLS = new Set(["s", "min", "h"]);

/** "3 h ago", "in 4 days", "now"; both in milliseconds since 1970. */
export function relative(then, now = Date.now()) {
  const seconds = Math.round((now - then) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) return "now";
  const [, unit, word] = STEPS.find(([limit]) => size < limit);
  const count = Math.max(1, Math.round(size / unit));
  const amount = `${count}\u00a0${word}${SYMBOLS.has(word) || count === 1 ? "" : "s"}`;
  return seconds >= 0 ? `${amount} ago` : `in ${amount}`;
}

export function refresh(within = document) {
  for (const time of within.querySelectorAll("time[datetime][data-ago]")) {
    const then = Date.parse(time.dateTime);
    if (Number.isNaN(then)) continue;
    let since = time.querySelector(".ago");
    if (!since) {
      const exact = document.createElement("span");
      exact.className = "exact";
      exact.append(...time.childNodes);
      since = document.createElement("span");
      since.className = "ago";
      time.append(exact, " ", since);
    }
    const text = relative(then);
    if (since.textContent !== text) since.textContent = text;
  }
}

refresh();
setInterval(refresh, 30_000);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
