"""These tables say which server is asked for what, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.peers import (
    BEFORE,
    BEFORE_ON_ALL_CORES,
    OURS,
    OURS_ON_ALL_CORES,
    PEER,
    PEER_ALONE,
    PEER_AS_INSTALLED,
    PYTHON_ECHO,
)
from benchmarks.scenarios import (
    BROAD,
    CANCEL,
    CROWD,
    DOE,
    ECHO,
    ENDURANCE,
    FINDSCU,
    GREAT_CROWD,
    IDLE,
    KEPT_OPEN,
    MANY_IDLE,
    PATIENT_ID,
    SITE,
    TYPICAL,
)

Asked = Mapping[str, tuple[str, ...]]  # scenarios by server

# A server that reads every file takes seconds for each query from here on.
MANY = 10_000

FEWEST: Asked = {
    OURS: (ECHO, TYPICAL, KEPT_OPEN, PATIENT_ID, DOE, BROAD, FINDSCU, CANCEL, IDLE, MANY_IDLE, ENDURANCE),
    OURS_ON_ALL_CORES: (CROWD, GREAT_CROWD),
    BEFORE: (ECHO, TYPICAL, KEPT_OPEN, BROAD, FINDSCU, CANCEL, CROWD, IDLE),
    BEFORE_ON_ALL_CORES: (CROWD, GREAT_CROWD),
    PEER: (ECHO, TYPICAL, KEPT_OPEN, PATIENT_ID, DOE, BROAD, FINDSCU, CANCEL, CROWD, GREAT_CROWD, IDLE),
    PEER_AS_INSTALLED: (FINDSCU,),
    PEER_ALONE: (ECHO,),
    PYTHON_ECHO: (ECHO,),
}
MORE: Asked = {
    OURS: (TYPICAL, KEPT_OPEN, PATIENT_ID, DOE),
    BEFORE: (TYPICAL, KEPT_OPEN),
    PEER: (TYPICAL,),
}
FEWEST_ON_POSTGRESQL: Asked = {
    OURS: (ECHO, TYPICAL, KEPT_OPEN, BROAD),
    OURS_ON_ALL_CORES: (CROWD,),
    BEFORE: (ECHO, TYPICAL, KEPT_OPEN, BROAD),
    BEFORE_ON_ALL_CORES: (CROWD,),
}
MORE_ON_POSTGRESQL: Asked = {OURS: (TYPICAL, KEPT_OPEN), BEFORE: (TYPICAL, KEPT_OPEN)}
MOST_ON_POSTGRESQL: Asked = {OURS_ON_ALL_CORES: (SITE,)}


class Wish(NamedTuple):
    """A person wants to know of these scenarios and of these servers beside ours."""

    scenarios: frozenset[str]
    with_before: bool
    with_dcmtk: bool

    def wants(self, server: str, scenario: str) -> bool:
        return (
            scenario in self.scenarios
            and (self.with_before or server not in {BEFORE, BEFORE_ON_ALL_CORES})
            and (self.with_dcmtk or (server not in {PEER, PEER_AS_INSTALLED, PEER_ALONE}))
        )


def asked(wish: Wish, n: int, sizes: list[int], *, on_postgresql: bool) -> dict[str, frozenset[str]]:
    """Return the scenarios of each server among n items, where sizes are all the numbers of items."""
    tables = [_table(is_fewest=n == min(sizes), on_postgresql=on_postgresql)]
    if on_postgresql and n == max(sizes):
        tables.append(MOST_ON_POSTGRESQL)
    found = {
        server: frozenset(
            each for table in tables for each in table.get(server, ()) if wish.wants(server, each)
        )
        for server in (*FEWEST,)
    }
    return {server: chosen for server, chosen in found.items() if chosen}


def _table(*, is_fewest: bool, on_postgresql: bool) -> Asked:
    if on_postgresql:
        return FEWEST_ON_POSTGRESQL if is_fewest else MORE_ON_POSTGRESQL
    return FEWEST if is_fewest else MORE
