"""Django's backend for PostgreSQL shares its connections among threads, and tells a commit in doubt."""

from __future__ import annotations

from threading import Lock
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.db.backends.postgresql import base
from psycopg.errors import ConnectionTimeout

from pylantir_site.database.faults import CommitUnsure, DatabaseFault, fault_of
from pylantir_site.database.patience import ConnectionOfNoPatience, ServerSilent
from pylantir_site.database.shared_connections import SharedConnections

# In OPTIONS, beside libpq's own: see SharedConnections, and for how many seconds a row's lock is waited for.
MOST, LONGEST_WAIT, LOCK_WAIT = "most_connections", "longest_wait", "lock_wait"

SILENCE_BESIDE_A_LOCK = 2.0  # seconds: a lock that is waited for is a silence that the server ends
OURS = frozenset({MOST, LONGEST_WAIT, LOCK_WAIT})

_pools: dict[str, SharedConnections] = {}
_lock = Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's use of the connections that its process shares, by the alias of the database."""

    @property
    def pool(self) -> SharedConnections | None:
        """Return what hands out connections, as Django calls it for a pool of psycopg_pool."""
        with _lock:
            if self.alias not in _pools:
                options = self.settings_dict["OPTIONS"]
                _pools[self.alias] = SharedConnections(
                    _Opening(self), most=options[MOST], longest_wait=options[LONGEST_WAIT]
                )
            return _pools[self.alias]

    def close_pool(self) -> None:
        with _lock:
            pool = _pools.pop(self.alias, None)
        if pool is not None:
            pool.close()

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        return {name: value for name, value in params.items() if name not in OURS}

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]  # the stubs know public names alone
        except (DatabaseError, InterfaceError) as error:
            if fault_of(error) is DatabaseFault.AWAY:
                raise CommitUnsure("the connection was lost during a commit") from error
            raise


class _Opening:
    """Opens a connection as the thread's own backend would, and configures it."""

    def __init__(self, wrapper: DatabaseWrapper) -> None:
        self._parameters = {**wrapper.get_connection_params(), "autocommit": True}
        self._configure = wrapper._configure_connection  # type: ignore[attr-defined]
        self._lock_wait = wrapper.settings_dict["OPTIONS"][LOCK_WAIT]

    def __call__(self) -> Any:
        try:
            connection = ConnectionOfNoPatience.connect(**self._parameters)
        except ConnectionTimeout as error:
            raise ServerSilent("the server is silent") from error
        connection.longest_silence = self._lock_wait + SILENCE_BESIDE_A_LOCK
        self._configure(connection)
        connection.execute(f"SET lock_timeout = '{self._lock_wait:d}s'")  # a parameter of SET cannot be bound
        return connection
