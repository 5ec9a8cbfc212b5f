// The person's button in the bar, the list of people, and the PIN pad with big keys.
import * as people from "./people.js";
import { h, icon, say, write } from "./dom.js";

let dialog = null;

export function badge(name, extra = {}) {
  return h("span", { class: `initials ${people.colour(name)}`, title: name, ...extra }, people.initials(name));
}

/** Fills the button in the bar; it always shows who is logging. */
export function show(button) {
  const { person } = people.current();
  const name = person?.name ?? "Nobody";
  button.replaceChildren(badge(name, { "aria-hidden": "true", title: null }), h("span", { class: "who" }, name), h("span", { class: "unseen" }, "is logging. Change person"));
}

export async function choose() {
  const list = await people.list();
  const { person: who } = people.current();
  open(
    h("h2", { id: "switch-title" }, "Who is logging?"),
    h(
      "ul",
      { class: "people" },
      list.map((person) =>
        h(
          "li",
          {},
          h(
            "button",
            {
              type: "button",
              class: "tile",
              "aria-pressed": String(person.uuid === who?.uuid),
              onclick: () => (person.you ? owner() : pad(person)),
            },
            badge(person.name, { "aria-hidden": "true" }),
            h("span", {}, person.name),
            h("small", {}, person.you ? "signed this tablet in" : person.pin === false ? "has no PIN yet" : person.here ? "was here before" : "by PIN"),
          ),
        ),
      ),
    ),
    h("div", { class: "actions" }, h("button", { type: "button", class: "button", onclick: ownPin }, icon("key"), "Set my PIN"), closer()),
  );
}

async function owner() {
  await people.becomeOwner();
  dialog.close();
}

const closer = () => h("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Cancel");

// The pad takes figures from the screen, the keyboard and the number pad alike; Enter or the fourth figure tries.
function pad(person, { title = `PIN of ${person?.name}`, run = (pin) => people.become(person, pin), done = null } = {}) {
  let pin = "";
  const dots = h("output", { class: "pin-dots", "aria-live": "off" });
  const wrong = h("p", { class: "error", role: "alert", hidden: true });
  const draw = () => {
    write(dots, "●".repeat(pin.length) + "○".repeat(Math.max(0, 4 - pin.length)));
    dots.setAttribute("aria-label", `${pin.length} figures typed`);
  };
  let trying = false;
  const attempt = async () => {
    if (trying || pin.length < 4) return;
    trying = true;
    const problem = await run(pin);
    trying = false;
    pin = "";
    draw();
    if (!problem) {
      dialog.close();
      say(done ?? `Logging as ${person.name}.`);
    } else {
      wrong.hidden = false;
      wrong.textContent = problem;
    }
  };
  const add = (figure) => {
    if (trying || pin.length >= 8) return;
    pin += figure;
    wrong.hidden = true;
    draw();
  };
  const key = (label, act, attributes = {}) => h("button", { type: "button", class: "tile", onclick: act, ...attributes }, h("span", {}, label));
  const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((figure) => key(figure, () => add(figure)));
  const grid = h(
    "div",
    { class: "pin-pad" },
    keys,
    key("⌫", () => ((pin = pin.slice(0, -1)), draw()), { "aria-label": "Take back a figure" }),
    key("0", () => add("0")),
    key("OK", attempt, { class: "tile lit" }),
  );
  draw();
  open(h("h2", { id: "switch-title" }, title), dots, wrong, grid, h("div", { class: "actions" }, closer()));
  dialog.onkeydown = (event) => {
    if (/^[0-9]$/.test(event.key)) add(event.key);
    else if (event.key === "Backspace") ((pin = pin.slice(0, -1)), draw());
    else if (event.key === "Enter" && pin.length >= 4) attempt();
    else return;
    event.preventDefault();
  };
  grid.firstElementChild.focus();
}

function ownPin() {
  pad(null, { title: "Choose a PIN of 4 to 8 figures", run: (pin) => people.setPin(pin), done: "Your PIN is set." });
}

function open(...children) {
  dialog ??= document.body.appendChild(h("dialog", { class: "dialog switch", "aria-labelledby": "switch-title" }));
  dialog.onkeydown = null;
  dialog.replaceChildren(h("form", { method: "dialog", onsubmit: (event) => event.preventDefault() }, children));
  if (!dialog.open) dialog.showModal();
}
