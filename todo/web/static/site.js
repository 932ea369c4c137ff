"use strict";

// Updates list pages in place. Progressive enhancement: every form and link works without it.

const POLL_INTERVAL = 1500; // milliseconds
const FIELDS = "input, select, textarea";
const page = () => document.querySelector("main");

// What a folded part is called, on the next page too.
const nameOf = (details) => details.id || details.querySelector("summary").textContent;

// Replaces <main> with that of another page, and restores the focus or moves it to what is new.
function swap(text, address, focus) {
  const next = new DOMParser().parseFromString(text, "text/html");
  const main = next.querySelector("main");
  const open = [...page().querySelectorAll("details[open]")].map(nameOf);
  page().replaceWith(document.adoptNode(main));
  document.title = next.title;
  for (const details of main.querySelectorAll("details")) {
    details.open ||= open.includes(nameOf(details));
  }
  if (address) history.replaceState(null, "", address);
  const wanted = focus && document.getElementById(focus);
  const target = main.querySelector("[autofocus]") || wanted || main.querySelector("#notice") || (focus && main);
  if (target) target.focus({ preventScroll: target !== main.querySelector("[autofocus]") });
}

async function load(address, options, focus) {
  const response = await fetch(address, { credentials: "same-origin", ...options });
  const type = response.headers.get("Content-Type") || "";
  if (!type.startsWith("text/html")) throw new TypeError(type);
  const text = await response.text();
  // Not a list page, such as sign-in: navigate to it.
  if (!text.includes("data-version=") && response.ok) return location.assign(response.url);
  swap(text, response.ok ? response.url : "", focus);
}

// Whether an update would discard what the person is typing.
function isBusy() {
  const fields = [...page().querySelectorAll(FIELDS)].filter((field) => field.type !== "hidden");
  const typed = fields.some((field) =>
    field.tagName === "SELECT"
      ? [...field.options].some((option) => option.selected !== option.defaultSelected && field.value !== field.options[0].value)
      : field.value !== field.defaultValue,
  );
  // A drawer would close.
  if (page().querySelector("[popover]:popover-open")) return true;
  return typed || page().querySelector(".editing, .typed") !== null || page().contains(document.activeElement?.closest(FIELDS));
}

async function poll() {
  if (document.hidden) return;
  const version = page().dataset.version;
  if (!version) return;
  const response = await fetch("/live", { headers: { "If-None-Match": version }, cache: "no-store" });
  if (response.status === 204) {
    return isBusy() ? announce("You have been signed out. What you are typing is kept while you sign in.") : location.reload();
  }
  if (response.status !== 200) return;
  if (!isBusy()) return load(location.href, {}, document.activeElement?.id);
  const button = document.createElement("button");
  button.className = "quiet";
  button.textContent = "Show what is new";
  button.addEventListener("click", () => load(location.href, {}, "content"));
  announce("The list has changed since. ", button);
}

function announce(...said) {
  if (document.getElementById("news")) return;
  const news = document.createElement("p");
  news.id = "news";
  news.className = "notice";
  news.setAttribute("role", "status");
  news.append(...said);
  page().querySelector("h1").after(news);
}

function isPlainClick(event) {
  return !(event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.enctype === "multipart/form-data" || !form.closest("main[data-version]")) return;
  event.preventDefault();
  const data = new URLSearchParams(new FormData(form, event.submitter));
  const address = new URL(form.getAttribute("action"), location.href);
  const options = form.method === "post" ? { method: "POST", body: data } : {};
  if (form.method === "get") address.search = data;
  const stays = form.method === "get" || "stays" in form.dataset;
  const focus = stays ? document.activeElement?.id : form.classList.contains("add") ? "todo" : "notice";
  load(address, options, focus).catch(() => form.submit());
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("main[data-version] a[data-smooth]");
  if (!link || !isPlainClick(event)) return;
  event.preventDefault();
  load(link.href, {}, link.id || "content").catch(() => location.assign(link.href));
});

(async () => {
  for (;;) {
    await new Promise((wake) => setTimeout(wake, POLL_INTERVAL * (0.9 + Math.random() / 5)));
    await poll().catch(() => {}); // offline: try again later
  }
})();
