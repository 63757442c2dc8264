// Charts in a sentence each, for who does not see them.
import { count, money, ms, plain, when } from "./format.js";
import { word } from "./words.js";

const span = (moments) => ({ n: count(moments.length), from: when(moments[0]), to: when(moments.at(-1)) });

export function candlesInWords(bars, fills) {
  const low = bars.map((bar) => bar.low).reduce((least, one) => (Number(one) < Number(least) ? one : least));
  const high = bars.map((bar) => bar.high).reduce((most, one) => (Number(one) > Number(most) ? one : most));
  return word("say.candles", { ...span(bars.map((bar) => bar.opened_at)), low: plain(low), high: plain(high), last: plain(bars.at(-1).close), fills: count(fills.length) });
}

export function curveInWords(name, points) {
  const values = points.map(([, value]) => value);
  return word("say.curve", { name, ...span(points.map(([at]) => at)), first: money(values[0]), last: money(values.at(-1)), low: money(Math.min(...values)), high: money(Math.max(...values)) });
}

/** The bound that `share` of all counts are below; in ms, and null for the last bucket, which has none. */
function within(latency, share) {
  const wanted = share * latency.counts.reduce((sum, one) => sum + one, 0);
  let seen = 0;
  return latency.bounds_ms[latency.counts.findIndex((one) => (seen += one) >= wanted)] ?? null;
}

export function latencyInWords(latency) {
  const n = latency.counts.reduce((sum, one) => sum + one, 0);
  const bound = (share) => ms(Math.min(within(latency, share) ?? Infinity, latency.longest_ms));
  return word("say.latency", { n: count(n), half: bound(0.5), most: bound(0.99), longest: ms(latency.longest_ms) });
}
