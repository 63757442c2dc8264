// What is asked before something is done, and what is said afterwards.
import { word } from "./words.js";
import { tell } from "./calls.js";
import { h } from "./dom.js";

/** Ask; resolves to null for no, else to whether the box was ticked. */
export function confirm({ title, text, yes, check }) {
  const dialog = document.getElementById("ask");
  document.getElementById("ask-title").textContent = title;
  document.getElementById("ask-text").textContent = text;
  document.getElementById("ask-yes").textContent = yes;
  document.getElementById("ask-check-row").hidden = !check;
  document.getElementById("ask-check-text").textContent = check ?? "";
  const box = document.getElementById("ask-check");
  box.checked = false;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes" ? box.checked : null), { once: true });
  });
}

/** Say a sentence for some seconds. */
function toast(text) {
  const node = h("div", { class: "toast", text });
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), 6000);
}

/** Do it at the daemon and say how that went. */
export async function act(path, body) {
  try {
    await tell(path, body);
    toast(word("done"));
  } catch (error) {
    toast(`${word("refused")}: ${error.message}`);
  }
}
