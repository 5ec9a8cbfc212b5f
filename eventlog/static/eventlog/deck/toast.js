// Short words at the bottom, with what can be done about them. They never take the focus and never cover a tile.
import { h, icon, say } from "./dom.js";

const STAYS = 12_000;

/** Shows words with buttons [{label, icon, run}]; the same `key` takes the place of the one before. */
export function toast(text, { key = "", tone = "", buttons = [], stays = STAYS } = {}) {
  const list = document.getElementById("toasts");
  if (!list) return null;
  if (key) list.querySelector(`[data-key="${CSS.escape(key)}"]`)?.remove();
  const made = h(
    "li",
    { class: `toast ${tone}`.trim(), "data-key": key },
    h("span", {}, text),
    buttons.map(({ label, icon: name, run }) =>
      h("button", { type: "button", class: "button small", onclick: () => (run(), made.remove()) }, name && icon(name), label),
    ),
  );
  list.append(made);
  while (list.children.length > 3) list.firstElementChild.remove();
  say(text);
  if (stays) setTimeout(() => made.remove(), stays);
  return made;
}
