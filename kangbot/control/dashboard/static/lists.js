// Orders, fills, closed trades, events, errors: pages of rows that the daemon or its history answers with.
import { ask, segment } from "./calls.js";
import { h, table } from "./dom.js";
import { average, cost, count, money, plain, short, tone, when } from "./format.js";
import { word } from "./words.js";

const REFRESH_MS = 10000;
const badge = (text, kind = "") => h("span", { class: `badge ${kind}`.trim(), text });
const profit = (value) => h("span", { class: tone(value), text: money(value, true) });
const ORDER_KIND = { filled: "good", rejected: "bad", unknown: "warn" };
const SEVERITY_KIND = { info: "", low: "", warning: "warn", medium: "warn", error: "bad", high: "bad", critical: "bad" };

export const orderTable = (rows) => table([
  [word("time"), (row) => when(row.intended_at ?? row.changed_at), "brief"], [word("market"), (row) => short(row.market), "brief"], [word("side"), (row) => row.side], [word("purpose"), (row) => row.purpose],
  [word("quantity"), (row) => plain(row.quantity), "n"], [word("price"), (row) => average(row.average ?? row.price), "n"],
  [word("status"), (row) => badge(row.status, ORDER_KIND[row.status])], [word("reason"), (row) => row.reason, "signal"],
], rows, word("none"));

export const fillTable = (rows) => table([
  [word("time"), (row) => when(row.filled_at), "brief"], [word("market"), (row) => short(row.market), "brief"], [word("side"), (row) => row.side],
  [word("quantity"), (row) => plain(row.quantity), "n"], [word("price"), (row) => plain(row.price), "n"], [word("fee"), (row) => cost(row.fee, row.fee_currency), "n"],
], rows, word("none"));

const WAY = { buy: "long", sell: "short" }; // a trader's words for the side of what was entered

const tripTable = (rows) => table([
  [word("time"), (row) => when(row.closed_at), "brief"], [word("market"), (row) => short(row.market), "brief"], [word("side"), (row) => WAY[row.side] ?? row.side], [word("quantity"), (row) => plain(row.quantity), "n"],
  [word("entry"), (row) => average(row.entry_price), "n"], [word("chart.exit"), (row) => average(row.exit_price), "n"], [word("realised"), (row) => profit(row.net_profit), "n"], [word("fees"), (row) => money(row.fees), "n"],
], rows, word("none"));

/** The rows, newest first, where each that says the same as the one before it only counts there. */
function folded(rows) {
  const alike = (row) => JSON.stringify([row.market, row.kind, row.severity, row.message]);
  const kept = [];
  for (const row of rows) {
    if (kept.length && alike(kept.at(-1)) === alike(row)) kept.at(-1).times += 1;
    else kept.push({ ...row, times: 1 });
  }
  return kept;
}

export const eventTable = (rows) => table([
  [word("time"), (row) => when(row.at), "brief"], [word("market"), (row) => (row.market ? short(row.market) : ""), "brief"], [word("kind"), (row) => row.kind],
  [word("severity"), (row) => badge(row.severity ?? "info", SEVERITY_KIND[row.severity])], [word("message"), (row) => (row.message ?? "") + (row.times > 1 ? ` (${word("times", { n: count(row.times) })})` : ""), "said"],
], folded(rows), word("none"));

const errorTable = (rows) => table([
  [word("kind"), (row) => row.kind], [word("severity"), (row) => badge(row.severity, SEVERITY_KIND[row.severity])], [word("market"), (row) => (row.market ? short(row.market) : ""), "brief"],
  [word("recent"), (row) => row.recent, "n"], [word("total"), (row) => row.total, "n"], [word("last"), (row) => row.message, "said"],
], rows, word("noerrors"));

/** A view of sections that are asked for anew every ten seconds; a section is [title, path, rows → node]. */
function asked(sections) {
  const places = sections.map(([title, path, draw]) => ({ path, draw, place: h("div"), title }));
  let timer = 0;
  const refresh = () => Promise.all(places.map(async ({ path, draw, place }) => {
    try {
      place.replaceChildren(draw((await ask(path)).items));
    } catch (error) {
      place.replaceChildren(h("div", { class: "sheet empty", text: error.message }));
    }
  }));
  return {
    node: h("div", {}, ...places.flatMap(({ title, place }) => [h("h2", { text: title }), place])),
    update() { if (!timer) { timer = setInterval(refresh, REFRESH_MS); refresh(); } },
    close() { clearInterval(timer); },
  };
}

export const ordersPage = () => asked([[word("trips"), "/round-trips?limit=50", tripTable], [word("orders"), "/orders?limit=100", orderTable], [word("fills"), "/fills?limit=100", fillTable]]);

/** Errors by kind from the live report; what happened, from the history. Of `market` alone where it is named. */
export function errorsPage(market) {
  const kinds = h("div");
  const back = market ? h("p", {}, h("a", { href: "#/errors", text: `← ${word("back")}` })) : null;
  const rest = asked([[word("events"), `/events?limit=200${market ? `&market=${segment(market)}` : ""}`, eventTable]]);
  let said = "";
  return {
    node: h("div", {}, back, h("h2", { text: word("errors") + (market ? `: ${short(market)}` : "") }), kinds, rest.node),
    update(report) {
      const mine = report.errors.filter((one) => !market || one.market === market);
      const now = JSON.stringify(mine);
      if (now !== said) { said = now; kinds.replaceChildren(errorTable(mine)); }
      rest.update();
    },
    close: rest.close,
  };
}
