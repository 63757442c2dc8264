// The daemon's HTTP interface. Every failure becomes one sentence.

const LONGEST_MS = 15000; // a connection that leads nowhere would be waited for by the quarter of an hour; the daemon waits 5 s for its disk

/** Ask for the token again, and have the page say that a session was over, and not that there was none. */
export function signedOut() {
  sessionStorage.setItem("over", "yes");
  location.reload();
}

/** An answer that is an error; `message` is in the daemon's words. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function call(method, path, body, also = 0) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      signal: AbortSignal.timeout(LONGEST_MS),
    });
  } catch {
    throw new Refusal(0, "no daemon answers");
  }
  if (answer.status === 401 && path !== "/login" && path !== "/session") signedOut();
  const text = await answer.text();
  let said = null;
  try { said = text ? JSON.parse(text) : null; } catch { /* not JSON: the status has to do */ }
  const answered = answer.ok || (answer.status === also && said !== null && said.error === undefined);
  if (!answered) throw new Refusal(answer.status, said?.error ?? `HTTP ${answer.status}`);
  return said;
}

/** Ask. `also` is a status that is an answer too: the health of a daemon that is critical comes with 503. */
export const ask = (path, also) => call("GET", path, undefined, also);
export const tell = (path, body = {}) => call("POST", path, body);

/** A market's id as a path segment. */
export const segment = (market) => encodeURIComponent(market);
