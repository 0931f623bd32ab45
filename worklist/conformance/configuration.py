"""These sections tell what a site may set, and what is in force where nothing is set."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from worklist.conformance.markdown import bullets, table

# What decides how DICOM is spoken, by setting; docs/deployment.md has them all.
PARAMETERS = {
    "MWL_AETITLE": ("own AE title", "1 to 16 characters; `--AEtitle` of a start goes before it"),
    "MWL_REQUIRE_CALLED_AETITLE": ("whether scanners must call it so", "yes or no"),
    "MWL_MAXIMUM_ASSOCIATIONS": ("associations at a time, in each process", "1 to 1000"),
    "MWL_PROXY_PROTOCOL": (
        "balancers that pass on by the PROXY protocol",
        "addresses and networks; empty: none",
    ),
    "MWL_NETWORK_TIMEOUT": ("seconds without a message until an association ends", "1 to 3600"),
    "MWL_MAXIMUM_ANSWERS": ("answers to a query; 0: no limit", "0 to 1,000,000"),
    "MWL_OVER_MAXIMUM": ("where more match", "`truncate` or `refuse`"),
    "MPPS_STRICTNESS": ("reports that depart from the standard", "`lenient` or `strict`"),
    "MPPS_DISCONTINUED": ("what a discontinued step leaves its item", "`discontinued` or `scheduled`"),
    "MPPS_WEIGHT_TOLERANCE_KG": ("by how much weights may differ, in kg", "0 to 100"),
    "MPPS_STALE_HOURS": ("hours in progress until a person is told", "1 to 8760"),
    "ATTENTION_INTERVAL": ("seconds between looks for what time makes wrong", "0 to 86,400"),
    "DEVICE_ACTIVITY_KEPT_DAYS": ("days that devices' activity is kept", "0 to 36,500"),
    "PYLANTIR_UID_ROOT": ("root of the Study Instance UIDs that are made", "empty: 2.25 (PS3.5 B.2)"),
}


def general() -> Iterator[str]:
    yield "Settings come from the environment when the server starts; a change needs a restart."
    yield ""
    yield from table(
        ("Parameter", "What it is", "In force", "Values"),
        ((f"`{name}`", what, f"`{_said(name)}`", values) for name, (what, values) in PARAMETERS.items()),
    )


def of_services() -> Iterator[str]:
    yield from bullets(
        "Each scanner is a row with its AE title, where it may call from, its own host and port for "
        "C-ECHO, and the rules of 6.2.1.",
        "A change to a row counts from the next association, query or report on, without a restart.",
        "There is nothing to configure for SOP classes and transfer syntaxes: all are always offered.",
    )


def audit() -> Iterator[str]:
    yield "Every association, query and report is kept in the database with its device, address and outcome"
    yield "(*Contacts with scanners*)."
    yield "`docs/audit.md` says what else is recorded and for how long."
    yield "With `ATNA_SYSLOG` the messages of PS3.15 A.5 go to an audit record repository, by TLS (A.6)"
    yield "or UDP (A.7): application activity, queries, procedure records, refused associations, sign-ins,"
    yield "downloads."


def _said(name: str) -> str:
    value = getattr(settings, name)
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value) or "-"
