// The list, the history and the trash: sends forms, follows links and shows changes in place. All work without it too.

import { dropDraft, flush, forms, isEmpty, isTyped, keep, load, redraw, restoreDrafts, saveDraft, send, user, userOf, wake } from "./outbox.js";
import { patch } from "./patch.js";
import { main, rowOf } from "./rows.js";

const POLL_INTERVAL = 1500; // milliseconds
const TOAST_TIME = 8000;
const closeDrawer = () => document.querySelector("[popover]:popover-open")?.hidePopover();
const undoable = []; // the person's own changes, for the key z
let isRefusal = false; // whether the page says that a form was refused
let left = []; // forms that were left as they are, as somebody was in them

// Shows a page in place of this one. `kept` says which forms stay as they are.
function show(next, kept, focus, refused = false) {
  if ((userOf(next) ?? user) !== user) return location.reload(); // somebody else has signed in
  const focused = document.activeElement?.id;
  const held = document.querySelector(".todo:hover") || rowOf(document.activeElement);
  const [parent, top] = [held?.parentElement, held?.getBoundingClientRect().top];
  const begun = main().querySelector("[autofocus]");
  left = forms().filter(kept);
  forms().filter((form) => !isTyped(form)).forEach((form) => form.reset()); // what was typed and cleared hides a new value
  keepRow(next, kept);
  patch(main(), next.querySelector("main"), kept);
  document.title = next.title;
  isRefusal = refused;
  // What is under the pointer stays there, although rows have come or gone above it.
  if (held?.isConnected && held.parentElement === parent) scrollBy(0, held.getBoundingClientRect().top - top);
  const start = main().querySelector("[autofocus]");
  const wanted = (start !== begun && start) || focus?.() || (focused && document.getElementById(focused));
  if (wanted && wanted !== document.activeElement) wanted.focus({ preventScroll: wanted !== start });
  document.dispatchEvent(new Event("shown"));
}

// A row in which somebody types goes where the page has it, and stays on top if it is gone.
function keepRow(next, kept) {
  const row = rowOf([...main().querySelectorAll(".editing")].find(kept));
  const there = row && next.getElementById(row.id);
  const [from, to] = [row, there].map((found) => found?.parentElement.closest("[id]").id);
  if (!row || (from === to && there.querySelector(".editing"))) return;
  there ? there.replaceWith(row) : next.getElementById("undo")?.after(row);
}

// A page that is loaded because something has changed leaves what the person is doing, and what they are told.
async function refresh() {
  const from = location.href;
  const page = await load(from);
  if (!userOf(page) || location.href !== from || main().querySelector(".dragged")) return;
  page.getElementById("toasts").replaceWith(document.getElementById("toasts").cloneNode(true));
  show(page, (node) => isTyped(node) || (isRefusal && node.id === "refused"), null, isRefusal);
}

// Follows a link within the page. What was typed into its forms is kept as a draft.
async function follow(address, isBack = false) {
  const page = await load(address).catch(() => null);
  if (!page || !userOf(page)) return location.assign(address);
  if (!isBack) history.pushState(null, "", address);
  show(page, () => false);
  closeDrawer();
  restoreDrafts();
  if (isBack) return;
  const target = document.getElementById(new URL(address, location.href).hash.slice(1)) || main();
  if (!target.contains(document.activeElement)) target.focus({ preventScroll: true });
  if (target !== main()) target.scrollIntoView({ block: "nearest" });
}

// Sends a form and shows what answers it.
async function submit(form, data, submitter) {
  const focus = focusAfter(form, submitter);
  const named = data.get("todo") || data.get("name");
  const label = submitter?.ariaLabel || `${submitter?.textContent.trim() || "Move"}${named ? `: ${named}` : ""}`;
  const [before, from] = [fieldsOf(form), location.href];
  const answer = await send(form.getAttribute("action"), data, label);
  const isSame = fieldsOf(form) === before; // nobody has typed since
  if (isSame) dropDraft(form);
  if (isSame && form.isConnected) form.reset();
  if (!answer) return;
  if (location.href !== from) return answer.ok ? refresh() : keep(answer); // the person has gone on to another page
  if (answer.ok) stayAt(answer.url);
  receive(answer, (other) => isTyped(other) && !(other === form && isSame), focus);
}

