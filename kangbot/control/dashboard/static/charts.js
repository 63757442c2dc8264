// Candles with what was traded in them, curves, bars; each with a sentence that says its content to who does not see it.
// Plotly is large, so it is fetched when the first chart is looked at, and cached.
import { h } from "./dom.js";
import { moment, plain } from "./format.js";
import { languageNow } from "./words.js";

// Dates in figures read the same in every language; the day stands below the first tick and where it changes.
const DAY = "%d/%m/%Y", SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, DAY_MS = 1440 * MINUTE_MS;
const TICKS = [
  { dtickrange: [null, SECOND_MS], value: `%H:%M:%S.%L\n${DAY}` }, { dtickrange: [SECOND_MS, MINUTE_MS], value: `%H:%M:%S\n${DAY}` },
  { dtickrange: [MINUTE_MS, DAY_MS], value: `%H:%M\n${DAY}` }, { dtickrange: [DAY_MS, null], value: DAY },
];
const TICK_PX = 90; // a time with its neighbours' air: what is closer is turned, and cut off at the edge
let loading = null;

function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/static/plotly.js";
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { loading = null; reject(new Error("the chart library did not load")); };
    document.head.append(script);
  });
  return loading;
}

/** The place of a picture: empty until something is drawn. */
export const picture = (name, kind = "") => h("div", { class: `sheet chart ${kind}`.trim(), role: "img", "aria-label": name });

/** Say in words why nothing is drawn; what is drawn already stays. */
export function blank(node, text) {
  if (node.classList.contains("js-plotly-plot")) return;
  node.setAttribute("aria-label", text);
  node.replaceChildren(h("div", { class: "empty", text }));
}

async function draw(node, sentence, traces, layout, config = {}) {
  const Plotly = await plotly();
  const ink = colour("--ink"), line = colour("--line");
  const { xaxis, yaxis, ...rest } = layout;
  node.querySelector(".empty")?.remove();
  await Plotly.react(node, traces, {
    margin: { l: 8, r: 70, t: 12, b: 42 }, separators: languageNow() === "id" ? ",." : ".,", paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: colour("--soft"), size: 12 }, hoverlabel: { bgcolor: colour("--card"), font: { color: ink } },
    xaxis: { gridcolor: line, tickformatstops: TICKS, tickangle: 0, nticks: Math.max(2, Math.floor(node.clientWidth / TICK_PX)), ...xaxis }, yaxis: { gridcolor: line, zerolinecolor: line, side: "right", ticklabelstandoff: 6, exponentformat: "none", separatethousands: true, ...yaxis }, ...rest,
  }, { displayModeBar: false, responsive: true, ...config });
  node.setAttribute("aria-label", sentence);
  for (const part of document.querySelectorAll(".plot-container, #js-plotly-tester")) part.setAttribute("aria-hidden", "true"); // the sentence says it
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** What a fill did: `buy` or `sell` opened, added or turned the position round; `exit` only brought it nearer to flat. */
function deed(fill) {
  const signed = (fill.side === "buy" ? 1 : -1) * Number(fill.quantity);
  const after = Number(fill.net_after), before = after - signed;
  return before * signed < 0 && after * before >= 0 ? "exit" : fill.side;
}

function marks(fills, wanted, name, symbol, tint, size = 11) {
  const mine = fills.filter((fill) => deed(fill) === wanted);
  return {
    type: "scatter", mode: "markers", name, x: mine.map((fill) => moment(fill.filled_at)), y: mine.map((fill) => Number(fill.price)),
    text: mine.map((fill) => `${fill.side} ${fill.quantity}`), hovertemplate: "%{text} @ %{y}<extra></extra>",
    marker: { symbol, size, color: tint, line: { width: 1.5, color: colour("--card") } },
  };
}

/** The prices to show, and the stop among them as a line; one that is far away is named at the edge, for it would squeeze the candles. */
function around(bars, fills, stop, name, tint) {
  const prices = [...bars.flatMap((bar) => [Number(bar.low), Number(bar.high)]), ...fills.map((fill) => Number(fill.price))];
  let low = Math.min(...prices), high = Math.max(...prices);
  const height = high - low || high * 0.001, at = Number(stop);
  const some = stop !== null && stop !== undefined, near = some && at > low - height && at < high + height;
  if (near) { low = Math.min(low, at); high = Math.max(high, at); }
  const room = (high - low || height) * 0.08;
  const under = at < low;
  return {
    range: [low - room, high + room],
    shapes: near ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: at, y1: at, line: { color: tint, width: 1.5, dash: "dash" } }] : [],
    annotations: some && !near ? [{ xref: "paper", x: 1, xanchor: "right", yref: "paper", y: under ? 0 : 1, yanchor: under ? "bottom" : "top", text: `${name} ${plain(stop)} ${under ? "↓" : "↑"}`, showarrow: false, font: { color: tint, size: 12 } }] : [],
  };
}

/** The fills of the time that the bars are of: older ones would squeeze the candles. */
export function within(bars, fills) {
  const from = moment(bars[0].opened_at);
  return fills.filter((fill) => moment(fill.filled_at) >= from);
}

/** Draw closed `bars` with `fills` and the `stop` into `node`. */
export async function candles(node, { sentence, bars, fills, stop, words }) {
  const good = colour("--good"), bad = colour("--bad");
  const seen = within(bars, fills);
  const traces = [
    {
      type: "candlestick", name: words.price, x: bars.map((bar) => moment(bar.opened_at)), open: bars.map((bar) => Number(bar.open)), high: bars.map((bar) => Number(bar.high)),
      low: bars.map((bar) => Number(bar.low)), close: bars.map((bar) => Number(bar.close)), increasing: { line: { color: good, width: 1 } }, decreasing: { line: { color: bad, width: 1 } },
    },
    marks(seen, "exit", words.exit, "circle-open", colour("--warn"), 16), // a ring below: a turn is an exit and an entry at one place
    marks(seen, "buy", words.buy, "triangle-up", good),
    marks(seen, "sell", words.sell, "triangle-down", bad),
  ];
  const { range, ...guard } = around(bars, seen, stop, words.stop, bad);
  await draw(node, sentence, traces, { ...guard, yaxis: { range }, uirevision: "candles", showlegend: true, margin: { l: 8, r: 70, t: 48, b: 42 }, legend: { orientation: "h", y: 1.02, yanchor: "bottom" }, xaxis: { rangeslider: { visible: false } }, dragmode: "pan", hovermode: "x unified" }, { scrollZoom: true });
}

/** Draw one line over time into `node`; `points` are [moment, number]. `stepped`: it keeps its value until the next. */
export async function curve(node, { sentence, points, stepped = false }) {
  const trace = { type: "scatter", mode: "lines", x: points.map(([at]) => moment(at)), y: points.map(([, value]) => value), line: { color: colour("--accent"), width: 2, shape: stepped ? "hv" : "linear" } };
  await draw(node, sentence, [trace], {});
}

/** Draw a bar for each of `labels`, as high as its count. */
export async function columns(node, { sentence, labels, counts, name }) {
  const trace = { type: "bar", x: labels, y: counts, marker: { color: colour("--accent") }, hovertemplate: "%{x}: %{y}<extra></extra>" };
  await draw(node, sentence, [trace], { bargap: 0.12, xaxis: { type: "category", tickangle: 0, automargin: true, title: { text: name, standoff: 4, font: { size: 12 } } }, margin: { l: 8, r: 46, t: 12, b: 56 } });
}
