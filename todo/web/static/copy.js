// Buttons that copy a text of the page. They stay hidden without script, and where the browser lets no page copy.

const SHOWN = 2000; // milliseconds that a button says so

const said = document.createElement("p");
said.className = "unseen";
said.setAttribute("role", "status");
document.body.append(said);

function tell(button, label, news) {
  button.firstChild.data = label;
  said.textContent = news;
}

async function copy(button) {
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
  tell(button, "Copied", "Copied");
  setTimeout(tell, SHOWN, button, "Copy", "");
}

for (const button of document.querySelectorAll("[data-copies]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", () => copy(button).catch(() => tell(button, "Copy", "It could not be copied")));
}
