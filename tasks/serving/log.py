"""The log of a server: a JSON object a line on standard error, with nothing of what is asked."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from tasks.engine.config import JsonObject

PLAIN = ("serving", "uvicorn")  # loggers whose messages quote nothing of a request


class JsonLines(logging.Handler):
    """Writes each record as a line of the log.

    A logger that is not in `PLAIN` may quote what a client sent; of it there is only the place in its code.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        line = {"level": record.levelname.lower(), "logger": record.name}
        if record.name.partition(".")[0] in PLAIN:
            line["message"] = record.getMessage()
        else:
            line["place"] = f"{record.module}:{record.lineno}"
        kind = record.exc_info[0] if record.exc_info else None
        write_line(line | ({"error": kind.__name__} if kind else {}))


def write_line(about: JsonObject) -> None:
    """Write a line of the log, with the time before what it is about; threads do not mix their lines."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds")} | about
    sys.stderr.write(json.dumps(line) + "\n")
    sys.stderr.flush()


def log_as_json() -> None:
    """Write all that is logged in this process, and warnings of Python, as lines of the log."""
    logging.captureWarnings(True)
    logging.getLogger().addHandler(JsonLines())
