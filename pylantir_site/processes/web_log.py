"""What gunicorn logs is written in the lines that all else is written in."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from pylantir_site.environment import env, log_lines


class WebLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        formatter = log_lines.FORMATTERS[env.choice("LOG_FORMAT", "text", log_lines.FORMATS)]()
        for handler in self.error_log.handlers:
            if getattr(handler, "_gunicorn", False):  # its own
                handler.setFormatter(formatter)
