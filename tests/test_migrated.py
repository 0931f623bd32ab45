"""The migrated database that tests copy is made once, and anew where making it was interrupted."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import migrated


@pytest.mark.acceptance("CL237")
def test_a_run_that_was_interrupted_while_it_migrated_keeps_no_other_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache: Any = SimpleNamespace(mkdir=lambda name: tmp_path)

    def interrupted(data: Path) -> None:
        (data / "worklist.db").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(migrated, "_migrate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        migrated.folder(cache)

    made: list[Path] = []
    monkeypatch.setattr(migrated, "_migrate", made.append)
    kept = migrated.folder(cache)
    assert (migrated.folder(cache), len(made), list(kept.iterdir())) == (kept, 1, [])
