// The machine room: checks, process, latencies, journal and database; and the account's equity over time.
import { ask } from "./calls.js";
import { curve } from "./charts.js";
import { h, table } from "./dom.js";
import { age, count, ms, when } from "./format.js";
import { word } from "./words.js";

const REFRESH_MS = 30000;
const KIND = { healthy: "good", warning: "warn", critical: "bad" };
const list = (rows) => h("dl", {}, ...rows.flatMap(([name, value]) => [h("dt", { text: name }), h("dd", { text: value })]));
const pair = (latency) => `p50 ${ms(latency.p50)}, p99 ${ms(latency.p99)}`;

function sheets(report) {
  const offset = report.clock?.offset;
  return [
    [word("process"), list([
      [word("uptime"), age((report.at_ns - report.started_ns) / 1e9)], [word("memory"), `${Math.round(report.rss_mb)} MB (${Math.round(report.rss_peak_mb)})`],
      [word("cpu"), `${report.cpu_percent} %`], [word("handles"), count(report.handles)], [word("loop"), report.loop], [word("since"), when(report.started_ns)],
    ])],
    [word("latency"), list([
      [word("f2d"), pair(report.frame_to_decision_ms)], [word("f2o"), pair(report.frame_to_order_ms)], [word("lag"), pair(report.loop_lag_recent_ms)],
      [word("clock"), offset === null || offset === undefined ? "–" : `${offset > 0 ? "+" : ""}${offset} ms ± ${report.clock.uncertainty}`], [word("reconnects"), count(report.reconnects)],
    ])],
    [word("database"), list([
      [word("kind"), report.history], [word("status"), report.history_away ? word("away", { why: report.history_away }) : word("connected")],
      [word("backlog"), count(report.history_backlog)], [word("journal"), count(report.journal_sequence)],
    ])],
  ].map(([title, body]) => h("section", {}, h("h2", { text: title }), h("div", { class: "sheet" }, body)));
}

const checks = (rows) => table([
  [word("checks"), (row) => row.name], [word("status"), (row) => h("span", { class: `badge ${KIND[row.status]}`, text: row.status })],
  ["", (row) => `${row.figure ?? ""} ${row.unit ?? ""}`.trim(), "n"], [word("message"), (row) => row.says],
], rows, word("none"));

/** The view. */
export function systemPage() {
  const figures = h("div", { class: "pair" }), health = h("div"), chart = h("div", { class: "sheet chart", role: "img", "aria-label": word("equity") });
  let timer = 0, said = "";

  async function refresh() {
    try {
      health.replaceChildren(checks((await ask("/health")).checks));
    } catch (error) {
      health.replaceChildren(h("div", { class: "sheet empty", text: error.message }));
    }
    try {
      const points = (await ask("/equity?limit=2000")).items.map((row) => [row.marked_at, row.equity]);
      if (points.length > 1) await curve(chart, points.sort(([a], [b]) => (a < b ? -1 : 1)));
      else chart.replaceChildren(h("div", { class: "empty", text: word("none") }));
    } catch (error) {
      chart.replaceChildren(h("div", { class: "empty", text: error.message }));
    }
  }

  return {
    node: h("div", {}, h("h2", { text: word("equity") }), chart, figures, h("h2", { text: word("checks") }), health),
    update(report) {
      const now = JSON.stringify([report.rss_mb, report.loop_lag_recent_ms, report.history_backlog, report.journal_sequence, Math.round(report.at_ns / 1e10)]);
      if (now !== said) { said = now; figures.replaceChildren(...sheets(report)); }
      if (!timer) { timer = setInterval(refresh, REFRESH_MS); refresh(); }
    },
    close() { clearInterval(timer); },
  };
}
