// Candles with what was traded in them. Plotly is large, so it is fetched when the first chart is looked at, and cached.

import { moment } from "./format.js";

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

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** What a fill did: `buy` or `sell` opened, added or turned the position round; `exit` only brought it nearer to flat. */
function deed(fill) {
  const signed = (fill.side === "buy" ? 1 : -1) * Number(fill.quantity);
  const after = Number(fill.net_after), before = after - signed;
  return before * signed < 0 && after * before >= 0 ? "exit" : fill.side;
}

function marks(fills, wanted, name, symbol, tint) {
  const mine = fills.filter((fill) => deed(fill) === wanted);
  return {
    type: "scatter", mode: "markers", name, x: mine.map((fill) => moment(fill.filled_at)), y: mine.map((fill) => Number(fill.price)),
    text: mine.map((fill) => `${fill.side} ${fill.quantity}`), hovertemplate: "%{text} @ %{y}<extra></extra>",
    marker: { symbol, size: 11, color: tint, line: { width: 1.5, color: colour("--card") } },
  };
}

/** Draw closed `bars` with `fills` and the `stop` into `node`. */
export async function candles(node, { bars, fills, stop, words }) {
  const Plotly = await plotly();
  const ink = colour("--soft"), line = colour("--line"), good = colour("--good"), bad = colour("--bad");
  const from = moment(bars[0].opened_at);
  const seen = fills.filter((fill) => moment(fill.filled_at) >= from); // older ones would squeeze the candles
  const traces = [
    {
      type: "candlestick", name: words.price, x: bars.map((bar) => moment(bar.opened_at)), open: bars.map((bar) => Number(bar.open)), high: bars.map((bar) => Number(bar.high)),
      low: bars.map((bar) => Number(bar.low)), close: bars.map((bar) => Number(bar.close)), increasing: { line: { color: good, width: 1 } }, decreasing: { line: { color: bad, width: 1 } },
    },
    marks(seen, "buy", words.buy, "triangle-up", good),
    marks(seen, "sell", words.sell, "triangle-down", bad),
    marks(seen, "exit", words.exit, "x", colour("--warn")),
  ];
  const level = stop === null || stop === undefined ? [] : [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: Number(stop), y1: Number(stop), line: { color: bad, width: 1.5, dash: "dash" } }];
  const layout = {
    margin: { l: 8, r: 62, t: 8, b: 42 }, paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: ink, size: 12 }, showlegend: true, legend: { orientation: "h", y: 1.08 },
    xaxis: { gridcolor: line, rangeslider: { visible: false } }, yaxis: { gridcolor: line, side: "right" }, shapes: level, dragmode: "pan", hovermode: "x unified",
    hoverlabel: { bgcolor: colour("--card"), font: { color: colour("--ink") } },
  };
  await Plotly.react(node, traces, layout, { displayModeBar: false, responsive: true, scrollZoom: true });
}

/** Draw one line over time into `node`; `points` are [moment, value]. */
export async function curve(node, points) {
  const Plotly = await plotly();
  const line = colour("--line");
  const trace = { type: "scatter", mode: "lines", x: points.map(([at]) => moment(at)), y: points.map(([, value]) => Number(value)), line: { color: colour("--accent"), width: 2 } };
  const layout = {
    margin: { l: 8, r: 70, t: 8, b: 42 }, paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: colour("--soft"), size: 12 },
    xaxis: { gridcolor: line }, yaxis: { gridcolor: line, side: "right" }, hoverlabel: { bgcolor: colour("--card"), font: { color: colour("--ink") } },
  };
  await Plotly.react(node, [trace], layout, { displayModeBar: false, responsive: true });
}
