// The line at the bottom: a comment, or "/" and letters to find any template; what follows " - " or ":" is its comment.
import * as drafts from "./drafts.js";
import { h } from "./dom.js";
import { iso, now } from "./moments.js";
import { key } from "./redpen.js";
import { log } from "./log.js";
import { labelOf, offered } from "./tiles.js";
import { press } from "./press.js";

const DRAFT = "line";
let input = null;
let list = null;
let at = -1; // which of the offers is marked
let offers = [];

export async function start(form, offersList) {
  input = form.querySelector("input[name=comment]");
  list = offersList;
  input.addEventListener("input", typed);
  input.addEventListener("keydown", keys);
  input.addEventListener("blur", () => setTimeout(() => list.contains(document.activeElement) || hide(), 150));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  const draft = await drafts.of(`${DRAFT} ${log.cruise}`);
  if (draft && !input.value) input.value = draft.text;
}

export function focus() {
  input?.focus();
}

/** Puts the cursor there with a slash, to find a template. */
export function find() {
  input.focus();
  if (!input.value) {
    input.value = "/";
    typed();
  }
}

function typed() {
  drafts.keep({ uuid: `${DRAFT} ${log.cruise}`, cruise: log.cruise, text: input.value, at: iso(now()), line: true });
  if (!input.value.startsWith("/")) return hide();
  const { wanted } = parts();
  offers = matches(wanted).slice(0, 8);
  at = offers.length ? 0 : -1;
  draw();
}

// "/ctd rec: swell 3 m" -> the words that find the template, and the comment
function parts() {
  const [, wanted, , comment = ""] = input.value.match(/^\/([^:]*?)(\s-\s|:\s*|$)(.*)$/s) ?? [null, input.value.slice(1)];
  return { wanted, comment };
}

function matches(wanted) {
  const words = wanted.trim().split(/\s+/).map(key).filter(Boolean);
  return offered()
    .map((template) => {
      const text = [template.instrument, template.action, template.label ?? ""].map(key);
      const score = words.reduce((sum, word) => {
        const start = text.some((each) => each.startsWith(word));
        return sum + (start ? 2 : text.some((each) => each.includes(word)) ? 1 : -100);
      }, 0);
      return { template, score };
    })
    .filter(({ score }) => score >= 0)
    .sort((a, b) => b.score - a.score)
    .map(({ template }) => template);
}

function draw() {
  list.hidden = offers.length === 0;
  input.setAttribute("aria-expanded", String(!list.hidden));
  list.replaceChildren(
    ...offers.map((template, index) =>
      h(
        "li",
        { id: `offer-${index}`, role: "option", "aria-selected": String(index === at), onpointerdown: (event) => (event.preventDefault(), take(template)) },
        h("strong", {}, template.instrument),
        ` ${labelOf(template)}`,
      ),
    ),
  );
  if (at >= 0) input.setAttribute("aria-activedescendant", `offer-${at}`);
  else input.removeAttribute("aria-activedescendant");
}

function hide() {
  offers = [];
  at = -1;
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function keys(event) {
  if (event.key === "Escape") {
    if (list.hidden) input.blur();
    else hide();
    return;
  }
  if (list.hidden || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  at = (at + (event.key === "ArrowDown" ? 1 : -1) + offers.length) % offers.length;
  draw();
}

async function take(template) {
  const { comment } = parts();
  await log_(template, comment.trim());
}

async function submit() {
  const text = input.value.trim();
  if (!text) return;
  if (text.startsWith("/")) {
    if (at >= 0) await take(offers[at]);
    return;
  }
  const own = [...log.templates.values()].find((each) => /^(comment|note|remark)s?$/i.test(each.action));
  await log_(own ?? { instrument: "Other", action: "comment", kind: "" }, text);
}

// The line is emptied only after the event is kept.
async function log_(template, comment) {
  hide();
  const before = input.value;
  await press({ template, comment: comment || "" });
  if (input.value === before) input.value = "";
  await drafts.drop(`${DRAFT} ${log.cruise}`);
}
