"""One module for each tool; its name is the script's: `python -m tests.interoperability NAME`."""

from __future__ import annotations
