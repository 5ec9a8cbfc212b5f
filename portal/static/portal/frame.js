// What every page carries: theme switch, times ago, copy buttons, and menus and dialogs that behave.
import "./theme.js";
import "./relative.js";
import "./copy.js";

// A menu is a <details>; it closes when the person goes elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("focusin", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// <a href="/page/that/asks/" data-opens="dialog-id">: the dialog with script, the page without.
document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-opens]");
  const dialog = opener && document.getElementById(opener.dataset.opens);
  if (dialog?.showModal) {
    event.preventDefault();
    dialog.showModal();
  }
  const closer = event.target.closest?.("[data-closes]");
  if (closer) closer.closest("dialog")?.close();
});

// The error summary is read first (GOV.UK's pattern).
document.querySelector(".error-summary")?.focus();

// Signing out takes the copies of logs off this computer, never what still waits to be sent; that is asked about first.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  // Not form.action: a field of that name would stand in its place.
  if (!form.getAttribute("action")?.endsWith("/accounts/logout/") || form.dataset.cleared) return;
  event.preventDefault();
  const waiting = Number(stored("leadline-waiting") ?? 0);
  const one = waiting === 1;
  const question = `${waiting} ${one ? "item" : "items"} of the event log ${one ? "waits" : "wait"} on this tablet. ${one ? "It is" : "They are"} kept, and sent when the same person signs in again. Sign out?`;
  if (waiting && !confirm(question)) return;
  form.dataset.cleared = "yes";
  stored("leadline-signed-out", "yes");
  // A browser that does not answer about its storage must not keep anybody signed in.
  await Promise.race([forgotten().catch(() => null), new Promise((done) => setTimeout(done, 3000))]);
  form.submit();
});

async function forgotten() {
  globalThis.indexedDB?.deleteDatabase("leadline-log-cache");
  for (const name of (await globalThis.caches?.keys()) ?? []) if (name.startsWith("leadline-log-")) await caches.delete(name);
}

function stored(name, value) {
  try {
    return value === undefined ? localStorage.getItem(name) : localStorage.setItem(name, value);
  } catch {
    return null; // no storage: nothing was kept either
  }
}
