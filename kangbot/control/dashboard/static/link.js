// The live connection: a snapshot, then what changes. When it breaks it is tried again, slower each time, for ever.

const FIRST_MS = 500;
const LONGEST_MS = 15000;
const SILENT_MS = 10000; // the daemon says something twice a second. A browser may never learn that its socket leads nowhere: the computer slept, a tunnel died
const LOOK_MS = 2000;

// One of them may stand still while the computer sleeps, and the other can be set back.
const clocks = () => [Date.now(), performance.now()];
const since = (then) => Math.max(...clocks().map((now, which) => now - then[which]));

/** Merge what changed into `report`, in place. */
function merge(report, delta) {
  const { markets = [], gone = [], ...rest } = delta;
  Object.assign(report, rest);
  const index = new Map(report.markets.map((market, at) => [market.market, at]));
  for (const change of markets) {
    const at = index.get(change.market);
    if (at === undefined) report.markets.push(change);
    else Object.assign(report.markets[at], change);
  }
  if (gone.length) report.markets = report.markets.filter((market) => !gone.includes(market.market));
  return report;
}

/** Listen to `/stream`; the report it tells of has the health as its field `health`. `on.report(report, access)`, `on.status("live" | "connecting" | "lost")`, `on.denied()`. */
export function listen(on) {
  let wait = FIRST_MS;
  let report = null;
  let access = "read";

  function dial() {
    on.status(report ? "lost" : "connecting");
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/stream`);
    let opened = false, over = false, heard = clocks();
    const look = () => { if (since(heard) > SILENT_MS) end(); };
    const watch = setInterval(look, LOOK_MS);
    document.addEventListener("visibilitychange", look); // whoever comes back to a page that slept is not shown what was
    async function end() {
      if (over) return; // a socket that was given up closes later
      over = true;
      clearInterval(watch);
      document.removeEventListener("visibilitychange", look);
      socket.close();
      if (!opened && (await on.denied())) return; // the session is over: the page asks for the token again
      on.status("lost");
      setTimeout(dial, wait * (0.5 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_MS);
    }
    socket.onmessage = ({ data }) => {
      if (over) return;
      heard = clocks();
      const said = JSON.parse(data);
      if (said.type === "snapshot") {
        report = { ...said.report, health: said.health };
        access = said.access ?? access;
        opened = true;
        wait = FIRST_MS;
        on.status("live");
      } else if (said.type === "delta" && report) {
        merge(report, said.report);
        if (said.health) report.health = said.health;
      } else {
        return;
      }
      on.report(report, access);
    };
    socket.onclose = end;
  }
  dial();
}
