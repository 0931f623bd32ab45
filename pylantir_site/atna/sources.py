"""We take part in most messages: as the program, its process and its host. Starts and stops are ours."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime

from pylantir_site.atna import codes, sending
from pylantir_site.atna.codes import CodedTerm
from pylantir_site.atna.messages import ActiveParticipant, AuditMessage


def ourselves(
    *roles: CodedTerm, is_requestor: bool = False, user_id: str = "Pylantir", ae_title: str = ""
) -> ActiveParticipant:
    """Return us as a participant; AE titles are told as PS3.15 A.5.2.2 says."""
    alternative = f"AETITLES={ae_title}" if ae_title else str(os.getpid())
    return ActiveParticipant(user_id, is_requestor, roles, socket.gethostname(), alternative_id=alternative)


def tell_start(name: str) -> None:
    """Tell that a program has begun to serve."""
    _tell(name, codes.APPLICATION_START)


def tell_stop(name: str) -> None:
    _tell(name, codes.APPLICATION_STOP)


def _tell(name: str, kind: CodedTerm) -> None:
    message = AuditMessage(
        codes.APPLICATION_ACTIVITY,
        "E",
        datetime.now(UTC),
        (ourselves(codes.APPLICATION, user_id=name),),
        types=(kind,),
    )
    sending.send(lambda: [message])
