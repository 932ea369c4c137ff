// Passkeys: signs in with one, and adds one. What is for them shows only where the browser can.

const buttons = [...document.querySelectorAll("[data-passkey]")];
const isAble =
  window.PublicKeyCredential?.parseRequestOptionsFromJSON && buttons.every((button) => button.dataset.host === location.hostname);

// What to say of an authenticator that did nothing, by the name of its error.
const REASONS = {
  InvalidStateError: "This device has a passkey for your account already.",
  NotAllowedError: "No passkey was used. Try again, or use your password.",
};

const isNew = (button) => button.dataset.passkey.startsWith("/account");

// Returns the options for an authenticator. Throws an error that says why there are none.
async function optionsOf(button) {
  const fields = ["csrf_token", "password"].map((name) => button.form.elements[name]);
  const sent = fields.filter((field) => isNew(button) || field.type === "hidden").map((field) => [field.name, field.value]);
  const response = await fetch(button.dataset.passkey, { method: "POST", body: new URLSearchParams(sent) });
  if (response.redirected) location.reload(); // signed out
  const told = await response.json();
  if (!response.ok) throw new Error(`${told.detail} ${told.hint}`);
  return told;
}

async function answerOf(button) {
  const options = await optionsOf(button);
  if (!isNew(button)) {
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  }
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
}

async function use(button) {
  const { form } = button;
  const alert = form.querySelector("[role=alert]");
  alert.hidden = true;
  if (isNew(button) && !form.reportValidity()) return;
  button.disabled = true;
  try {
    const answer = await answerOf(button);
    form.elements.credential.value = JSON.stringify(answer.toJSON());
    form.elements.password.disabled = true; // it is not sent again
    form.submit();
  } catch (error) {
    alert.textContent = REASONS[error.name] || error.message;
    alert.hidden = false;
  } finally {
    button.disabled = false;
  }
}

if (isAble) {
  for (const part of document.querySelectorAll("[data-with-passkeys]")) part.hidden = false;
  for (const button of buttons) button.addEventListener("click", () => use(button));
}
