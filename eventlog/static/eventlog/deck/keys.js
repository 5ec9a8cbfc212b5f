// The keyboard and the number pad: 1-9 and the templates' own keys press tiles, / finds, u undoes, arrows walk, ? helps.
import * as line from "./line.js";
import { byKey } from "./tiles.js";
import { now } from "./moments.js";
import { undo } from "./press.js";

const typing = (element) => element?.closest?.("input, textarea, select, [contenteditable], dialog[open]");

export function start({ help, close }) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (typing(event.target)) return;
    const at = now();
    if (event.key.startsWith("Arrow")) return walk(event);
    if (event.repeat) return;
    if (event.key === "/") line.find();
    else if (event.key === "?") help();
    else if (event.key === "u" || event.key === "U") undo();
    else if (event.key === "Escape") close();
    else if (event.key.length !== 1 || event.key === " " || !byKey(event.key, at)) return;
    event.preventDefault();
  });
}

// Arrows go to the next button of the same part in that direction, by where it is on the screen.
function walk(event) {
  const here = document.activeElement;
  const part = here?.closest?.(".log-tiles, .log-board, .log-stream");
  if (!part || here === part) return;
  const box = here.getBoundingClientRect();
  const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const middle = ({ left, right, top, bottom }) => [(left + right) / 2, (top + bottom) / 2];
  const [hx, hy] = middle(box);
  let best = null;
  for (const button of part.querySelectorAll("button:not([hidden], :disabled), a[href]")) {
    if (button === here || !button.offsetParent) continue;
    const [bx, by] = middle(button.getBoundingClientRect());
    const along = (bx - hx) * x + (by - hy) * y;
    const across = Math.abs((bx - hx) * y) + Math.abs((by - hy) * x);
    if (along < 6) continue;
    const score = along + across * 3;
    if (!best || score < best.score) best = { button, score };
  }
  if (best) {
    best.button.focus();
    event.preventDefault();
  }
}
