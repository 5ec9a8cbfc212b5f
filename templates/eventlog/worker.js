// The service worker of the log pages: brings the page up with no network. It keeps files and the page itself, never
// what people log: that is in the page's own database.
//   page           network first, for 3 s; then the kept one
//   /static/       kept first: their names change with their contents
//   all else       the network alone
// Made by the server for its present files: a new version is a new worker, which fetches all of them before it takes over.
const VERSION = "{{ version }}";
const KEPT = `leadline-log-${VERSION}`;
const FILES = {{ files|safe }};
const STATIC = "{{ static }}";
const PATIENCE = 3000;
const page = new URL(self.registration.scope).pathname;

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(KEPT);
      await cache.addAll(FILES);
      await keepPage(cache, await fetch(page, { credentials: "same-origin", cache: "no-cache" }).catch(() => null));
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const own = await caches.has(KEPT);
      for (const name of await caches.keys()) {
        if (!name.startsWith("leadline-log-") || name === KEPT || !own) continue;
        // The pages of other cruises are kept by their own workers of the same version: take them along.
        const [old, cache] = [await caches.open(name), await caches.open(KEPT)];
        for (const request of await old.keys()) {
          if (new URL(request.url).pathname !== page && !request.url.includes(STATIC)) await cache.put(request, await old.match(request));
        }
        if (await cache.match(page)) await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

// Only a page that was made for somebody signed in, and for the files that this worker keeps.
async function keepPage(cache, response) {
  if (response?.ok && !response.redirected && response.headers.get("X-Log-Shell") === VERSION) await cache.put(page, response.clone());
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === page) event.respondWith(shell(event, request));
  else if (url.pathname.startsWith(STATIC)) event.respondWith(file(request));
});

async function shell(event, request) {
  const kept = await caches.match(page, { ignoreSearch: true, ignoreVary: true });
  const asked = fetch(request);
  event.waitUntil(
    asked.then(
      async (response) => keepPage(await caches.open(KEPT), response.clone()),
      () => {},
    ),
  );
  if (!kept) return asked;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, null));
  const response = await Promise.race([asked.catch(() => null), late]);
  // Signed out, gone, or a server that is just starting: the kept page comes up, and says what is the matter.
  if (response?.ok && response.headers.get("X-Log-Shell")) return response;
  // The log is closed: its own page, unless something logged before still waits here to be sent.
  if (response?.ok && response.headers.get("X-Log-Closed") && !(await waiting())) return response;
  return kept;
}

function waiting() {
  return new Promise((resolve) => {
    const asked = indexedDB.open("leadline-outbox");
    asked.onerror = () => resolve(false);
    // Nothing was ever logged here: leave the making of the database to the page.
    asked.onupgradeneeded = () => asked.transaction.abort();
    asked.onsuccess = () => {
      const all = asked.result.transaction("items").objectStore("items").getAll();
      all.onsuccess = () => resolve(all.result.some((item) => !["done", "settled"].includes(item.state)));
      all.onerror = () => resolve(true);
      all.transaction.oncomplete = () => asked.result.close();
    };
  });
}

async function file(request) {
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept) return kept;
  return fetch(request);
}
