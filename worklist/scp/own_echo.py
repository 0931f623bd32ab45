"""The site asks its own DICOM server by C-ECHO whether it can judge and answer an association.

It calls by an AE title that follows from SECRET_KEY, which no device has to be listed for, and which opens
Verification alone. Nothing of it is recorded, for it comes every few seconds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import cache

from django.conf import settings
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import

from worklist.scp import echo_scu
from worklist.scp.echo_scu import EchoOutcome
from worklist.upper_layer.negotiation import Proposal

TIMEOUT = 2.0  # seconds for the connection, and for each answer
PREFIX = "PYL"
LONGEST = 16  # characters of an AE title


def ask(host: str, port: int) -> EchoOutcome:
    """Return whether the server there answers, and a sentence for people."""
    return echo_scu.echo(host, port, ae_title=settings.MWL_AETITLE, own_ae_title=ae_title(), timeout=TIMEOUT)


def is_own(proposal: Proposal) -> bool:
    """Tell whether the site itself asks, and for Verification alone."""
    if not hmac.compare_digest(proposal.calling_ae_title.encode(errors="replace"), ae_title().encode()):
        return False
    return all(context.sop_class == Verification for context in proposal.contexts.values())


def ae_title() -> str:
    return _of_key(settings.SECRET_KEY)


@cache
def _of_key(key: str) -> str:
    digest = hmac.new(key.encode(), b"the AE title of the site's own C-ECHO", hashlib.sha256).digest()
    return (PREFIX + base64.b32encode(digest).decode())[:LONGEST]
