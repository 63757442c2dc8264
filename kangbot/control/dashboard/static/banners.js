// What stands above every view until it is over: the kill switch, a configuration that is wrong, one that wants a restart.
import { act, confirm } from "./confirm.js";
import { h } from "./dom.js";
import { languageNow, word } from "./words.js";

function release() {
  return h("button", {
    class: "small", type: "button", text: word("kill.release"),
    onclick: async () => {
      if ((await confirm({ title: word("release.title"), text: word("release.text"), yes: word("kill.release") })) !== null) await act("/release");
    },
  });
}

/** Fill `place` anew where `why`, the language or the right to act is another; nothing is shown for no reason. */
function tell(place, why, access, make) {
  const key = [why, languageNow(), access].join("\n");
  if (place.dataset.said === key) return;
  place.dataset.said = key;
  place.hidden = !why;
  place.replaceChildren(...(why ? make() : []));
}

export function banners(report, access) {
  const { problem, restart } = report.config;
  tell(document.getElementById("banner"), report.killed, access, () => [h("span", { text: `${word("kill.set")}: ${report.killed}` }), access === "control" ? release() : ""]);
  tell(document.getElementById("config-problem"), problem, access, () => [h("strong", { text: word("config.wrong") }), h("pre", { text: problem })]);
  tell(document.getElementById("config-restart"), restart.join(", "), access, () => [h("span", { text: word("config.restart", { what: restart.join(", ") }) })]);
}
