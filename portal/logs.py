"""Structured logs: one event a line, with the request id and the person, as JSON or as text."""

from __future__ import annotations

from typing import Any

import structlog

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.ExtraAdder(),
]


def configuration(*, form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING for `form` "json" or "text"; also sets up structlog's own loggers."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    if form == "json":
        last: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        last = [structlog.dev.ConsoleRenderer(colors=False)]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
            }
        },
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["out"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["out"], "level": level, "propagate": False},
            "uvicorn.access": {"level": "WARNING"},
            "fontTools": {"level": "ERROR"},
            "weasyprint": {"level": "ERROR"},
            "rq": {"level": "WARNING"},
            "rq.worker": {"level": "WARNING"},
            "rq.cron": {"level": "WARNING"},
            "bagit": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
        },
    }
