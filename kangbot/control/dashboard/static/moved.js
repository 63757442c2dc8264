// Money that was moved into the account or out of it: a step of its equity that is neither won nor lost.
import { ask } from "./calls.js";
import { money } from "./format.js";

const MOST = 200; // rows to look through for what was moved since the page opened
const AGAIN_MS = 5000;

/** The sums of these rows of `/transfers`, in words; null where there are none. */
export function sums(rows) {
  const amounts = rows.map((row) => Number(row.amount));
  const total = (sign) => money(amounts.filter((amount) => amount * sign > 0).reduce((sum, amount) => sum + Math.abs(amount), 0));
  return amounts.length ? { into: total(1), out: total(-1) } : null;
}

/**
 * What was moved since the page opened. The history is asked when the daemon has told of more, and again until it has
 * all that the daemon wrote.
 */
export class Meanwhile {
  #since = 0; // by the daemon's clock, in ms
  #told = 0; // so many transfers the daemon had written when it was asked last
  #next = 0;
  #sums = null;

  get sums() { return this.#sums; }

  /** Take in a report. */
  async observe(report) {
    const told = report.events.find((event) => event.kind === "transferred")?.total ?? 0;
    if (!this.#since) [this.#since, this.#told] = [report.at_ns / 1e6, told];
    if (told === this.#told || report.history_away || performance.now() < this.#next) return;
    this.#next = performance.now() + AGAIN_MS;
    const [currency] = Object.keys(report.equity), whole = !report.history_backlog && !report.journal_waiting;
    try {
      const { items } = await ask(`/transfers?limit=${MOST}`);
      this.#sums = sums(items.filter((row) => row.currency === currency && Date.parse(row.moved_at) >= this.#since));
      if (whole) this.#told = told;
    } catch {
      // The next report asks again.
    }
  }
}
