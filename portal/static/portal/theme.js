// The colour switch: buttons with data-theme-set="auto|light|dark|night", kept in this browser and told to all its tabs.
const KEY = "leadline-theme";
const THEMES = ["light", "dark", "night"];
const root = document.documentElement;

export function theme() {
  return root.dataset.theme ?? "auto";
}

export function setTheme(name) {
  show(name);
  try {
    if (THEMES.includes(name)) localStorage.setItem(KEY, name);
    else localStorage.removeItem(KEY);
  } catch {
    // No storage (a private window): the choice lasts for this page.
  }
}

function show(name) {
  if (THEMES.includes(name)) root.dataset.theme = name;
  else delete root.dataset.theme;
  const scheme = document.querySelector('meta[name="color-scheme"]');
  scheme?.setAttribute("content", name === "light" ? "light" : THEMES.includes(name) ? "dark" : "light dark");
  for (const button of document.querySelectorAll("[data-theme-set]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeSet === theme()));
  }
  document.dispatchEvent(new CustomEvent("themechange", { detail: theme() }));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-theme-set]");
  if (button) setTheme(button.dataset.themeSet);
});
window.addEventListener("storage", (event) => {
  if (event.key === KEY) show(event.newValue ?? "auto");
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(theme()));

// Without script the switch would do nothing, so pages carry it hidden.
for (const group of document.querySelectorAll(".theme[hidden]")) group.hidden = false;
show(theme());
