// Moves to-dos: by the grip, by a long press, or by Alt and an arrow key. It sends a form, and the server orders.

import { idOf } from "./rows.js";

const LONG_PRESS = 450; // milliseconds, in which a finger may slip by so many pixels
const SLIP = 10;
const EDGE = 60; // pixels from the edge of the window where the page scrolls
const MARKS = ["dragged", "drop-before", "drop-after", "drop-into"];
const live = document.body.appendChild(Object.assign(document.createElement("p"), { className: "unseen", role: "status" }));
let press = null; // a finger that may become a drag
const seen = new WeakSet(); // the event for which this was loaded comes by twice
let drag = null; // { row, x, y, drop }, of which drop is { way, value, at }: before, after or list

const rowOf = (node) => node?.closest?.(".todos > .todo[data-due]");
const groupOf = (row) => [...row.parentNode.children].filter((other) => other.dataset.due === row.dataset.due);
const unmark = () => document.querySelectorAll(`.${MARKS.join(", .")}`).forEach((marked) => marked.classList.remove(...MARKS));
const say = (row, what) => (live.textContent = `${row.querySelector(".text").textContent.trim()}: ${what}`);

function send(row, { way, value, at }) {
  if (way !== "list") at[way](row);
  row.focus({ preventScroll: true });
  const group = groupOf(row);
  say(row, way === "list" ? `to ${value}` : `${group.indexOf(row) + 1} of ${group.length}`);
  const form = document.getElementById("order");
  for (const name of ["before", "after", "list"]) form.elements[name].value = name === way ? value : "";
  form.elements.id.value = idOf(row);
  form.requestSubmit();
}

function aim() {
  const under = document.elementFromPoint(drag.x, drag.y);
  const list = under?.closest(".side nav a[href^='/list?list=']");
  const row = rowOf(under);
  drag.drop = list ? { way: "list", value: new URL(list.href).searchParams.get("list"), at: list } : null;
  if (row && row !== drag.row && groupOf(drag.row).includes(row)) {
    const { top, height } = row.getBoundingClientRect();
    drag.drop = { way: drag.y < top + height / 2 ? "before" : "after", value: idOf(row), at: row };
  }
  unmark();
  drag.row.classList.add("dragged");
  drag.drop?.at.classList.add(list ? "drop-into" : `drop-${drag.drop.way}`);
}

function start(row, event) {
  if (event.pointerType === "touch" && !event.target.hasPointerCapture(event.pointerId)) return; // the finger is gone
  row.setPointerCapture(event.pointerId);
  if (!row.hasPointerCapture(event.pointerId)) return; // the button was released before this was loaded
  drag = { row, x: event.clientX, y: event.clientY };
  say(row, "lifted; Escape puts it back");
  requestAnimationFrame(follow);
}

function follow() {
  if (!drag) return;
  if (drag.y < EDGE || drag.y > innerHeight - EDGE) scrollBy(0, drag.y < EDGE ? -12 : 12);
  aim();
  requestAnimationFrame(follow);
}

function end(isDropped) {
  clearTimeout(press?.timer);
  if (!drag) return;
  if (isDropped) aim();
  const { row, drop } = drag;
  drag = null;
  unmark();
  isDropped && drop ? send(row, drop) : say(row, "put back");
}

export function lift(event) {
  const row = rowOf(event.target);
  if (!row || event.button || drag || seen.has(event)) return;
  seen.add(event);
  if (event.target.closest(".grip")) return event.preventDefault(), start(row, event);
  if (event.pointerType !== "touch" || event.target.closest("a, button, input, select, textarea")) return;
  press = { x: event.clientX, y: event.clientY, timer: setTimeout(start, LONG_PRESS, row, event) };
}

document.addEventListener("pointermove", (event) => {
  if (drag) [drag.x, drag.y] = [event.clientX, event.clientY];
  else if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > SLIP) clearTimeout(press.timer);
});
for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, () => end(kind === "pointerup"));
for (const name of ["touchmove", "contextmenu"]) {
  document.addEventListener(name, (event) => drag && event.preventDefault(), { passive: false });
}
export function shift(event) {
  if (event.key === "Escape" && drag) return event.preventDefault(), end(false);
  const row = event.altKey && /^Arrow(Up|Down)$/.test(event.key) && rowOf(event.target);
  if (!row || event.target.matches("input, select, textarea") || seen.has(event)) return;
  seen.add(event);
  event.preventDefault();
  const [group, way] = [groupOf(row), event.key === "ArrowUp" ? "before" : "after"];
  const at = group[group.indexOf(row) + (way === "before" ? -1 : 1)];
  at ? send(row, { way, value: idOf(at), at }) : say(row, way === "before" ? "already first" : "already last");
}

document.addEventListener("pointerdown", lift);
document.addEventListener("keydown", shift);
