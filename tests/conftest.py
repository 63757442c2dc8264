"""What holds for every test."""

import structlog

# Tests make things fall on purpose; the default renderer of tracebacks shows every local in colour, for seconds.
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
