// Copy buttons: <button class="copy" data-copy="text"> or data-copy-from="id of an element or field".
// Ships serve plain http, where browsers withhold navigator.clipboard; the old command still works there.
async function put(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const back = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.className = "unseen";
  (back?.closest("dialog") ?? document.body).append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  back?.focus();
  if (!done) throw new Error("The browser did not copy.");
}

function source(button) {
  if (button.dataset.copy !== undefined) return button.dataset.copy;
  const element = document.getElementById(button.dataset.copyFrom);
  return element?.value ?? element?.textContent.trim() ?? "";
}

function say(text) {
  let voice = document.getElementById("copy-said");
  if (!voice) {
    voice = document.createElement("p");
    voice.id = "copy-said";
    voice.className = "unseen";
    voice.setAttribute("role", "status");
    document.body.append(voice);
  }
  voice.textContent = "";
  setTimeout(() => (voice.textContent = text), 50);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.(".copy");
  if (!button) return;
  try {
    await put(source(button));
  } catch {
    say("Not copied: select the text and copy it by hand.");
    return;
  }
  button.classList.add("copied");
  say("Copied.");
  setTimeout(() => button.classList.remove("copied"), 1600);
});
