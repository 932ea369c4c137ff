// Shows what the server reads in the text of a new to-do: marked in the line, and as buttons below it. A button makes
// its part plain text.

import { element } from "./outbox.js";

const LINE = "[name=quick] ~ .quick input"; // what is typed is read, but for a form that is not to be
const WAIT = 150; // milliseconds after the last key
const SHAPE = ["margin", "paddingInline", "borderWidth", "font", "letterSpacing", "maxWidth"];

const find = (selector) => document.querySelector(selector);
let parts = [];
let timer;
let asking = new AbortController();

// Marks the parts that are still where they were when they were read.
function mark(line) {
  const mirror = find(".mirror");
  const style = getComputedStyle(line);
  for (const name of SHAPE) mirror.style[name] = style[name];
  mirror.style.lineHeight = `${line.clientHeight}px`;
  const marked = [];
  let at = 0;
  for (const { start, end, text } of parts) {
    if (line.value.slice(start, end) !== text) continue;
    marked.push(line.value.slice(at, start), element("mark", text));
    at = end;
  }
  mirror.replaceChildren(...marked, line.value.slice(at));
  mirror.scrollLeft = line.scrollLeft;
}

function show(line, found) {
  parts = found;
  find(".understood").replaceChildren(
    ...parts.map(({ text, meaning }) =>
      element("button", meaning, { type: "button", value: text, ariaLabel: `${meaning}: keep “${text}” as text` }),
    ),
  );
  const [said, status] = [parts.map((part) => part.meaning).join(", "), find("#understood")];
  if (status.textContent !== said) status.textContent = said;
  mark(line);
}

async function read() {
  const line = find(LINE);
  if (!line) return;
  asking.abort();
  asking = new AbortController();
  if (!line.value.trim()) return show(line, []);
  const asked = new URLSearchParams({ todo: line.value, plain: line.form.elements.plain.value });
  try {
    const answer = await fetch(`/list/read?${asked}`, { signal: asking.signal, redirect: "manual" });
    show(line, answer.ok ? (await answer.json()).parts : []);
  } catch (error) {
    if (error.name !== "AbortError") show(line, []); // offline: the server reads it when it is added
  }
}

// Reads the line soon, and makes these parts plain text beside those that are so already.
function later(wait = WAIT, ...texts) {
  const line = find(LINE);
  if (!line) return;
  clearTimeout(timer);
  timer = setTimeout(read, wait);
  const { plain } = line.form.elements;
  plain.value = [...plain.value.split("\n"), ...texts].filter((text) => text && line.value.includes(text)).join("\n");
  mark(line);
}

document.addEventListener("input", (event) => event.target.matches(LINE) && later());
document.addEventListener("reset", ({ target }) => target.contains(find(LINE)) && later());
document.addEventListener("shown", () => later());
document.addEventListener("click", (event) => {
  const chip = event.target.closest(".understood button");
  if (!chip) return;
  find(LINE).focus();
  later(0, chip.value);
});
// A line scrolls without an event that bubbles.
document.addEventListener("scroll", ({ target }) => target.matches?.(LINE) && mark(target), { capture: true });

later(0); // what was typed before this was loaded
