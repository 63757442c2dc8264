// Numbers and times as a person reads them. Money comes as decimal text and stays text where it is only shown.
import { languageNow } from "./words.js";

const UNIT = "\u00a0"; // between a figure and its unit no line ends

const locale = () => (languageNow() === "id" ? "id-ID" : "en-GB");

/** Return what writes numbers or moments that way. Making one costs as much as writing a hundred: each is made once. */
const made = new Map();
function writer(Kind, options) {
  const key = `${locale()} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new Kind(locale(), options));
  return made.get(key);
}
const figure = (value, options = {}) => writer(Intl.NumberFormat, options).format(Number(value));

const fixed = (value, digits) => figure(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });
const minus = (text) => text.replace(/^-/, "−");

/** Decimal text without an exponent, which a number of the browser has from 0.0000009 down. */
function written(text) {
  const [, sign, whole, part = "", power] = /^(-?)(\d+)(?:\.(\d+))?E([+-]\d+)$/.exec(text) ?? [];
  if (power === undefined) return text;
  const at = whole.length + Number(power), digits = `${"0".repeat(Math.max(0, 1 - at))}${whole}${part}`.padEnd(at, "0");
  const point = Math.max(at, 1);
  return `${sign}${digits.slice(0, point)}${digits.length > point ? `.${digits.slice(point)}` : ""}`;
}

/** A price or quantity with every digit that the daemon wrote, in the signs of the other figures, or a dash. */
export function plain(value) {
  if (value === null || value === undefined || value === "") return "–";
  const [thousands, point] = languageNow() === "id" ? [".", ","] : [",", "."];
  const [whole, ...part] = minus(written(String(value))).split(".");
  return [whole.replace(/\B(?=(\d{3})+$)/g, thousands), ...part].join(point);
}

/** An average of prices: where it does not end, twelve digits of it; no price has more. */
export function average(value) {
  const text = written(String(value ?? ""));
  if (text.replace(/^[-0.]+/, "").replace(".", "").length <= 12) return plain(text);
  return plain(written(Number(text).toPrecision(12).toUpperCase()).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, ""));
}

/** What a fill cost, in its own currency: four digits tell it apart, and the daemon keeps the rest. */
export const cost = (value, currency) => (value === null || value === undefined ? "–" : `${minus(figure(value, { maximumSignificantDigits: 4 }))}${UNIT}${currency ?? ""}`.trim());

/** Money with two decimals and its sign where `signed`. */
export function money(value, signed = false) {
  if (value === null || value === undefined) return "–";
  const number = Number(value);
  const text = fixed(Math.abs(number), 2);
  const zero = Math.abs(number) < 0.005;
  if (zero) return text;
  return (number < 0 ? "−" : signed ? "+" : "") + text;
}

export const count = (value) => (value === null || value === undefined ? "–" : figure(value));
/** The figure of a check with its unit: three digits are enough, and a thousand has all of its own. */
export function measure(value, unit) {
  if (value === null) return "";
  if (unit === "s" && value !== 0 && Math.abs(value) < 0.1) return measure(value * 1000, "ms");
  const digits = Math.abs(value) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 };
  return `${minus(figure(value, digits))}${UNIT}${value === 1 && unit.length > 2 ? unit.replace(/s$/, "") : unit}`.trim();
}

export const ms = (value) => (value === null || value === undefined ? "–" : `${fixed(value, value < 10 ? 2 : 0)}${UNIT}ms`);
export const tone = (value) => (Number(value) > 0.005 ? "up" : Number(value) < -0.005 ? "down" : "");

/** Seconds as a short age. */
export function age(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 10) return `${fixed(seconds, 1)}${UNIT}s`;
  if (seconds < 100) return `${Math.round(seconds)}${UNIT}s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)}${UNIT}min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)}${UNIT}h`;
  return `${Math.round(seconds / 86400)}${UNIT}d`;
}

/** A moment of the report (nanoseconds since the epoch) or of the history (UTC in words) as a Date. */
export function moment(value) {
  if (typeof value === "number") return new Date(value / 1e6);
  const text = String(value).replace(" ", "T");
  return new Date(/[Zz]|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`);
}

/** The same as local time, with the date where it is not today. */
export function when(value) {
  if (!value) return "–";
  const at = moment(value);
  const today = at.toDateString() === new Date().toDateString();
  return writer(Intl.DateTimeFormat, today ? { timeStyle: "medium" } : { dateStyle: "short", timeStyle: "medium" }).format(at);
}

/** `bybit:BTC-USDT:USDT` and `BTC/USDT:USDT` as `BTC/USDT`, `bybit:BTC-USDT` and `BTC/USDT` as `BTC/USDT spot`: both may be traded. */
export function short(symbol) {
  const [pair, settled] = String(symbol).replace(/^[a-z_]+:/, "").split(":");
  return pair.replace(/^([A-Z0-9]+)-/, "$1/") + (settled ? "" : " spot");
}
