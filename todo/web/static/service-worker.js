"use strict";

// Shows the list as it was seen last while there is no network. It keeps the files of the pages and one page, /list, of
// whoever is signed in, and leaves all else to the browser. The service puts VERSION and FILES before these lines.

const PATIENCE = 4000; // milliseconds that a slow network has before the kept page is shown
const LIST = "/list";
const FILES_KEPT = `files-${VERSION}`;
const PAGE_KEPT = `page-${VERSION}`; // it needs the files of its version
const FORGET = /^\/(sign-in|sign-out|sign-up|account\/delete)$/; // where somebody comes or goes

let goings = 0; // how often the page was forgotten, for what is under way meanwhile

async function forget() {
  goings += 1;
  await caches.delete(PAGE_KEPT);
}

// Keeps a list page, which then says how old it is. A redirect leads to sign-in, so nobody is signed in any more.
async function keep(response, before) {
  if (response.type === "opaqueredirect" || response.redirected) return forget();
  const text = response.ok ? await response.text() : "";
  if (!text.includes("<html ") || before !== goings) return;
  const headers = new Headers(response.headers);
  for (const name of ["Content-Encoding", "Content-Length"]) headers.delete(name);
  const dated = text.replace("<html ", `<html data-offline-since="${new Date().toISOString()}" `);
  await (await caches.open(PAGE_KEPT)).put(LIST, new Response(dated, { headers }));
  if (before !== goings) await forget();
}

function load(event) {
  const before = goings;
  const loading = fetch(event.request);
  event.waitUntil(loading.then((response) => keep(response.clone(), before)).catch(() => {}));
  return loading;
}

// Returns the page from the network or, if that fails or is slow, the kept one.
async function show(event) {
  const loading = load(event);
  const old = () => caches.match(LIST, { cacheName: PAGE_KEPT }).then((page) => page || loading);
  return Promise.race([loading.catch(old), new Promise((wake) => setTimeout(wake, PATIENCE)).then(old)]);
}

async function start() {
  const old = (await caches.keys()).filter((name) => ![FILES_KEPT, PAGE_KEPT].includes(name));
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
  await keep(await fetch(LIST), goings); // the page that is open was loaded before this was here
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(FILES_KEPT).then((files) => files.addAll(FILES)));
});
self.addEventListener("activate", (event) => event.waitUntil(start().catch(() => {})));

self.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname, search } = new URL(url);
  if (origin !== location.origin) return;
  if (FORGET.test(pathname)) event.waitUntil(forget());
  else if (method !== "GET") return;
  else if (FILES.includes(pathname)) event.respondWith(caches.match(url).then((file) => file || fetch(event.request)));
  else if (pathname === LIST && !search) event.respondWith(mode === "navigate" ? show(event) : load(event));
  // Other views lead to the kept one.
  else if (pathname === LIST && mode === "navigate") event.respondWith(fetch(event.request).catch(() => Response.redirect(LIST)));
});
