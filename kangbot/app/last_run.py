"""What a whole run came to, once it has ended in order: told in the log, and kept for whoever asks later."""

from pathlib import Path

import structlog

from kangbot.health.report import LAST_RUN, Report
from kangbot.model.plain_json import plain_json
from kangbot.settings.versions import write_whole

log = structlog.get_logger(__name__)


def keep(report: Report, state_dir: Path) -> None:
    """Write the last report of a run into the folder, and log what it came to. A disk that refuses it is told of."""
    try:
        write_whole(state_dir / LAST_RUN, plain_json(report))
    except OSError as error:
        log.warning("daemon.no_last_run", file=LAST_RUN, error=error.strerror)
    log.info(
        "daemon.summary",
        frames=report.frames,
        bars=report.bars,
        decisions=report.decisions,
        orders=report.orders.sent,
        filled=report.orders.filled,
        reconnects=report.reconnects,
        rss_peak_mb=report.rss_peak_mb,
        history_backlog=report.history_backlog,
    )
