// What the person has typed is never lost: forms wait here until the service has them, and drafts outlive a reload.

const RETRY_AFTER = 5; // seconds, if the service does not say
const TIMEOUT = 20_000; // milliseconds

const parse = (text) => new DOMParser().parseFromString(text, "text/html");
export const load = async (address) => parse(await (await fetch(address)).text());
export const userOf = (page) => page.querySelector("main[data-version]")?.dataset.version.match(/\d+/)[0];
export const forms = () => [...document.querySelectorAll("main form")];
export const user = userOf(document);
const place = `outbox ${user} `; // each form has a key of its own, as another tab may write at the same time
const items = () => Object.entries(localStorage).filter(([key]) => key.startsWith(place)).sort().map(([, item]) => JSON.parse(item));
const store = (item) => localStorage.setItem(item.key, JSON.stringify(item));
export const isEmpty = () => items().length === 0;
const next = () => items().find((item) => !item.refused);
export const wake = () => document.dispatchEvent(new Event("outbox"));

let isLate = true; // whether what waits could not be sent at once
let sending = null;
let later = 0;

// Sends a form after those that wait. Returns the page that answers it, or null if it has to wait.
export function send(action, data, label) {
  if (data.has("request_id")) data.set("request_id", crypto.randomUUID());
  data.delete("csrf_token");
  store({ key: `${place}${Date.now()} ${crypto.randomUUID()}`, action, body: new URLSearchParams(data).toString(), label });
  return flush();
}

// Sends what waits, in order, up to one that is refused. Returns the page that answers the last one, or null.
export function flush() {
  sending ??= (async () => {
    let answer = null;
    const changes = []; // that can be undone
    for (let item = next(); item && answer?.ok !== false; item = next()) {
      const page = await post(item).catch(() => null);
      if (!page?.isAnswer) return delay(page);
      localStorage.removeItem(item.key);
      answer = { ...page, item, changes };
      if (item.action !== "/history/undo") changes.push(page.page.getElementById("notice")?.dataset.change);
    }
    isLate = !isEmpty();
    redraw();
    return answer;
  })().finally(() => (sending = null));
  return sending;
}

function delay(page) {
  isLate = true;
  redraw(page?.isSignedOut);
  clearTimeout(later);
  later = setTimeout(wake, (page?.retryAfter || RETRY_AFTER) * 1000);
  return null;
}

async function post(item, isFresh = false) {
  const body = new URLSearchParams(item.body);
  body.set("csrf_token", document.querySelector("main [name=csrf_token]").value);
  const signal = AbortSignal.timeout(TIMEOUT);
  const response = await fetch(item.action, { method: "POST", body, credentials: "same-origin", signal });
  const text = await response.text();
  const page = parse(text);
  const isSignedOut = page.querySelector("form[action='/sign-in']") !== null;
  if (response.status === 403 && !isFresh && !isSignedOut) {
    return (await renewToken()) ? post(item, true) : location.reload();
  }
  const isAnswer = !isSignedOut && response.status !== 429 && response.status < 500 && page.querySelector("main") !== null;
  const retryAfter = Number(response.headers.get("Retry-After"));
  return { text, page, url: response.url, ok: response.ok, isAnswer, isSignedOut, retryAfter };
}

// Takes over the token of a new session, if it is the same person's: what one has typed is sent as nobody else.
async function renewToken() {
  const page = await load(location.href);
  if (userOf(page) !== user) return false;
  const { value } = page.querySelector("[name=csrf_token]");
  document.querySelectorAll("main [name=csrf_token]").forEach((field) => (field.value = value));
  return true;
}

// Keeps a form that was refused where its page cannot be shown, because somebody types there.
export function keep({ item, page }) {
  const said = page.querySelector(".refused p") ?? page.querySelector("h1");
  store({ ...item, refused: said.textContent.trim().replace(/[^.!?]$/, "$&.") });
  isLate = true;
  redraw();
}

// The bar says what is not saved yet, and why.
export function redraw(isSignedOut = false) {
  const { offlineSince } = document.documentElement.dataset;
  const waiting = isLate ? items() : [];
  const refused = waiting.find((item) => item.refused);
  const said = [];
  if (isSignedOut) said.push("You have been signed out. What you have typed is kept.");
  else if (offlineSince) said.push(`You are offline: this is the list as of ${timeOf(offlineSince)}.`);
  if (refused) said.push(refused.refused);
  if (waiting.length) said.push(`Not saved yet: ${waiting.map((item) => item.label).join(" · ")}`);
  const bar = document.getElementById("outbox");
  bar.hidden = said.length === 0;
  if (bar.firstChild?.textContent === said.join(" ")) return;
  bar.replaceChildren(element("p", said.join(" ")));
  if (isSignedOut) bar.append(element("a", "Sign in", { href: `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}` }));
  else if (waiting.length) bar.append(element("button", "Try again", { className: "quiet", onclick: retry }));
  if (refused) bar.append(element("button", "Discard", { className: "quiet", onclick: discard }));
}

const timeOf = (moment) => new Date(moment).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
export const element = (name, textContent, more) => Object.assign(document.createElement(name), { textContent, ...more });

function retry() {
  items().forEach(({ refused, ...item }) => store(item));
  wake();
}

function discard() {
  items().filter((item) => item.refused).forEach(({ key }) => localStorage.removeItem(key));
  wake();
}

// Drafts: what is typed into a form and not sent yet.

const typed = (form) => [...form.elements].filter((field) => field.name && field.matches("input:not([type=hidden]), select, textarea"));
const draftOf = (form) => `draft ${user} ${form.getAttribute("action")} ${(form.elements.id || form.elements.list)?.value}`;
const isForm = (form) => form?.method === "post" && form.enctype !== "multipart/form-data" && form.id !== "change";

// Whether somebody is typing into this form.
export function isTyped(form) {
  if (form.nodeName !== "FORM") return false;
  return form.classList.contains("typed") || typed(form).includes(document.activeElement) || isChanged(form);
}

function isChanged(form) {
  return typed(form).some((field) => {
    if (field.tagName !== "SELECT") return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
    return field.options[field.selectedIndex]?.defaultSelected === false && (field.selectedIndex > 0 || field.querySelector("[selected]"));
  });
}

export function saveDraft(form) {
  if (!isForm(form) || !form.closest("main[data-version]")) return;
  const fields = [...new FormData(form)].filter(([name]) => !["csrf_token", "request_id", "next"].includes(name));
  if (form.classList.contains("typed") || isChanged(form)) sessionStorage.setItem(draftOf(form), JSON.stringify(fields));
  else dropDraft(form);
}

export const dropDraft = (form) => form && sessionStorage.removeItem(draftOf(form));

export function restoreDrafts() {
  for (const form of forms()) {
    const kept = isForm(form) && !isChanged(form) && sessionStorage.getItem(draftOf(form));
    if (!kept) continue;
    for (const [name, value] of JSON.parse(kept)) {
      if (form.elements[name]) form.elements[name].value = value;
    }
    for (let part = form.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
    for (const part of form.querySelectorAll("details")) part.open = true;
  }
}
