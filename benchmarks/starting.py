"""The servers of a run are started, each with what it serves, and ended with the run."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from datetime import date
from pathlib import Path

from benchmarks import peers, postgresql
from benchmarks.peers import (
    ALL_CORES,
    BEFORE,
    BEFORE_ON_ALL_CORES,
    OURS,
    OURS_ON_ALL_CORES,
    PYTHON_ECHO,
    Server,
    Store,
)

FILES_SERVED_BY = frozenset({peers.PEER, peers.PEER_AS_INSTALLED, peers.PEER_ALONE})


def filled(folder: Path, n: int, url: str, today: date, names: Iterable[str], running: ExitStack) -> Store:
    """Make n items in SQLite or, with a URL, in a new database on PostgreSQL; as files, too, for wlmscpfs.

    Raises NotStartedError.
    """
    begun = time.monotonic()
    own = running.enter_context(postgresql.database(url)) if url else ""
    store = Store(n, folder, own)
    peers.fill(store, today=today, with_files=not FILES_SERVED_BY.isdisjoint(names))
    print(
        f"{n:,} items made in {time.monotonic() - begun:.1f} s{' on PostgreSQL' if url else ''}", flush=True
    )
    return store


def started(name: str, store: Store, build: Path | None) -> AbstractContextManager[Server]:
    """Start the server of this name; `build` is the folder of the one before."""
    processes = ALL_CORES if name in {OURS_ON_ALL_CORES, BEFORE_ON_ALL_CORES} else 1
    told = peers.on_postgresql(name) if store.database_url else name
    if name in {OURS, OURS_ON_ALL_CORES}:
        return peers.ours(store, name=told, processes=processes)
    if name in {BEFORE, BEFORE_ON_ALL_CORES} and build is not None:
        # A database of its own, so that what one server writes makes the other no slower.
        copied = store.copied(store.folder / name.replace(" ", "-"))
        return peers.ours(copied, name=told, processes=processes, build=build)
    if name == PYTHON_ECHO:
        return peers.python_echo(store.folder, n=store.n)
    return peers.wlmscpfs(store, name=name)
