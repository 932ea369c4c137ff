// What one does with rows: keys, actions beside a row, and several that are selected.

export const main = () => document.querySelector("main");
const rows = () => [...main().querySelectorAll("li.todo")];
const selected = () => rows().filter((row) => row.dataset.selected !== undefined);
export const rowOf = (element) => element?.closest?.("li.todo");
const bar = () => document.getElementById("change");
export const idOf = (row) => row.id.replace("todo-", "");

// Moves the actions beside the row that they are for, or to the edge for those that are selected.
function place(row) {
  const form = bar();
  const chosen = selected();
  if (!form || form.contains(document.activeElement)) return;
  form.classList.toggle("is-several", chosen.length > 0);
  const home = chosen.length ? main() : row;
  if (!home || (home === row && row.querySelector("form.editing"))) return form.classList.remove("is-shown");
  if (form.parentElement !== home) home.append(form);
  const ids = chosen.length ? chosen.map(idOf) : [idOf(row)];
  form.elements.ids.value = ids.join(",");
  form.querySelector(".selected").textContent = chosen.length ? `${chosen.length} selected` : "";
  form.classList.add("is-shown");
}

function select(row) {
  row.toggleAttribute("data-selected");
  place(row);
}

function clear() {
  for (const row of selected()) delete row.dataset.selected;
  bar()?.contains(document.activeElement) && document.activeElement.blur();
  place(rowOf(document.activeElement));
}

function press(action) {
  place(rowOf(document.activeElement));
  if (bar()?.elements.ids.value) bar().requestSubmit(bar().querySelector(`[value=${action}]`));
}

// Moves the focus to the row so many further on.
function step(count) {
  const [all, current] = [rows(), rows().indexOf(rowOf(document.activeElement))];
  const row = all[current < 0 ? 0 : Math.min(Math.max(current + count, 0), all.length - 1)];
  row?.focus();
  row?.scrollIntoView({ block: "nearest" });
}

const KEYS = {
  q: () => document.getElementById("todo")?.focus(),
  "/": () => {
    document.getElementById("searching")?.setAttribute("open", "");
    document.getElementById("q")?.focus();
  },
  j: () => step(1),
  k: () => step(-1),
  c: (row) => row?.querySelector(".tick")?.click(),
  e: (row) => row?.querySelector(".edit")?.click(),
  x: (row) => row && select(row),
  "#": () => press("delete"),
  z: () => document.dispatchEvent(new Event("undo")),
  "?": () => document.getElementById("keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  const isTyping = event.target.matches("input:not([type=checkbox]), select, textarea");
  if (event.key === "Escape") return escape(event.target, isTyping);
  const act = isTyping ? null : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act(rowOf(document.activeElement));
});

// Escape leaves a field, closes an edit, or clears the selection.
function escape(field, isTyping) {
  if (document.querySelector(":popover-open")) return; // the browser closes it
  const cancel = field.closest("form.editing")?.querySelector("a[data-smooth]");
  if (cancel) cancel.click();
  else if (isTyping) field.blur();
  else clear();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-clear]")) clear();
  const row = rowOf(event.target);
  if (!row || event.target.closest("a, button, input, select, textarea, summary, label")) return;
  if (event.shiftKey) return select(row);
  row.focus({ preventScroll: true });
});

// A choice is sent as soon as it is made; what is typed, by Enter or, if it is a date, on leaving the field.
let [keyed, start] = [null, null]; // the field that is typed into, and where a finger began
const choose = (field) => field.value && field.form.requestSubmit(field.parentElement.querySelector("button"));
document.addEventListener("keydown", (event) => {
  if (event.target.form !== bar() || !event.target.matches("input")) return;
  keyed = event.target;
  if (event.key !== "Enter") return;
  event.preventDefault(); // which would press the first button
  choose(keyed);
});
document.addEventListener("change", ({ target }) => target.form === bar() && target !== keyed && choose(target));
document.addEventListener("pointerdown", () => (keyed = null));
document.addEventListener("focusout", ({ target }) => target === keyed && target.type === "date" && choose(target));

// What only somebody who is here needs is loaded once somebody is; a finger or a key may be quicker.
for (const kind of ["pointerover", "focusin"]) {
  document.addEventListener(kind, () => Promise.all([import("./drag.js"), import("./quick_add.js")]), { once: true });
  document.addEventListener(kind, ({ target, pointerType }) => {
    if (pointerType !== "touch" && rowOf(target) && !selected().length) place(rowOf(target));
  });
}
for (const [kind, name] of [["pointerdown", "lift"], ["keydown", "shift"]]) {
  document.addEventListener(kind, async (event) => (await import("./drag.js"))[name](event));
}

// After the page has changed, the actions are for what is still there.
document.addEventListener("shown", () => place(rowOf(document.activeElement)));

// A swipe to the left shows the actions of a row.
document.addEventListener("touchstart", ({ touches }) => (start = touches[0]), { passive: true });
document.addEventListener("touchend", ({ changedTouches: [end], target }) => {
  if (start.clientX - end.clientX > 40 && Math.abs(start.clientY - end.clientY) < 30) rowOf(target)?.focus();
});
