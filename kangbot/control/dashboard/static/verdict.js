// How well the whole is, and why not: the daemon's own checks, and beside each what the report knows more exactly.
import { measure, short, when } from "./format.js";
import { word } from "./words.js";

const RANK = ["healthy", "warning", "critical"];
const MOST = 3; // examples beside a reason

/** Which markets, streams or breakers a check speaks of. */
const EXAMPLES = {
  unprotected: (report) => report.markets.filter((one) => one.unprotected).map((one) => `${short(one.symbol)} (${one.unprotected})`),
  unknown_orders: (report) => report.markets.filter((one) => one.orders.unknown).map((one) => short(one.symbol)),
  markets: (report) => report.markets.filter((one) => one.state === "failed").map((one) => `${short(one.symbol)} (${one.reason})`),
  feeds: (report) => report.streams.filter((one) => one.down).map((one) => `${one.name} (${one.down})`),
  entries: (report) => report.markets.filter((one) => (one.paused && one.desired === "running") || one.quarantine).map((one) => short(one.symbol)),
  breakers: (report) => report.breakers.filter((one) => one.state !== "closed" && report.markets.some((market) => market.market === one.market && market.desired === "running")).map((one) => `${short(one.market)} ${one.lane} (${one.cause || one.state})`),
};

function sentence(check, report) {
  const figure = check.figure === null || check.name === "kill_switch" ? "" : ` (${measure(check.figure, check.unit)})`;
  const all = EXAMPLES[check.name]?.(report) ?? [];
  const more = all.length > MOST ? word("more", { n: all.length - MOST }) : "";
  const examples = [all.slice(0, MOST).join(", "), more].filter(Boolean).join(" ");
  return `${word(`check.${check.name}`)}${figure}: ${check.says}${examples ? `: ${examples}` : ""}`;
}

/** The status of the worst, the score, and a reason [status, sentence] for each check that is not well, the worst first. */
export function verdict(report) {
  const { health } = report;
  const reasons = health.checks.map((check) => [check.status, sentence(check, report)]);
  if (!report.recovered && !report.waiting) reasons.push(["warning", `${word("notready")}: ${health.ready}`]); // a check says what is waited for
  if (report.local_fault_ns) reasons.push(["warning", word("localfault", { since: when(report.local_fault_ns) })]);
  if (report.lost) reasons.push(["warning", word("link.stale", { at: when(report.at_ns) })]); // what stands here is of the time before
  if (report.config.problem) reasons.push(["warning", word("config.wrong")]);
  const status = reasons.reduce((worst, [one]) => (RANK.indexOf(one) > RANK.indexOf(worst) ? one : worst), health.status);
  return { status, score: health.score, reasons: reasons.sort(([a], [b]) => RANK.indexOf(b) - RANK.indexOf(a)) };
}
