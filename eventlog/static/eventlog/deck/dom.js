// Makes elements. Text is always text, never markup: what people type cannot become part of the page.
const SVG = "http://www.w3.org/2000/svg";
let sprite = "";

/** Where the icons are; told once at the start. */
export function iconsAt(url) {
  sprite = url;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#icon-${name}`);
  svg.append(use);
  return svg;
}

/** h("button", {class: "tile", onclick: f, "data-x": 1}, "text", child, [more]); null, false and undefined are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Writes text only where it differs: screen readers and selections are left alone. */
export function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/**
 * Brings the children of `parent` in line with `rows` = [{key, stamp, make}]: an element whose key and stamp are as
 * they were stays the same element, so that focus, selection and a finger on it are not disturbed.
 */
export function reconcile(parent, rows) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const { key, stamp, make } of rows) {
    let element = known.get(key);
    if (!element || element.dataset.stamp !== stamp) {
      const made = make();
      made.dataset.key = key;
      made.dataset.stamp = stamp;
      if (element) {
        const path = focusPath(element);
        if (place === element) place = made;
        element.replaceWith(made);
        refocus(made, path);
      }
      element = made;
    }
    known.delete(key);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const [key, left] of known) if (key !== undefined || !left.dataset.stays) left.remove();
}

function focusPath(element) {
  const active = document.activeElement;
  if (!active || !element.contains(active)) return null;
  if (active === element) return "";
  return active.dataset.focus ?? null;
}

function refocus(element, path) {
  if (path === "") element.focus();
  else if (path) element.querySelector(`[data-focus="${CSS.escape(path)}"]`)?.focus();
}

/** Text into the page's polite live region: read out, and never in the way. */
export function say(text) {
  const voice = document.getElementById("voice");
  if (!voice) return;
  voice.textContent = "";
  setTimeout(() => (voice.textContent = text), 60);
}
