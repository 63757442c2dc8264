// The first page: is the money safe, what does the daemon do, market by market.
import { act, confirm } from "./confirm.js";
import { dress, h, say } from "./dom.js";
import { age, count, money, ms, plain, short, tone, when } from "./format.js";
import { Meanwhile } from "./moved.js";
import { remember, spark } from "./spark.js";
import { verdict } from "./verdict.js";
import { hint, word } from "./words.js";
import { segment } from "./calls.js";

const SPARK_POINTS = 60;
const EQUITY_POINTS = 600;
const prices = new Map(); // market → recent prices; they outlive the page's views
const equity = [];
const moved = new Meanwhile();
const LANES = [["data", "D"], ["entry", "E"], ["exit", "X"]];
const STALE_S = 15;

/** Take note of what the small lines draw, whichever view is open. */
export function observe(report) {
  for (const market of report.markets) {
    if (market.price === null) continue;
    const line = prices.get(market.market) ?? [];
    if (line.at(-1) !== Number(market.price)) prices.set(market.market, remember(line, Number(market.price), SPARK_POINTS));
  }
  const total = sum(Object.values(report.equity));
  if (total !== null && equity.at(-1) !== total) remember(equity, total, EQUITY_POINTS);
  moved.observe(report);
}

const sum = (values) => (values.length ? values.reduce((whole, value) => whole + Number(value), 0) : null);

function tile(name, wide = "", spoken = false) {
  const figure = h("div", { class: "figure", text: "–", role: spoken && "status" });
  const note = h("div", { class: "note" });
  const node = h("section", { class: `tile ${wide}`.trim() }, h("div", { class: "name", text: name }), figure, note);
  return {
    node, note,
    show(value, text = "", kind = "") {
      say(figure, value);
      if (typeof text === "string") say(note, text);
      dress(node, `tile ${wide} ${kind}`.replace(/\s+/g, " ").trim());
    },
  };
}

const KIND = { healthy: "good", warning: "warn", critical: "bad" };

/** The colour of a tile whose figure a check judges: as the check has it, by the limits of the configuration. */
const kindOf = (report, name) => KIND[report.health.checks.find((check) => check.name === name && check.status !== "healthy")?.status] ?? "";

function tiles() {
  const made = {
    health: tile(word("health"), "wide", true), equity: tile(word("equity"), "wide"), profit: tile(word("profit")), open: tile(word("open")),
    live: tile(word("live")), orders: tile(word("orders")), unknown: tile(word("unknown")), unprotected: tile(word("unprotected")),
    lag: tile(word("lag")), memory: tile(word("memory")), backlog: tile(word("backlog")),
  };
  const curve = spark("spark", 300, 46);
  made.equity.node.append(curve.node);
  const reasons = h("ul", { class: "reasons", "aria-label": word("reasons") });
  made.health.node.append(reasons);
  return {
    node: h("div", { class: "tiles" }, ...Object.values(made).map((one) => one.node)),
    update(report) {
      const { status, reasons: why, score } = verdict(report);
      made.health.show(word(`health.${status}`), word("score", { score }), `${KIND[status]} ${why.length ? "whole" : ""}`);
      reasons.hidden = !why.length;
      const key = JSON.stringify(why);
      if (reasons.dataset.said !== key) {
        reasons.dataset.said = key;
        reasons.replaceChildren(...why.map(([kind, text]) => h("li", { class: KIND[kind], text })));
      }
      made.equity.show(Object.entries(report.equity).map(([currency, value]) => `${money(value)} ${currency}`).join(" · ") || "–", equityNote(report));
      curve.draw(equity);
      const profit = sum(report.markets.map((market) => market.profit)) ?? 0;
      const fees = sum(report.markets.map((market) => market.fees)) ?? 0;
      const open = sum(report.markets.map((market) => market.unrealised)) ?? 0;
      const funding = sum(report.markets.map((market) => market.funding)) ?? 0;
      const besides = funding ? word("profit.funding", { funding: money(funding, true) }) : "";
      made.profit.show(money(profit, true), word("profit.note", { fees: money(fees) }) + besides, { up: "good", down: "bad" }[tone(profit)] ?? "");
      made.open.show(money(open, true), "", { up: "good", down: "bad" }[tone(open)] ?? "");
      made.live.show(`${report.live}/${report.total}`, report.live < report.total ? word("live.note", { n: report.total - report.live }) : "", report.live < report.total ? "warn" : "");
      made.orders.show(count(report.orders.sent), word("orders.note", { filled: count(report.orders.filled), rejected: count(report.orders.rejected) }));
      made.unknown.show(count(report.orders.unknown), word("unknown.note"), report.orders.unknown ? "warn" : "");
      made.unprotected.show(count(report.unprotected), word("unprotected.note"), report.unprotected ? "bad" : "");
      made.lag.show(ms(report.loop_lag_recent_ms.p99), word("lag.note"), kindOf(report, "loop_lag"));
      made.memory.show(`${Math.round(report.rss_mb)} MB`, word("memory.note", { peak: Math.round(report.rss_peak_mb) }), kindOf(report, "memory"));
      made.backlog.show(count(report.history_backlog), word("backlog.note", { kind: report.history }), kindOf(report, "database") || kindOf(report, "backlog"));
    },
  };
}

