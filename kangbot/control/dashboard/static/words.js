// Everything the page says, in English and Indonesian. What the daemon itself says (reasons, errors) stays in its own words.

const WORDS = {
  en: {
    "skip": "Skip to the content", "cancel": "Cancel", "theme": "Light or dark",
    "login.label": "Access token", "login.hint": "It is in the state folder: control.token to act, read.token to look.",
    "login.enter": "Enter", "login.wrong": "That token is not the daemon's.", "login.locked": "Too many wrong tokens: wait a minute.",
    "login.over": "You were signed out: the session is over. It ends after 12 hours, when the daemon starts with another token, or when somebody signs out.",
    "nav.markets": "Markets", "nav.orders": "Orders", "nav.errors": "Errors", "nav.system": "System",
    "link.live": "live", "link.connecting": "connecting", "link.lost": "connection lost, trying again", "link.stale": "connection lost, trying again: what stands here is from {at}", "link.read": "read only",
    "kill.button": "Kill switch", "kill.title": "Stop every entry?",
    "kill.text": "No new position is opened from the next moment on, and entry orders that rest are cancelled. Stops and exits stay. It stays set over restarts until it is released.",
    "kill.flatten": "Close every open position as well", "kill.yes": "Set the kill switch", "kill.set": "The kill switch is set",
    "kill.release": "Release", "release.title": "Release the kill switch?", "release.text": "Markets may enter again.",
    "startall": "Start all", "stopall": "Stop all", "stopall.title": "Stop every market?",
    "stopall.text": "Entries are cancelled and strategies stop. Positions keep their stops at the exchange.",
    "start": "Start", "stop": "Stop", "pause": "Pause", "resume": "Resume", "retry": "Try again now", "reset": "Reset breaker",
    "done": "Done", "refused": "The daemon says",
    "health": "Health", "health.healthy": "All is well", "health.warning": "Needs attention", "health.critical": "Act now", "score": "Score {score} of 100", "reasons": "Why", "more": "and {n} more",
    "check.unprotected": "Without a stop", "check.left_behind": "Left behind", "check.unknown_orders": "Unknown orders", "check.kill_switch": "Kill switch", "check.loss_limits": "Limits of loss", "check.venue": "The exchange", "check.markets": "Markets", "check.feeds": "Prices",
    "check.breakers": "Breakers", "check.entries": "Entries", "check.errors": "Errors", "check.decision": "Decisions", "check.rest": "Requests to the exchange", "check.vitals": "The daemon itself", "check.journal": "Journal",
    "check.loop_lag": "Loop lag", "check.memory": "Memory", "check.disk": "Disk", "check.database": "Database", "check.backlog": "Database backlog", "check.clock": "Clock",
    "notready": "Not ready", "localfault": "Most markets fail together since {since}: it is this machine, its network or the exchange.",
    "config.wrong": "The configuration file is wrong. Nothing of it was taken on; the last accepted version runs.", "config.restart": "The configuration file says what only a restart takes on: {what}",
    "equity": "Equity", "equity.moved": "Equity; moved in meanwhile: {into}, moved out: {out}", "equity.note": "as of {at}; the line: since this page opened", "equity.note.moved": "; moved in meanwhile: {into}, moved out: {out}", "equity.before": "as of the last run: the exchange has not told it yet", "profit": "Realised after fees", "profit.note": "ever; the fees were {fees}", "profit.funding": "; funding {funding} besides", "open": "Open profit",
    "live": "Markets live", "live.note": "{n} not live", "orders": "Orders", "orders.note": "since the start; {filled} filled, {rejected} rejected",
    "unknown": "Unknown orders", "unknown.note": "sent, and not accounted for yet", "unprotected": "Without a stop", "unprotected.note": "positions",
    "lag": "Loop lag", "lag.note": "p99 of the last half minute", "memory": "Memory", "memory.note": "{peak} MB at its peak", "backlog": "Database backlog", "backlog.note": "{kind}, events waiting",
    "board": "Markets", "market": "Market", "state": "State", "price": "Price", "position": "Position", "openprofit": "Open", "openprofit.hint": "profit of what is open, at the middle of the last quote", "realised": "Profit", "realised.hint": "of all that was ever closed, after fees, without funding",
    "stopprice": "Stop", "signal": "Last signal", "age": "Feed age", "age.hint": "since the last quote", "breakers": "Breakers", "falls": "Restarts", "falls.hint": "of the market, since the daemon started", "breakers.hint": "D data, E entry, X exit", "errorcount": "Errors", "errorcount.hint": "within the last 15 minutes",
    "trend": "Trend", "action": "Action", "errorsof": "Errors of {market} within the last 15 minutes: {n}", "figure": "Figure", "measured": "What is measured", "noerrors": "No error since the daemon started.",
    "none": "Nothing here yet.", "nomarkets": "No market is configured.", "nomarket": "No market of this name runs here.", "back": "All markets", "chart.none": "No closed candle is stored yet.",
    "profitcurve": "Profit of closed trades, after fees", "profitcurve.newest": "Profit of the newest {n} closed trades, after fees", "latencies": "From the price to the decision", "latency.none": "No decision was measured yet.", "latency.axis": "from the bar before up to so many ms", "latency.above": "more",
    "say.candles": "{n} candles from {from} to {to}: lowest {low}, highest {high}, last {last}; {fills} fills.",
    "say.curve": "{name}: {n} points from {from} to {to}: first {first}, last {last}, lowest {low}, highest {high}.",
    "say.latency": "{n} decisions since the start: half took less than {half}, 99 of 100 less than {most}; the longest took {longest}.",
    "chart.buy": "Entry long", "chart.sell": "Entry short", "chart.exit": "Exit", "candles": "Candles", "details": "Details", "events": "Events", "time": "Time", "kind": "Kind", "severity": "Severity", "message": "What happened", "times": "{n} times", "side": "Side",
    "quantity": "Quantity", "status": "Status", "fee": "Fee", "purpose": "Purpose", "reason": "Reason", "strategy": "Strategy", "entry": "Entry", "fees": "Fees", "funding": "Funding",
    "decisions": "Decisions", "bars": "Bars", "blocked": "Held back", "noentries": "no entries", "slow": "slow, {ms} ms", "slow.hint": "its strategy took {ms} ms for a bar: it is asked in a thread of its own, and no other market waits for it", "paused.until": "until {until}, or Resume: {why}", "since": "Since", "desired": "Wanted",
    "fills": "Fills", "trips": "Closed trades", "errors": "Errors by kind", "recent": "15 minutes", "total": "Since the start", "last": "The last one",
    "system": "System", "process": "Process", "database": "Database", "journal": "Journal", "latency": "Latency", "away": "away: {why}", "connected": "connected",
    "f2d": "Frame to decision, since the start", "f2o": "Frame to order, since the start", "lag.recent": "Loop lag, last half minute", "cpu": "Share of a core", "cpu.note": "{recent} in the last minute, {whole} since the start", "handles": "Open handles", "loop": "Event loop", "uptime": "Running for", "reconnects": "Reconnects since the start",
    "clock": "Clock against the exchange", "checks": "Checks",
    "foot": "kangbot {version}, process {pid}; times are of {zone}",
  },
  id: {
    "skip": "Langsung ke isi", "cancel": "Batal", "theme": "Terang atau gelap",
    "login.label": "Token akses", "login.hint": "Ada di folder state: control.token untuk bertindak, read.token untuk melihat.",
    "login.enter": "Masuk", "login.wrong": "Token itu bukan milik daemon ini.", "login.locked": "Terlalu banyak token salah: tunggu satu menit.",
    "login.over": "Anda dikeluarkan: sesinya berakhir. Sesi berakhir setelah 12 jam, bila daemon mulai dengan token lain, atau bila seseorang keluar.",
    "nav.markets": "Pasar", "nav.orders": "Order", "nav.errors": "Kesalahan", "nav.system": "Sistem",
    "link.live": "langsung", "link.connecting": "menghubungkan", "link.lost": "koneksi putus, mencoba lagi", "link.stale": "koneksi putus, mencoba lagi: yang tertera di sini dari {at}", "link.read": "hanya lihat",
    "kill.button": "Sakelar darurat", "kill.title": "Hentikan semua entri?",
    "kill.text": "Mulai saat ini tidak ada posisi baru, dan order entri yang menunggu dibatalkan. Stop dan exit tetap berjalan. Berlaku terus, juga setelah restart, sampai dilepas.",
    "kill.flatten": "Tutup juga semua posisi terbuka", "kill.yes": "Aktifkan sakelar darurat", "kill.set": "Sakelar darurat aktif",
    "kill.release": "Lepaskan", "release.title": "Lepaskan sakelar darurat?", "release.text": "Pasar boleh masuk lagi.",
    "startall": "Mulai semua", "stopall": "Hentikan semua", "stopall.title": "Hentikan semua pasar?",
    "stopall.text": "Entri dibatalkan dan strategi berhenti. Posisi tetap memiliki stop di bursa.",
    "start": "Mulai", "stop": "Hentikan", "pause": "Jeda", "resume": "Lanjutkan", "retry": "Coba lagi sekarang", "reset": "Reset pemutus",
    "done": "Selesai", "refused": "Kata daemon",
    "health": "Kesehatan", "health.healthy": "Semua baik", "health.warning": "Perlu dilihat", "health.critical": "Bertindak sekarang", "score": "Skor {score} dari 100", "reasons": "Sebabnya", "more": "dan {n} lagi",
    "check.unprotected": "Tanpa stop", "check.left_behind": "Tertinggal", "check.unknown_orders": "Order yang belum jelas", "check.kill_switch": "Sakelar darurat", "check.loss_limits": "Batas kerugian", "check.venue": "Bursa", "check.markets": "Pasar", "check.feeds": "Harga",
    "check.breakers": "Pemutus", "check.entries": "Entri", "check.errors": "Kesalahan", "check.decision": "Keputusan", "check.rest": "Permintaan ke bursa", "check.vitals": "Daemon sendiri", "check.journal": "Jurnal",
    "check.loop_lag": "Jeda loop", "check.memory": "Memori", "check.disk": "Disk", "check.database": "Basis data", "check.backlog": "Menuju basis data", "check.clock": "Jam",
    "notready": "Belum siap", "localfault": "Sebagian besar pasar gagal bersamaan sejak {since}: penyebabnya mesin ini, jaringannya, atau bursa.",
    "config.wrong": "Berkas konfigurasi salah. Tidak ada isinya yang diterapkan; versi terakhir yang diterima tetap berjalan.", "config.restart": "Berkas konfigurasi berisi hal yang hanya berlaku setelah restart: {what}",
    "equity": "Ekuitas", "equity.moved": "Ekuitas; sementara itu dana masuk: {into}, dana keluar: {out}", "equity.note": "per {at}; garis: sejak halaman dibuka", "equity.note.moved": "; sementara itu dana masuk: {into}, dana keluar: {out}", "equity.before": "dari proses sebelumnya: bursa belum menyebutkannya", "profit": "Terealisasi setelah biaya", "profit.note": "sejak awal; biayanya {fees}", "profit.funding": "; funding {funding} terpisah", "open": "Laba berjalan",
    "live": "Pasar aktif", "live.note": "{n} tidak aktif", "orders": "Order", "orders.note": "sejak mulai; {filled} terisi, {rejected} ditolak",
    "unknown": "Belum jelas", "unknown.note": "order yang nasibnya belum diketahui", "unprotected": "Tanpa stop", "unprotected.note": "posisi",
    "lag": "Jeda loop", "lag.note": "p99 setengah menit terakhir", "memory": "Memori", "memory.note": "puncaknya {peak} MB", "backlog": "Menuju basis data", "backlog.note": "{kind}, peristiwa menunggu",
    "board": "Pasar", "market": "Pasar", "state": "Keadaan", "price": "Harga", "position": "Posisi", "openprofit": "Berjalan", "openprofit.hint": "laba posisi terbuka, pada harga tengah kuotasi terakhir", "realised": "Laba", "realised.hint": "dari semua yang pernah ditutup, setelah biaya, tanpa funding",
    "stopprice": "Stop", "signal": "Sinyal terakhir", "age": "Umur data", "age.hint": "sejak kuotasi terakhir", "breakers": "Pemutus", "falls": "Restart", "falls.hint": "pasar itu, sejak daemon mulai", "breakers.hint": "D data, E entri, X exit", "errorcount": "Kesalahan", "errorcount.hint": "dalam 15 menit terakhir",
    "trend": "Tren", "action": "Tindakan", "errorsof": "Kesalahan {market} dalam 15 menit terakhir: {n}", "figure": "Angka", "measured": "Yang diukur", "noerrors": "Tidak ada kesalahan sejak daemon mulai.",
    "none": "Belum ada apa-apa.", "nomarkets": "Tidak ada pasar yang diatur.", "nomarket": "Tidak ada pasar dengan nama ini di sini.", "back": "Semua pasar", "chart.none": "Belum ada candle tersimpan.",
    "profitcurve": "Laba transaksi selesai, setelah biaya", "profitcurve.newest": "Laba {n} transaksi selesai terbaru, setelah biaya", "latencies": "Dari harga ke keputusan", "latency.none": "Belum ada keputusan yang diukur.", "latency.axis": "dari batang sebelumnya sampai sekian ms", "latency.above": "lebih",
    "say.candles": "{n} candle dari {from} sampai {to}: terendah {low}, tertinggi {high}, terakhir {last}; {fills} eksekusi.",
    "say.curve": "{name}: {n} titik dari {from} sampai {to}: pertama {first}, terakhir {last}, terendah {low}, tertinggi {high}.",
    "say.latency": "{n} keputusan sejak mulai: separuhnya kurang dari {half}, 99 dari 100 kurang dari {most}; yang terlama {longest}.",
    "chart.buy": "Masuk long", "chart.sell": "Masuk short", "chart.exit": "Keluar", "candles": "Candle", "details": "Rincian", "events": "Peristiwa", "time": "Waktu", "kind": "Jenis", "severity": "Tingkat", "message": "Apa yang terjadi", "times": "{n} kali", "side": "Sisi",
    "quantity": "Jumlah", "status": "Status", "fee": "Biaya", "purpose": "Tujuan", "reason": "Alasan", "strategy": "Strategi", "entry": "Masuk", "fees": "Biaya", "funding": "Funding",
    "decisions": "Keputusan", "bars": "Bar", "blocked": "Ditahan", "noentries": "tanpa entri", "slow": "lambat, {ms} ms", "slow.hint": "strateginya memakan waktu {ms} ms untuk satu bar: ia ditanya di thread-nya sendiri, dan pasar lain tidak menunggunya", "paused.until": "sampai {until}, atau Lanjutkan: {why}", "since": "Sejak", "desired": "Diinginkan",
    "fills": "Eksekusi", "trips": "Transaksi selesai", "errors": "Kesalahan menurut jenis", "recent": "15 menit", "total": "Sejak mulai", "last": "Yang terakhir",
    "system": "Sistem", "process": "Proses", "database": "Basis data", "journal": "Jurnal", "latency": "Latensi", "away": "tidak ada: {why}", "connected": "terhubung",
    "f2d": "Data ke keputusan, sejak mulai", "f2o": "Data ke order, sejak mulai", "lag.recent": "Jeda loop, setengah menit terakhir", "cpu": "Bagian satu inti", "cpu.note": "{recent} dalam semenit terakhir, {whole} sejak mulai", "handles": "Handle terbuka", "loop": "Event loop", "uptime": "Berjalan selama", "reconnects": "Sambung ulang sejak mulai",
    "clock": "Jam terhadap bursa", "checks": "Pemeriksaan",
    "foot": "kangbot {version}, proses {pid}; waktu menurut {zone}",
  },
};

let language = localStorage.getItem("language") || (navigator.language.startsWith("id") ? "id" : "en");

/** The word in the reader's language, with {names} filled in. */
export function word(key, values = {}) {
  const text = WORDS[language][key] ?? WORDS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** What is to be said of a figure besides its name; null where the name says it. */
export const hint = (key) => WORDS[language][`${key}.hint`] ?? null;

export const languageNow = () => language;

/** Change the language of what stands on the page and of what comes. */
export function setLanguage(next) {
  language = next;
  localStorage.setItem("language", next);
  speak();
}

/** Fill in every element that names its word. */
export function speak(root = document) {
  document.documentElement.lang = language;
  for (const node of root.querySelectorAll("[data-word]")) node.textContent = word(node.dataset.word);
  for (const node of root.querySelectorAll("[data-word-title]")) node.title = word(node.dataset.wordTitle);
  for (const node of root.querySelectorAll("[data-word-label]")) node.setAttribute("aria-label", word(node.dataset.wordLabel));
}
