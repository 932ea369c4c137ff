// What the person has typed is never lost: forms wait here until the service has them, and drafts outlive a reload.

const RETRY_AFTER = 5; // seconds, if the service does not say
const TIMEOUT = 20_000; // milliseconds
const NOT_TYPED = ["csrf_token", "request_id", "next"];

const main = () => document.querySelector("main");
export const userOf = (page) => page.querySelector("main[data-version]")?.dataset.version.match(/\d+/)[0];
const user = userOf(document);
const place = `outbox ${user}`;
const items = () => JSON.parse(localStorage.getItem(place) || "[]");

function store(changed) {
  if (changed.length) localStorage.setItem(place, JSON.stringify(changed));
  else localStorage.removeItem(place);
  draw(changed);
}

export const isEmpty = () => items().length === 0;

// Sends a form. Returns the page that answers it, or null if it has to wait, or cannot be sent before others.
export async function send(action, data, label) {
  if (data.has("request_id")) data.set("request_id", crypto.randomUUID());
  data.delete("csrf_token");
  const item = { action, body: new URLSearchParams(data).toString(), label };
  const waiting = items();
  store([...waiting, item]);
  return waiting.length ? (flush(), null) : attempt(item);
}

let flushing = null;
let later = 0;

// Sends what waits, in order. Returns the page that answers the last one, or null.
export function flush() {
  flushing ??= (async () => {
    let answer = null;
    for (let item = next(); item; item = next()) {
      const page = await attempt(item);
      if (!page) break;
      answer = page;
    }
    return answer;
  })().finally(() => (flushing = null));
  return flushing;
}

const next = () => items().find((item) => !item.refused);

async function attempt(item) {
  const page = await post(item).catch(() => null);
  if (page?.isAnswer) store(items().filter((other) => other.body !== item.body));
  else {
    draw(items(), page?.isSignedOut);
    clearTimeout(later);
    later = setTimeout(() => document.dispatchEvent(new Event("outbox")), (page?.retryAfter || RETRY_AFTER) * 1000);
  }
  return page?.isAnswer ? { ...page, item } : null;
}

async function post(item, isFresh = false) {
  const body = new URLSearchParams(item.body);
  body.set("csrf_token", main().querySelector("[name=csrf_token]").value);
  const signal = AbortSignal.timeout(TIMEOUT);
  const response = await fetch(item.action, { method: "POST", body, credentials: "same-origin", signal });
  const text = await response.text();
  const page = new DOMParser().parseFromString(text, "text/html");
  const isLater = response.status === 429 || response.status >= 500 || !page.querySelector("main");
  const isSignedOut = page.querySelector("form[action='/sign-in']") !== null;
  if (response.status === 403 && !isFresh && !isSignedOut) {
    if (!(await renewToken())) return location.reload();
    return post(item, true);
  }
  return {
    text,
    url: response.url,
    ok: response.ok,
    isAnswer: !isLater && !isSignedOut,
    isSignedOut,
    retryAfter: Number(response.headers.get("Retry-After")),
  };
}

// Takes over the token of a new session. Returns whether it is the same person's: what one has typed is sent as nobody else.
async function renewToken() {
  const text = await (await fetch(location.href, { credentials: "same-origin" })).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  if (userOf(page) !== user) return false;
  const token = page.querySelector("[name=csrf_token]").value;
  for (const field of main().querySelectorAll("[name=csrf_token]")) field.value = token;
  return true;
}

// Keeps a form that was refused where its page cannot show it, because somebody types there.
export function keep(item, reason) {
  store([...items(), { ...item, refused: reason }]);
}

function draw(waiting, isSignedOut) {
  const bar = document.getElementById("outbox");
  const { offlineSince } = document.documentElement.dataset;
  bar.hidden = !waiting.length && !offlineSince;
  bar.replaceChildren();
  if (bar.hidden) return;
  const said = document.createElement("p");
  const refused = waiting.find((item) => item.refused);
  if (isSignedOut) said.append("You have been signed out. ");
  else if (offlineSince) said.append(`You are offline: this is the list as of ${timeOf(offlineSince)}. `);
  if (refused) said.append(`${refused.refused} `);
  if (waiting.length) said.append(`Not saved yet: ${waiting.map((item) => item.label).join(" · ")}`);
  bar.append(said);
  if (!waiting.length) return;
  if (isSignedOut) bar.append(signIn());
  else bar.append(button("Try again", () => retry()));
  if (refused) bar.append(button("Discard", () => store(items().filter((item) => !item.refused))));
}

const timeOf = (moment) => new Date(moment).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

// The page is the service's again, not one that was kept.
export function online() {
  if (!document.documentElement.dataset.offlineSince) return;
  delete document.documentElement.dataset.offlineSince;
  draw(items());
}

function retry() {
  store(items().map(({ refused, ...item }) => item));
  document.dispatchEvent(new Event("outbox"));
}

export function signIn() {
  const link = document.createElement("a");
  link.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = "Sign in";
  return link;
}

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "quiet";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

export const redraw = () => draw(items());

// Drafts: what is typed into a form and not sent yet.

const typed = (form) => [...form.elements].filter((field) => field.name && field.type !== "hidden" && field.tagName !== "BUTTON");
const draftOf = (form) => `draft ${user} ${form.getAttribute("action")} ${form.elements.id?.value || form.elements.list?.value || ""}`;
const isForm = (form) => form?.method === "post" && form.enctype !== "multipart/form-data" && form.id !== "change";

// Whether somebody is typing into this form.
export function isTyped(form) {
  if (form.nodeName !== "FORM" || form.dataset.sent !== undefined) return false;
  return form.classList.contains("typed") || (form.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) || isChanged(form);
}

function isChanged(form) {
  return typed(form).some((field) =>
    field.tagName === "SELECT"
      ? [...field.options].some((option) => option.selected !== option.defaultSelected && field.value !== field.options[0].value)
      : field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue,
  );
}

export function saveDraft(form) {
  if (!isForm(form) || !form.closest("main[data-version]")) return;
  const fields = [...new FormData(form)].filter(([name]) => !NOT_TYPED.includes(name));
  if (isChanged(form)) sessionStorage.setItem(draftOf(form), JSON.stringify(fields));
  else dropDraft(form);
}

export function dropDraft(form) {
  sessionStorage.removeItem(draftOf(form));
}

export function restoreDrafts() {
  for (const form of main().querySelectorAll("form")) {
    const kept = isForm(form) && !isChanged(form) && sessionStorage.getItem(draftOf(form));
    if (!kept) continue;
    for (const [name, value] of JSON.parse(kept)) {
      if (form.elements[name]) form.elements[name].value = value;
    }
    for (let part = form.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
    for (const part of form.querySelectorAll("details")) part.open = true;
  }
}
