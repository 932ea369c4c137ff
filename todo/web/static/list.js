// The list, the history and the trash: sends forms, follows links and shows changes in place. All work without it too.

import { dropDraft, flush, isEmpty, isTyped, keep, online, redraw, restoreDrafts, saveDraft, send, signIn, userOf } from "./outbox.js";
import { patch } from "./patch.js";
import "./rows.js";

const POLL_INTERVAL = 1500; // milliseconds
const TOAST_TIME = 8000;

const main = () => document.querySelector("main");
const rowOf = (element) => element?.closest?.("li.todo");
const user = userOf(document);
const undoable = []; // the person's own changes, for the key z

// Shows a page in place of this one. `kept` says which forms stay as they are.
function show(text, kept, focus) {
  const next = new DOMParser().parseFromString(text, "text/html");
  if ((userOf(next) ?? user) !== user) return location.reload(); // somebody else has signed in
  const focused = document.activeElement?.id;
  const held = document.querySelector(".todo:hover") || rowOf(document.activeElement);
  const [parent, top] = [held?.parentElement, held?.getBoundingClientRect().top];
  patch(main(), next.querySelector("main"), kept);
  document.title = next.title;
  // What is under the pointer stays there, although rows have come or gone above it.
  if (held?.isConnected && held.parentElement === parent) scrollBy(0, held.getBoundingClientRect().top - top);
  const wanted = main().querySelector("[autofocus]") || focus?.() || (focused && document.getElementById(focused));
  if (wanted && wanted !== document.activeElement) wanted.focus({ preventScroll: !wanted.autofocus });
  document.dispatchEvent(new Event("shown"));
}

// A page that is loaded because something has changed keeps what the person is doing.
async function refresh() {
  const response = await fetch(location.href, { credentials: "same-origin" });
  const text = await response.text();
  if (!text.includes("data-version=")) return;
  const page = new DOMParser().parseFromString(text, "text/html");
  page.getElementById("toasts")?.replaceWith(document.getElementById("toasts").cloneNode(true));
  show(page.documentElement.outerHTML, isTyped);
}

// Follows a link within the page. What was typed into its forms is kept as a draft.
async function follow(address, isBack = false) {
  const response = await fetch(address, { credentials: "same-origin" }).catch(() => null);
  const text = await response?.text();
  if (!text?.includes("data-version=")) return location.assign(address);
  if (!isBack) history.pushState(null, "", address);
  show(text, () => false);
  closeDrawer();
  restoreDrafts();
  if (isBack) return;
  const target = document.getElementById(new URL(address, location.href).hash.slice(1)) || main();
  if (!target.contains(document.activeElement)) target.focus({ preventScroll: true });
  if (target !== main()) target.scrollIntoView({ block: "nearest" });
}

// Sends a form and shows what answers it.
async function submit(form, data, submitter) {
  const action = form.getAttribute("action");
  const focus = focusAfter(form, submitter);
  const label = submitter?.ariaLabel || `${submitter?.textContent.trim() || "Send"}: ${data.get("todo") || data.get("name") || ""}`;
  const [before, from] = [fieldsOf(form), location.href];
  const answer = await send(action, data, label.replace(/: $/, ""));
  // What has been typed since is not part of what was sent.
  const isSame = fieldsOf(form) === before;
  if (isSame) dropDraft(form);
  if (answer && location.href !== from) return refresh(); // the person has gone on to another page
  if (answer) return receive(answer, form, isSame, focus);
  if (isSame) form.reset();
}

// The token may have been renewed meanwhile.
const fieldsOf = (form) => JSON.stringify([...new FormData(form)].filter(([name]) => name !== "csrf_token"));

// Shows the page that answers a form.
function receive(answer, form, isSame, focus) {
  const kept = (other) => isTyped(other) && !(other === form && isSame);
  if (!answer.ok && form !== null && !isSame) {
    const page = new DOMParser().parseFromString(answer.text, "text/html");
    keep(answer.item, page.querySelector(".refused p")?.textContent.trim() || "This was refused.");
  }
  if (form?.isConnected && isSame) form.reset();
  if (form && answer.ok) history.replaceState(null, "", withoutChanged(answer.url));
  show(answer.text, kept, focus);
  closeDrawer();
  const change = document.getElementById("notice")?.dataset.change;
  if (change && answer.item.action !== "/history/undo") undoable.push(change);
  if (main().querySelector("#conflict")) main().querySelector("#conflict").scrollIntoView({ block: "center" });
}

