// Shows what the server reads in the text of a new to-do: marked in the line, and as buttons below it. A button makes
// its part plain text.

const WAIT = 150; // milliseconds after the last key
const SHAPE = ["margin", "padding", "borderWidth", "font", "letterSpacing", "maxWidth"];

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

// Watches the line of a form. Returns a function to call when the line was changed by a script.
export function watch(input) {
  const chips = element("div", "understood");
  const status = element("span", "unseen");
  status.setAttribute("role", "status");
  const plain = element("input", "");
  Object.assign(plain, { type: "hidden", name: "plain" });
  input.closest(".field").after(chips, status, plain);
  const mirror = element("span", "mirror");
  mirror.ariaHidden = "true";
  if (input.parentElement.matches(".quick")) input.before(mirror);

  let parts = [];
  let kept = []; // the parts that are to stay text
  let timer;
  let asking = new AbortController();

  // Marks the parts that are still where they were when they were read.
  function mark() {
    const marked = [];
    let at = 0;
    for (const { start, end, text } of parts) {
      if (input.value.slice(start, end) !== text) continue;
      marked.push(input.value.slice(at, start), element("mark", "", text));
      at = end;
    }
    const style = getComputedStyle(input);
    for (const name of SHAPE) mirror.style[name] = style[name];
    mirror.replaceChildren(...marked, input.value.slice(at));
    mirror.scrollLeft = input.scrollLeft;
  }

  function show(found) {
    parts = found;
    chips.replaceChildren(
      ...parts.map(({ text, meaning }) => {
        const chip = element("button", "", meaning);
        Object.assign(chip, { type: "button", ariaLabel: `${meaning}: keep “${text}” as text` });
        chip.addEventListener("click", () => {
          kept.push(text);
          input.focus();
          later(0);
        });
        return chip;
      }),
    );
    const said = parts.map((part) => part.meaning).join(", ");
    if (status.textContent !== said) status.textContent = said;
    mark();
  }

  async function read() {
    asking.abort();
    asking = new AbortController();
    if (!input.value.trim()) return show([]);
    const asked = new URLSearchParams({ todo: input.value, plain: plain.value });
    try {
      const answer = await fetch(`/list/read?${asked}`, { signal: asking.signal, redirect: "manual" });
      show(answer.ok ? (await answer.json()).parts : []);
    } catch (error) {
      if (error.name !== "AbortError") show([]); // offline: the server reads it when it is added
    }
  }

  function later(wait = WAIT) {
    clearTimeout(timer);
    timer = setTimeout(read, wait);
    kept = kept.filter((text) => input.value.includes(text));
    plain.value = kept.join("\n");
    mark();
  }

  input.addEventListener("input", () => later());
  input.addEventListener("scroll", () => (mirror.scrollLeft = input.scrollLeft));
  input.form.addEventListener("reset", () => later(0));
  later();
  return () => later(0);
}
