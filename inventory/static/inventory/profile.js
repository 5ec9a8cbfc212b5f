// Live preview in the profile editor: a moment after the last change the sheet is tried on the chosen cruise. Without
// script the Preview button does the same. The server's answer takes the place of the preview; nothing else moves.

const form = document.querySelector("#sheet");
const place = document.querySelector("[data-preview]");
const status = document.querySelector("[data-status]");
const PAUSE = 400;
let timer = 0;
let asked = null;

async function preview() {
  asked?.abort();
  asked = new AbortController();
  const body = new FormData(form);
  body.delete("file");
  body.delete("text");
  body.set("do", "preview");
  try {
    const answer = await fetch(location.pathname, {
      method: "POST",
      body,
      headers: { "X-Preview": "live" },
      signal: asked.signal,
    });
    if (!answer.ok) throw new Error(String(answer.status));
    place.innerHTML = await answer.text();
    show();
  } catch (error) {
    if (error.name !== "AbortError") status.textContent = "The preview did not come. Press Preview to try again.";
  }
}

function show() {
  const told = place.querySelector("[data-files-of-rules]")?.dataset.filesOfRules ?? "";
  const counts = told ? told.split(" ").map(Number) : [];
  document.querySelectorAll("[data-line] [data-files]").forEach((output, index) => {
    const count = counts[index];
    output.textContent = index in counts ? `${count.toLocaleString("en")} file${count === 1 ? "" : "s"}` : "";
  });
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const link of place.querySelectorAll(".notice a[href^='#']")) {
    document.querySelector(link.getAttribute("href"))?.setAttribute("aria-invalid", "true");
  }
  status.textContent = place.querySelector(".notice strong")?.textContent ?? "The preview is up to date.";
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(preview, PAUSE);
}

if (form && place) {
  for (const field of [form, document.querySelector("#cruise")]) {
    field?.addEventListener("input", (event) => {
      if (!["file", "text", "note"].includes(event.target.name)) soon();
    });
  }
  place.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const field = link && document.querySelector(link.getAttribute("href"));
    if (!field) return;
    event.preventDefault();
    const fold = field.closest("details");
    if (fold) fold.open = true;
    field.focus();
  });
  if (document.querySelector("[data-line]") && !place.querySelector(".notice, .facts")) preview();
}
