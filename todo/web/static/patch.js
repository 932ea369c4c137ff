// Makes an element like another one with as few changes as possible, so that focus, scrolling and open parts stay.

const OWN = new Set(["open", "data-selected"]); // attributes that the person sets, not the server

// `isKept` says which forms stay as they are, because somebody is typing in them.
export function patch(from, to, isKept) {
  if (isKept(from)) return;
  patchAttributes(from, to);
  const nodes = [...to.childNodes].map(matcher(from, isKept));
  const wanted = new Set(nodes);
  for (const node of [...from.childNodes]) {
    if (!wanted.has(node) && !isKept(node)) node.remove();
  }
  let place = from.firstChild;
  for (const node of nodes) {
    if (node === place) place = place.nextSibling;
    else from.insertBefore(node, place);
  }
}

// A form with a field that is called id has that as its property `id`.
const idOf = (node) => node.getAttribute?.("id");

// Returns a function that finds the child for one that is wanted: by its id, or the next of its kind without one.
function matcher(from, isKept) {
  const named = new Map([...from.children].filter(idOf).map((child) => [idOf(child), child]));
  const others = [...from.childNodes].filter((child) => !idOf(child));
  return (wanted) => {
    const id = idOf(wanted);
    const found = id ? named.get(id) : others.splice(0, others.findIndex(({ nodeName }) => nodeName === wanted.nodeName) + 1).at(-1);
    if (!found || found.nodeName !== wanted.nodeName) return document.adoptNode(wanted);
    if (found.nodeType === Node.ELEMENT_NODE) patch(found, wanted, isKept);
    else if (found.data !== wanted.data) found.data = wanted.data;
    return found;
  };
}

function patchAttributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !OWN.has(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}
