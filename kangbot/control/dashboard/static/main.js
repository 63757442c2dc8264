// Where the page begins: the token, the live connection, and which view is open.
import { banners } from "./banners.js";
import { ask, signedOut, tell } from "./calls.js";
import { act, confirm } from "./confirm.js";
import { dress, h, say } from "./dom.js";
import { listen } from "./link.js";
import { errorsPage, ordersPage } from "./lists.js";
import { marketPage } from "./market.js";
import { observe, overview } from "./overview.js";
import { systemPage } from "./system.js";
import { verdict } from "./verdict.js";
import { languageNow, setLanguage, speak, word } from "./words.js";

const $ = (id) => document.getElementById(id);
let report = null, access = "read", view = null, linked = "connecting";

// ------------------------------------------------------------------------------------------------------------- views
const NAMED = ["orders", "errors", "system"]; // the rooms beside the markets
const named = (text) => { try { return decodeURIComponent(text); } catch { return text; } }; // a mistyped address is a market that nobody knows
function open() {
  const [, room = "", name = ""] = location.hash.split("/");
  const made = { "": () => overview(access), market: () => marketPage(named(name), access), orders: ordersPage, errors: () => errorsPage(named(name)), system: systemPage }[room] ?? (() => overview(access));
  view?.close?.();
  view = made();
  const title = room === "market" ? [] : [h("h1", { class: "unseen", text: word(`nav.${NAMED.includes(room) ? room : "markets"}`) })];
  $("content").replaceChildren(...title, view.node);
  for (const link of document.querySelectorAll(".top nav a")) {
    const here = link.getAttribute("href") === `#/${room === "market" ? "" : room}`;
    if (here) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  if (report) view.update(report);
}

function show() {
  say($("mode"), report.mode);
  dress($("mode"), `badge ${report.mode === "live" ? "bad" : ""}`.trim());
  const { status } = verdict(report);
  document.title = `${status === "healthy" ? "" : status === "critical" ? "■ " : "▲ "}${report.live}/${report.total} kangbot`;
  $("kill").hidden = access !== "control" || Boolean(report.killed);
  banners(report, access);
  say($("foot"), word("foot", { version: report.version, pid: report.pid, zone: Intl.DateTimeFormat().resolvedOptions().timeZone }));
  view?.update(report);
}

function status(now) {
  linked = now;
  if (now === "lost" && report && !report.lost) { report.lost = true; show(); }
  say($("link"), word(`link.${now}`) + (now === "live" && access === "read" ? ` · ${word("link.read")}` : ""));
  dress($("link"), `badge ${{ live: "good", connecting: "quiet", lost: "bad" }[now]}`);
}

// ------------------------------------------------------------------------------------------------------------- tools
document.querySelector(".skip").onclick = (event) => {
  event.preventDefault(); // what stands behind the # names the view
  $("content").focus();
};

$("theme").onclick = () => {
  const dark = document.documentElement.dataset.theme === "dark" || (document.documentElement.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  localStorage.setItem("theme", (document.documentElement.dataset.theme = dark ? "light" : "dark"));
  open();
};
document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "auto";
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (view) open(); }); // charts are drawn in colours, not in names of colours

const OTHER = { en: ["ID", "ID: Bahasa Indonesia", "id"], id: ["EN", "EN: English", "en"] };
function offerLanguage() {
  const [text, name, lang] = OTHER[languageNow()];
  $("language").textContent = text;
  $("language").setAttribute("aria-label", name);
  $("language").lang = lang;
}
offerLanguage();
$("language").onclick = () => {
  setLanguage(languageNow() === "en" ? "id" : "en");
  offerLanguage();
  status(linked);
  open();
  if (report) show();
};

$("kill").onclick = async () => {
  const flatten = await confirm({ title: word("kill.title"), text: word("kill.text"), yes: word("kill.yes"), check: word("kill.flatten") });
  if (flatten !== null) await act("/kill", { reason: "dashboard", flatten });
};

// ------------------------------------------------------------------------------------------------------------- begin
async function denied() {
  try {
    await ask("/session");
    return false;
  } catch (error) {
    if (error.status !== 401 && error.status !== 403) return false;
    signedOut();
    return true;
  }
}

function begin() {
  $("login").hidden = true;
  $("app").hidden = false;
  open();
  const told = (next, right) => {
    if (report && report.version !== next.version) return location.reload(); // this page is of the daemon before
    const changed = right !== access || report === null;
    report = next;
    report.lost = false;
    access = right;
    observe(report);
    if (changed) { open(); status(linked); }
    show();
  };
  listen({ report: told, status, denied });
}

const refused = (error) => { $("login-error").textContent = { 401: word("login.wrong"), 429: word("login.locked") }[error.status] ?? error.message; };

$("login").onsubmit = async (event) => {
  event.preventDefault();
  try {
    await tell("/login", { token: $("token").value.trim() });
    $("token").value = "";
    begin();
  } catch (error) {
    refused(error);
  }
};

addEventListener("hashchange", () => { open(); scrollTo(0, 0); $("content").focus({ preventScroll: true }); });
speak();
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const over = sessionStorage.getItem("over");
sessionStorage.removeItem("over");
try {
  if (token) {
    history.replaceState(null, "", "/"); // it is neither sent by the browser nor kept in its history
    await tell("/login", { token });
  }
  await ask("/session");
  begin();
} catch (error) {
  if (token) refused(error);
  else if (over) $("login-error").textContent = word("login.over");
  $("login").hidden = false;
  $("token").focus();
}
