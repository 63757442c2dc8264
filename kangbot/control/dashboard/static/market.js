// One market: its candles with entries, exits and stop, what it holds, and what happened to it.
import { ask, segment } from "./calls.js";
import { blank, candles, columns, picture, within } from "./charts.js";
import { act } from "./confirm.js";
import { candlesInWords, latencyInWords } from "./described.js";
import { h, say } from "./dom.js";
import { age, count, money, plain, short, when } from "./format.js";
import { eventTable, fillTable, orderTable } from "./lists.js";
import { lanes, showState } from "./overview.js";
import { hint, word } from "./words.js";

const REFRESH_MS = 10000;

function details(market, breakers) {
  const rows = [
    ["strategy", `${market.strategy} ${market.timeframe}${market.aside ? `; ${word("slow.hint", { ms: count(Math.round(market.longest_call_ms)) })}` : ""}`], ["position", Number(market.net) ? plain(market.net) : "–"], ["entry", plain(market.entry)],
    ["stopprice", market.unprotected ? `NO STOP: ${market.unprotected}` : plain(market.stop)], ["openprofit", money(market.unrealised, true)], ["realised", money(market.profit, true)],
    ["fees", money(market.fees)], ["funding", money(market.funding, true)], ["signal", market.signal || "–"], ["blocked", market.blocked || "–"],
    ["noentries", market.paused ? word("paused.until", { until: when(market.paused_until_ns), why: market.paused }) : "–"], ["age", age(market.feed_age_s)],
    ["decisions", count(market.decisions)], ["orders", `${count(market.orders.sent)} ${word("orders.note", { filled: count(market.orders.filled), rejected: count(market.orders.rejected) })}`], ["falls", count(market.falls)],
    ["state", `${market.state}${market.reason ? `: ${market.reason}` : ""}`], ["desired", market.desired], ["since", when(market.since_ns)],
  ];
  const list = h("dl", {}, ...rows.flatMap(([key, value]) => [h("dt", { text: word(key), title: hint(key) }), h("dd", { text: value })]));
  list.append(h("dt", { text: word("breakers") }), h("dd", {}, lanes(market.market, breakers)));
  return list;
}

/** Draw how long decisions took, from the first bucket that has any to the last. */
async function measured(node, words, latency) {
  const first = latency.counts.findIndex(Boolean), last = latency.counts.findLastIndex(Boolean);
  if (first < 0) return blank(node, word("latency.none"));
  const sentence = latencyInWords(latency);
  const labels = [...latency.bounds_ms.map((bound) => plain(Number(bound.toPrecision(2)))), word("latency.above")];
  say(words, sentence);
  await columns(node, { sentence, labels: labels.slice(first, last + 1), counts: latency.counts.slice(first, last + 1), name: word("latency.axis") });
}

/** The view of one market; it asks the history every ten seconds while it is open. */
export function marketPage(name, access) {
  const title = h("h1"), price = h("span", { class: "price" }), state = h("span", { class: "badge" });
  const chart = picture(word("candles")), latency = picture(word("latencies"), "low"), latencies = h("p", { class: "hint" });
  const side = h("div", { class: "sheet" }), orders = h("div"), fills = h("div"), events = h("div");
  const buttons = h("div", { class: "bar" });
  const path = `/markets/${segment(name)}`;
  if (access === "control") {
    for (const command of ["start", "stop", "pause", "resume"]) buttons.append(h("button", { type: "button", text: word(command), onclick: () => act(`${path}/${command}`) }));
    buttons.append(
      h("button", { type: "button", text: word("retry"), onclick: () => act(`/force-retry/${segment(name)}`) }),
      h("button", { type: "button", text: word("reset"), onclick: () => act(`/reset-circuit-breaker/${segment(name)}`) }),
    );
  }
  const body = h("div", {}, buttons,
    h("h2", { text: word("candles") }), chart,
    h("div", { class: "pair" },
      h("section", {}, h("h2", { text: word("details") }), side),
      h("section", {}, h("h2", { text: word("events") }), events)),
    h("h2", { text: word("latencies") }), latencies, latency,
    h("h2", { text: word("orders") }), orders, h("h2", { text: word("fills") }), fills);
  const nobody = h("div", { class: "sheet empty", text: word("nomarket") });
  let market = null, said = "", timer = 0;

  async function refresh() {
    const query = `?market=${segment(name)}&limit=200`;
    try {
      const [bars, done, sent, noted] = await Promise.all([ask(`${path}/bars?limit=240`), ask(`/fills${query}`), ask(`/orders${query}`), ask(`/events${query}`)]);
      orders.replaceChildren(orderTable(sent.items.slice(0, 30)));
      fills.replaceChildren(fillTable(done.items.slice(0, 30)));
      events.replaceChildren(eventTable(noted.items.slice(0, 50)));
      if (!bars.items.length) blank(chart, word("chart.none"));
      else {
        bars.items.reverse();
        await candles(chart, { sentence: candlesInWords(bars.items, within(bars.items, done.items)), bars: bars.items, fills: done.items, stop: market?.stop, words: { price: word("price"), stop: word("stopprice"), buy: word("chart.buy"), sell: word("chart.sell"), exit: word("chart.exit") } });
      }
    } catch (error) {
      blank(chart, error.message);
      for (const list of [events, orders, fills]) if (!list.hasChildNodes()) list.append(h("div", { class: "sheet empty", text: error.message }));
    }
    try {
      await measured(latency, latencies, await ask(`${path}/latency`));
    } catch (error) {
      blank(latency, error.message);
    }
  }

  return {
    node: h("div", {},
      h("p", {}, h("a", { href: "#/", text: `← ${word("back")}` })),
      h("div", { class: "market-head" }, title, state, price), nobody, body),
    update(report) {
      market = report.markets.find((one) => one.market === name) ?? null;
      nobody.hidden = market !== null;
      body.hidden = state.hidden = price.hidden = market === null;
      if (market === null) return say(title, name);
      say(title, short(market.symbol));
      showState(state, market);
      say(price, plain(market.price));
      const breakers = report.breakers ?? [];
      const now = JSON.stringify([market, breakers.filter((one) => one.market === name)]);
      if (now !== said) { said = now; side.replaceChildren(details(market, breakers)); }
      if (!timer) { timer = setInterval(refresh, REFRESH_MS); refresh(); }
    },
    close() { clearInterval(timer); },
  };
}
