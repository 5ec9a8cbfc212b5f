// Adds rows to the sets of a long form, from the template that stands beside each set. Without script the form has one
// empty row for each set, and a saved form comes back with another.

for (const section of document.querySelectorAll("[data-rows]")) {
  const name = section.dataset.rows;
  const total = section.querySelector(`[name="${name}-TOTAL_FORMS"]`);
  const template = section.querySelector("template");
  const button = section.querySelector("[data-add-row]");
  if (!total || !template || !button) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    const number = Number(total.value);
    const row = template.content.firstElementChild.cloneNode(true);
    for (const node of [row, ...row.querySelectorAll("*")]) {
      for (const attribute of [...node.attributes]) {
        if (attribute.value.includes("__prefix__")) {
          node.setAttribute(attribute.name, attribute.value.replaceAll("__prefix__", String(number)));
        }
      }
    }
    section.querySelector(".rows").append(row);
    total.value = String(number + 1);
    row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  });
}