const closeDrawer = () => document.querySelector("[popover]:popover-open")?.hidePopover();

function withoutChanged(address) {
  const url = new URL(address);
  url.searchParams.delete("changed");
  return url.href;
}

// Returns a function that finds where the focus belongs after a form: to what comes next.
function focusAfter(form, submitter) {
  if (form.classList.contains("add")) return () => document.getElementById("todo");
  const row = rowOf(submitter) || rowOf(form);
  const neighbour = row?.nextElementSibling || row?.previousElementSibling;
  const [parent, id] = [row?.parentElement, submitter?.id];
  if (!row) return null; // it stays where it is
  return () => {
    if (form.classList.contains("editing")) return document.getElementById(row?.id);
    const isThere = row?.isConnected && row.parentElement === parent;
    const wanted = isThere ? document.getElementById(id) || row : neighbour?.querySelector(".tick") || neighbour;
    return wanted?.isConnected ? wanted : main();
  };
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.enctype === "multipart/form-data" || form.method === "dialog" || !form.closest("main[data-version]")) return;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  const address = new URL(form.getAttribute("action"), location.href);
  if (form.method === "post") return submit(form, data, event.submitter);
  address.search = new URLSearchParams(data);
  follow(address.href);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("main[data-version] a[data-smooth]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const form = link.closest("form");
  if (form) dropDraft(form); // Cancel
  follow(link.href);
});

document.addEventListener("input", (event) => saveDraft(event.target.form));
addEventListener("popstate", () => follow(location.href, true));
addEventListener("online", () => document.dispatchEvent(new Event("outbox")));

document.addEventListener("outbox", async () => {
  const answer = await flush();
  if (answer) receive(answer, null, true);
  if (answer && answer.ok) refresh().catch(() => {});
});

document.addEventListener("undo", () => {
  const button = document.getElementById("undo-notice") || document.createElement("button");
  if (!undoable.length && !button.value) return;
  const form = document.getElementById("undo");
  const data = new FormData(form);
  data.set("change_id", undoable.pop() || button.value);
  submit(form, data, button);
});

// The notice of what has happened goes away by itself, but not while somebody is about to use it.
let closing = 0;
document.addEventListener("shown", () => {
  const toast = document.getElementById("notice");
  clearTimeout(closing);
  closing = setTimeout(function close() {
    if (toast?.matches(":hover, :focus-within")) closing = setTimeout(close, 1000);
    else if (toast) toast.hidden = true;
  }, TOAST_TIME);
});

async function poll() {
  if (document.hidden) return;
  const version = main().dataset.version;
  if (!version) return; // a question, such as whether to undo the rest
  const response = await fetch("/live", { headers: { "If-None-Match": version }, cache: "no-store" });
  if (response.status === 204) return signedOut();
  if (response.status === 200) await refresh();
  online();
  if (!isEmpty()) document.dispatchEvent(new Event("outbox"));
}

function signedOut() {
  if (![...main().querySelectorAll("form")].some(isTyped) && isEmpty()) return location.reload();
  const bar = document.getElementById("outbox");
  if (!bar.hidden) return;
  bar.hidden = false;
  bar.replaceChildren("You have been signed out. What you are typing is kept while you sign in. ", signIn());
}

navigator.serviceWorker?.register("/service-worker.js");
restoreDrafts();
redraw();
document.dispatchEvent(new Event("shown"));
if (new URL(location.href).searchParams.has("changed")) history.replaceState(null, "", withoutChanged(location.href));
(async () => {
  for (;;) {
    await new Promise((wake) => setTimeout(wake, POLL_INTERVAL * (0.9 + Math.random() / 5)));
    await poll().catch(() => {}); // offline: try again later
  }
})();
