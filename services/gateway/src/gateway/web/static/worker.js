// Keeps the page on the device, so that it opens at once and without a network. The gateway puts VERSION and KEPT before
// these lines: a change of any kept file changes them, and with them the worker, which then fetches all files anew.
const OWN = "climbmate-";
const NAME = OWN + VERSION;

self.addEventListener("install", (event) => {
  const requests = KEPT.map((path) => new Request(path, { cache: "no-cache" }));
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(requests)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const forget = async () => {
    for (const name of await caches.keys()) if (name.startsWith(OWN) && name !== NAME) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(forget());
});

self.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin || !KEPT.includes(pathname)) return;
  event.respondWith(caches.match(pathname, { cacheName: NAME }).then((kept) => kept ?? fetch(event.request)));
});
