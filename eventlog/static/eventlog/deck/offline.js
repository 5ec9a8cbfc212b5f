// The service worker, which brings this page up with no network; and what is said where there can be none.
import * as store from "./store.js";

/** Resolves to a sentence for people where something cannot work here, else to "". */
export async function start({ worker, scope }) {
  const promised = await store.persist();
  if (!("serviceWorker" in navigator)) {
    return "This browser opens the page only with network (it needs https). While the page stays open, logging works without: do not close it.";
  }
  try {
    await navigator.serviceWorker.register(worker, { scope });
  } catch {
    return "The page could not be installed for work without network. While it stays open, logging works: do not close it.";
  }
  return promised ? "" : "";
}

let lock = null;
/** Keeps the screen on, where the browser can; resolves to whether it is. */
export async function stayAwake(on) {
  try {
    if (!on) {
      await lock?.release();
      lock = null;
      return false;
    }
    lock = await navigator.wakeLock.request("screen");
    return true;
  } catch {
    return false;
  }
}
document.addEventListener("visibilitychange", () => lock && !document.hidden && stayAwake(true));