/** Of when the equity is: it is what the exchange told last, which may be long ago. */
function equityNote(report) {
  if (!Object.keys(report.equity).length) return "";
  if (!report.equity_ns) return word("equity.before");
  return word("equity.note", { at: when(report.equity_ns) }) + (moved.sums ? word("equity.note.moved", moved.sums) : "");
}

/** The dots of a market's three breakers. */
export function lanes(market, breakers) {
  const node = h("span", { class: "lanes", title: word("breakers.hint") });
  for (const [lane, letter] of LANES) {
    const state = breakers.find((one) => one.market === market && one.lane === lane)?.state ?? "closed";
    node.append(h("span", { class: `lane ${state}`, text: letter, role: "img", title: `${lane}: ${state}`, "aria-label": `${lane}: ${state}` }));
  }
  return node;
}

const STATE_KIND = { live: "good", failed: "bad", paused: "warn", draining: "warn", starting: "", warming: "", stopped: "" };

/** Show a market's state in its badge; one whose entries an error keeps back says so, with until when and why. */
export function showState(badge, market) {
  const held = market.paused && (market.state === "live" || market.state === "paused");
  say(badge, held ? word("noentries") : market.state);
  badge.title = held ? word("paused.until", { until: when(market.paused_until_ns), why: market.paused }) : market.reason;
  dress(badge, `badge ${held ? "warn" : STATE_KIND[market.state] ?? ""}`.trim());
}

/** Why a market stands where it does, what is wrong first: as `kangbot status` has it. */
export function whyOf(market) {
  const said = market.state === "live" ? market.stale || market.blocked || market.signal : "";
  return market.unprotected || market.quarantine || said || market.reason;
}

/** Show that a market's strategy is slow and asked aside, with its longest call; nothing of one that is quick. */
export function showSlow(badge, market) {
  badge.hidden = !(market.aside && (market.state === "live" || market.state === "paused"));
  const ms = count(Math.round(market.longest_call_ms));
  say(badge, badge.hidden ? "" : word("slow", { ms }));
  badge.title = badge.hidden ? "" : word("slow.hint", { ms });
}

const STILL = matchMedia("(prefers-reduced-motion: reduce)");

/** Colour a price for a moment. A class would have to be laid out in between to begin anew: the board whole, by price. */
function flash(node, up) {
  if (!STILL.matches) node.animate([{ color: `var(--${up ? "good" : "bad"})`, offset: 0 }], 700);
}

