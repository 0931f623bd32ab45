"""What must not reach a log."""

from __future__ import annotations

import logging
import re

_SECRET = re.compile(r"(/sources/[^/]+/trigger/)[^/?]+")


class WithoutTriggerSecrets(logging.Filter):
    """Takes the secret out of the path of a Data Entry Trigger, which Django logs when it refuses one."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _SECRET.sub(r"\1…", arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True