// The token may have been renewed meanwhile.
const fieldsOf = (form) => JSON.stringify([...new FormData(form)].filter(([name]) => name !== "csrf_token"));

// Shows the page that answers forms, once. What is refused where somebody types something else stays in the outbox.
function receive(answer, kept, focus) {
  const { page, item, ok, changes } = answer;
  if (!changes) return; // several wait for one answer, and showing a page takes it apart
  answer.changes = null;
  undoable.push(...changes.filter(Boolean));
  if (!ok && !userOf(page) && document.activeElement?.matches("input, select, textarea")) return keep(answer); // a question can wait
  const back = [...page.querySelectorAll("form.typed")].map((form) => form.getAttribute("action")); // with what was typed
  const isHidden = forms().some((form) => [item.action, ...back].includes(form.getAttribute("action")) && kept(form));
  if (!ok && isHidden) keep(answer);
  show(page, kept, focus, !ok);
  main().querySelectorAll(".editing.typed [name=next]").forEach(({ value }) => stayAt(value)); // it was sent from there
  forms().filter((form) => form.matches(".typed")).forEach(saveDraft);
  closeDrawer();
  main().querySelector("#conflict")?.scrollIntoView({ block: "center" });
}

// Gives the page that is shown its address, without what it has told already.
function stayAt(address) {
  const url = new URL(address, location.href);
  url.searchParams.delete("changed");
  history.replaceState(null, "", url);
}

// Returns a function that finds where the focus belongs after a form: to what comes next.
function focusAfter(form, submitter) {
  if (form.classList.contains("add")) return () => document.getElementById("todo");
  const row = rowOf(submitter) || rowOf(form);
  if (!row) return null; // it stays where it is
  const neighbour = row.nextElementSibling || row.previousElementSibling;
  const [parent, id] = [row.parentElement, submitter?.id];
  return () => {
    if (form.classList.contains("editing")) return document.getElementById(row.id);
    const isThere = row.isConnected && row.parentElement === parent;
    const wanted = isThere ? document.getElementById(id) || row : neighbour?.querySelector(".tick");
    return wanted?.isConnected ? wanted : main();
  };
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.enctype === "multipart/form-data" || form.method === "dialog" || !form.closest("main[data-version]")) return;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  if (form.method === "post") return submit(form, data, event.submitter);
  follow(`${form.getAttribute("action")}?${new URLSearchParams(data)}`);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("main[data-version] a[data-smooth]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  dropDraft(link.closest("form")); // Cancel
  follow(link.href);
});

document.addEventListener("input", (event) => saveDraft(event.target.form));
addEventListener("popstate", () => follow(location.href, true));
addEventListener("online", wake);

document.addEventListener("outbox", async () => {
  const answer = await flush();
  if (answer) receive(answer, isTyped);
  if (answer?.ok) refresh().catch(() => {});
});

document.addEventListener("undo", () => {
  const [form, button] = ["undo", "undo-notice"].map((id) => document.getElementById(id));
  const change = undoable.pop() || button?.value;
  if (!change) return;
  const data = new FormData(form);
  data.set("change_id", change);
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
  const { version } = main().dataset;
  if (document.hidden || !version) return; // without one it is a question, such as whether to undo the rest
  const response = await fetch("/live", { headers: { "If-None-Match": version }, cache: "no-store" });
  if (response.status === 204) return isEmpty() && !forms().some(isTyped) ? location.reload() : redraw(true);
  if (response.status === 200 || left.some((form) => !isTyped(form))) await refresh();
  delete document.documentElement.dataset.offlineSince; // this page is the service's again, not one that was kept
  redraw();
  if (!isEmpty() && !isRefusal) wake();
}

navigator.serviceWorker?.register("/service-worker.js");
restoreDrafts();
redraw();
document.dispatchEvent(new Event("shown"));
stayAt(location.href);
// Offline it fails, and is tried again.
const later = () => setTimeout(() => poll().catch(() => {}).finally(later), POLL_INTERVAL * (0.9 + Math.random() / 5));
later();
