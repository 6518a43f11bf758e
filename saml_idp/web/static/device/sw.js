// Keeps the phone web app usable without a connection, up to the moment of the answer.
// Only the shell is kept; calls of the device protocol always go to the server.

const CACHE = "shell-1";
const FILES = [
  "site.css",
  "brand.css",
  "icon.svg",
  "symbols.svg",
  "device/device.css",
  "device/app.js",
  "device/approval.js",
  "device/calls.js",
  "device/enrolment.js",
  "device/messages.js",
  "device/screens.js",
  "device/store.js",
  "device/symbols.js",
  "device/texts.js",
];
const SHELL = ["./", ...FILES.map((file) => `../static/${file}`)].map(
  (path) => new URL(path, self.location.href).href,
);

/** Return the address that a request is kept under: without its version and its fragment. */
function plain(address) {
  return address.split(/[?#]/)[0];
}

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll(SHELL.map((address) => new Request(address, { cache: "reload" })));
}

async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
  await self.clients.claim();
}

// The server goes first, so that a new version is seen at once; the kept copy helps without it.
async function answered(event) {
  const address = plain(event.request.url);
  try {
    const answer = await fetch(event.request);
    if (answer.ok) {
      const copy = answer.clone();
      event.waitUntil(caches.open(CACHE).then((cache) => cache.put(address, copy)));
    }
    return answer;
  } catch {
    return (await caches.match(address)) ?? Response.error();
  }
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keep());
});
self.addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && SHELL.includes(plain(event.request.url))) {
    event.respondWith(answered(event));
  }
});