function row(access) {
  const cells = {
    market: h("th", { scope: "row" }), state: h("td"), price: h("td", { class: "n" }), line: h("td", { class: "hide-small" }),
    position: h("td", { class: "n", "data-name": word("position") }), open: h("td", { class: "n", "data-name": word("openprofit") }),
    profit: h("td", { class: "n", "data-name": word("realised") }), stop: h("td", { class: "n calm", "data-name": word("stopprice") }), signal: h("td", { class: "signal", lang: "en" }),
    age: h("td", { class: "n hide-small" }), lanes: h("td", { class: "calm" }), errors: h("td", { class: "n calm", "data-name": word("errorcount") }), falls: h("td", { class: "n hide-small" }), act: h("td", { class: "hide-small" }),
  };
  const state = h("span", { class: "badge", lang: "en" }), slow = h("span", { class: "slow" });
  const line = spark("spark");
  const link = h("a"), faults = h("a");
  const button = h("button", { class: "small", type: "button" });
  cells.market.append(link);
  cells.state.append(state, " ", slow);
  cells.line.append(line.node);
  cells.errors.append(faults);
  if (access === "control") cells.act.append(button);
  let market = null, last = null, said = "";
  button.addEventListener("click", () => act(`/markets/${segment(market.market)}/${button.dataset.command}`));
  return {
    node: h("tr", {}, ...Object.values(cells)),
    update(next, breakers, errors) {
      market = next;
      link.href = `#/market/${segment(next.market)}`;
      say(link, short(next.symbol));
      showState(state, next);
      showSlow(slow, next);
      if (say(cells.price, plain(next.price)) && last !== null) flash(cells.price, Number(next.price) >= last);
      last = next.price === null ? null : Number(next.price);
      line.draw(prices.get(next.market) ?? []);
      const held = Number(next.net) !== 0;
      say(cells.position, held ? plain(next.net) : "–");
      say(cells.open, held ? money(next.unrealised, true) : "–");
      dress(cells.open, `n ${held ? tone(next.unrealised) : ""}`.trim());
      say(cells.profit, money(next.profit, true));
      dress(cells.profit, `n ${tone(next.profit)}`.trim());
      say(cells.stop, next.unprotected ? "NO STOP" : plain(next.stop));
      dress(cells.stop, next.unprotected ? "n down" : "n calm"); // a phone shows what is wrong, and only speaks of what is well
      cells.stop.title = next.unprotected;
      const why = whyOf(next);
      say(cells.signal, why);
      cells.signal.title = why === next.blocked && why ? `${word("blocked")}: ${why}` : why;
      say(cells.age, age(next.feed_age_s));
      dress(cells.age, `n hide-small ${next.state === "live" && next.feed_age_s > STALE_S ? "down" : ""}`.trim());
      const mine = breakers.filter((one) => one.market === next.market).map((one) => one.lane + one.state).join();
      if (mine !== said || !cells.lanes.firstChild) { said = mine; cells.lanes.replaceChildren(lanes(next.market, breakers)); dress(cells.lanes, /open|isolated/.test(mine) ? "" : "calm"); }
      faults.href = `#/errors/${segment(next.market)}`;
      if (say(faults, errors || "")) faults.setAttribute("aria-label", word("errorsof", { n: errors, market: short(next.symbol) }));
      faults.hidden = !errors;
      dress(cells.errors, errors ? "n down" : "n calm");
      say(cells.falls, next.falls || "");
      const command = next.state === "stopped" || next.state === "failed" ? "start" : next.state === "paused" || next.paused ? "resume" : "stop";
      if (button.dataset.command !== command) { button.dataset.command = command; say(button, word(command)); }
      button.setAttribute("aria-label", `${word(command)} ${short(next.symbol)}`);
    },
  };
}

const UNTITLED = ["trend", "action"]; // columns that need no title for who sees them

/** How many errors each market met within the last quarter of an hour. */
function errorsByMarket(report) {
  const counts = new Map();
  for (const one of report.errors) if (one.market) counts.set(one.market, (counts.get(one.market) ?? 0) + one.recent);
  return counts;
}

function board(access) {
  const titles = [["market"], ["state"], ["price", "n"], ["trend", "hide-small"], ["position", "n"], ["openprofit", "n"], ["realised", "n"], ["stopprice", "n"], ["signal"], ["age", "n hide-small"], ["breakers"], ["errorcount", "n"], ["falls", "n hide-small"], ["action", "hide-small"]];
  const head = h("tr", {}, ...titles.map(([key, kind]) => h("th", { class: kind, scope: "col", title: hint(key) }, UNTITLED.includes(key) ? h("span", { class: "unseen", text: word(key) }) : word(key))));
  const body = h("tbody");
  const rows = new Map();
  const empty = h("div", { class: "empty", text: word("nomarkets") });
  return {
    node: h("div", { class: "sheet board" }, h("table", { "aria-label": word("board") }, h("thead", {}, head), body), empty),
    update(report) {
      empty.hidden = report.markets.length > 0;
      const errors = errorsByMarket(report);
      for (const market of report.markets) {
        if (!rows.has(market.market)) {
          const made = row(access);
          rows.set(market.market, made);
          body.append(made.node);
        }
        rows.get(market.market).update(market, report.breakers, errors.get(market.market) ?? 0);
      }
      const known = new Set(report.markets.map((market) => market.market));
      for (const [name, made] of rows) if (!known.has(name)) { made.node.remove(); rows.delete(name); }
    },
  };
}

/** The view: `node` to show, `update(report)` with each change. */
export function overview(access) {
  const figures = tiles();
  const markets = board(access);
  const bar = h("div", { class: "bar" }, h("h2", { text: word("board") }));
  if (access === "control") {
    bar.append(
      h("button", { type: "button", id: "start-all", text: word("startall"), onclick: () => act("/start-all") }),
      h("button", { type: "button", id: "stop-all", text: word("stopall"), onclick: async () => {
        const sure = await confirm({ title: word("stopall.title"), text: word("stopall.text"), yes: word("stopall") });
        if (sure !== null) await act("/stop-all");
      } }),
    );
  }
  return {
    node: h("div", {}, figures.node, bar, markets.node),
    update(report) {
      figures.update(report);
      markets.update(report);
    },
  };
}
