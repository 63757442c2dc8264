// The machine room: checks, process, latencies, journal and database; the account's equity and the profit over time.
import { ask } from "./calls.js";
import { blank, curve, picture } from "./charts.js";
import { curveInWords } from "./described.js";
import { h, say, table } from "./dom.js";
import { age, count, measure, ms, when } from "./format.js";
import { sums } from "./moved.js";
import { word } from "./words.js";

const REFRESH_MS = 30000;
const MOST = 2000; // rows that the daemon answers with at once
const KIND = { healthy: "good", warning: "warn", critical: "bad" };
const list = (rows) => h("dl", {}, ...rows.flatMap(([name, value]) => [h("dt", { text: name }), h("dd", { text: value })]));
const pair = (latency) => `p50\u00a0${ms(latency.p50)}, p99\u00a0${ms(latency.p99)}`;

function sheets(report) {
  const offset = report.clock?.offset;
  return [
    [word("process"), list([
      [word("uptime"), age((report.at_ns - report.started_ns) / 1e9)], [word("memory"), `${Math.round(report.rss_mb)} MB, ${word("memory.note", { peak: Math.round(report.rss_peak_mb) })}`],
      [word("cpu"), word("cpu.note", { recent: measure(report.cpu_recent_percent ?? report.cpu_percent, "%"), whole: measure(report.cpu_percent, "%") })], [word("handles"), count(report.handles)], [word("loop"), report.loop], [word("since"), when(report.started_ns)],
    ])],
    [word("latency"), list([
      [word("f2d"), pair(report.frame_to_decision_ms)], [word("f2o"), pair(report.frame_to_order_ms)], [word("lag.recent"), pair(report.loop_lag_recent_ms)],
      [word("clock"), offset === null || offset === undefined ? "–" : `${offset > 0 ? "+" : ""}${measure(offset, "ms")} ± ${measure(report.clock.uncertainty, "ms")}`], [word("reconnects"), count(report.reconnects)],
    ])],
    [word("database"), list([
      [word("kind"), report.history], [word("status"), report.history_away ? word("away", { why: report.history_away }) : word("connected")],
      [word("backlog"), count(report.history_backlog)], [word("journal"), count(report.journal_sequence)],
    ])],
  ].map(([title, body]) => h("section", {}, h("h2", { text: title }), h("div", { class: "sheet" }, body)));
}

const checks = (rows) => table([
  [word("checks"), (row) => word(`check.${row.name}`)], [word("status"), (row) => h("span", { class: `badge ${KIND[row.status]}`, text: row.status })],
  [word("figure"), (row) => (row.name === "kill_switch" ? "" : measure(row.figure, row.unit)), "n"], [word("measured"), (row) => row.says, "said"],
], rows, word("none"));

const byTime = ([a], [b]) => (a < b ? -1 : 1);

/** What closed trades came to by then, one after another: [moment, sum of their net profits]. */
function summed(trips) {
  let sum = 0;
  return trips.map((trip) => [trip.closed_at, Number(trip.net_profit)]).sort(byTime).map(([at, profit]) => [at, (sum += profit)]);
}

/** What the curve is called: a step in it that is of money moved meanwhile is neither won nor lost. */
function equityName(points, transfers) {
  const moved = sums(transfers.filter((row) => points.length && row.moved_at >= points[0][0]));
  return moved ? word("equity.moved", moved) : word("equity");
}

/** Draw the points of `[name, points]` that `ask` answers with, below that name. */
async function drawn(title, node, stepped, ask) {
  try {
    const [name, points] = await ask();
    say(title, name);
    if (points.length > 1) await curve(node, { sentence: curveInWords(name, points), points, stepped });
    else blank(node, word("none"));
  } catch (error) {
    blank(node, error.message);
  }
}

/** The view. */
export function systemPage() {
  const figures = h("div", { class: "pair" }), health = h("div"), equity = picture(word("equity")), profit = picture(word("profitcurve"));
  const titles = { equity: h("h2", { text: word("equity") }), profit: h("h2", { text: word("profitcurve") }) };
  let timer = 0, said = "", currency = "";

  async function refresh() {
    try {
      health.replaceChildren(checks((await ask("/health", 503)).checks));
    } catch (error) {
      health.replaceChildren(h("div", { class: "sheet empty", text: error.message }));
    }
    await drawn(titles.equity, equity, false, async () => {
      const mine = async (path) => (await ask(`${path}?limit=${MOST}`)).items.filter((row) => row.currency === currency);
      const points = (await mine("/equity")).map((row) => [row.marked_at, Number(row.equity)]).sort(byTime);
      return [equityName(points, await mine("/transfers")), points];
    });
    await drawn(titles.profit, profit, true, async () => {
      const trips = (await ask(`/round-trips?limit=${MOST}`)).items; // there may be more: what came before these is not in their sum
      return [trips.length < MOST ? word("profitcurve") : word("profitcurve.newest", { n: count(MOST) }), summed(trips)];
    });
  }

  return {
    node: h("div", {},
      h("div", { class: "pair" },
        h("section", {}, titles.equity, equity),
        h("section", {}, titles.profit, profit)),
      figures, h("h2", { text: word("checks") }), health),
    update(report) {
      const now = JSON.stringify([report.rss_mb, report.loop_lag_recent_ms, report.history_backlog, report.journal_sequence, Math.round(report.at_ns / 1e10)]);
      if (now !== said) { said = now; figures.replaceChildren(...sheets(report)); }
      [currency] = Object.keys(report.equity); // what the limits count in comes first
      if (!timer) { timer = setInterval(refresh, REFRESH_MS); refresh(); }
    },
    close() { clearInterval(timer); },
  };
}
