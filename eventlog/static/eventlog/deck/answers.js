// What a button asks for after the press, as eventlog.asked declares it: [{name, label, type, unit, choices, required,
// when}]. An event is logged all the same, whatever is answered.
import { h } from "./dom.js";

/** Whether a field is shown, given the answers so far: `when` is {field, is: value or list}. */
export function isAsked({ when }, answers) {
  if (!when) return true;
  return [when.is].flat().includes(answers[when.field]);
}

/** The controls, with `answers` filled in; `change` is called with all answers after each input. */
export function controls(fields, answers, change) {
  const now = { ...answers };
  const box = h("div", { class: "answers" });
  const draw = () => fields.forEach((field, index) => (box.children[index].hidden = !isAsked(field, now)));
  const set = (field, value) => {
    if (value === null || value === "") delete now[field.name];
    else now[field.name] = value;
    draw();
    // What is no longer asked is no longer said.
    const silent = new Set(fields.filter((each) => !isAsked(each, now)).map((each) => each.name));
    change(Object.fromEntries(Object.entries(now).filter(([name]) => !silent.has(name))));
  };
  box.append(...fields.map((field, index) => control(field, `answer-${index}`, now[field.name], (value) => set(field, value))));
  draw();
  return box;
}

const FEW = 6; // choices that are shown side by side, for fingers; more are a list

function control(field, id, value, set) {
  const label = [field.label || field.name, field.unit && h("small", {}, ` ${field.unit}`), field.required && h("small", {}, " asked for")];
  if (field.type === "checkbox") {
    const input = h("input", { type: "checkbox", id, checked: value === true, onchange: () => set(input.checked) });
    return h("div", { class: "field" }, h("label", { class: "check" }, input, ...label));
  }
  if (field.type === "choice" && field.choices.length <= FEW) {
    const radio = (choice) => h("input", { type: "radio", name: id, value: choice, checked: choice === value, onchange: () => set(choice) });
    return h(
      "fieldset",
      { class: "field" },
      h("legend", {}, ...label),
      h("div", { class: "choices row" }, field.choices.map((choice) => h("label", { class: "check" }, radio(choice), choice))),
    );
  }
  let input;
  if (field.type === "choice") {
    const option = (choice) => h("option", { value: choice, selected: choice === (value ?? "") }, choice);
    input = h("select", { id, onchange: () => set(input.value) }, ["", ...field.choices].map(option));
  } else if (field.type === "number") {
    input = h("input", { id, class: "short", inputmode: "decimal", value: value ?? "", oninput: () => set(number(input)) });
  } else input = h("input", { id, value: value ?? "", oninput: () => set(input.value) });
  return h("div", { class: "field" }, h("label", { for: id }, ...label), input);
}

// A number where it is one, else what was typed, marked: nothing that was typed is thrown away.
function number(input) {
  const text = input.value.trim().replace(",", ".");
  const wrong = text !== "" && !Number.isFinite(Number(text));
  input.setAttribute("aria-invalid", String(wrong));
  return text === "" ? null : wrong ? input.value : Number(text);
}
