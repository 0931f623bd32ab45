"""A status of C-FIND (PS3.4 Table C.4-1) or a rejection (PS3.8 Table 9-21) is the error it stands for.

Error Comment (0000,0902) is never quoted: archives put keys into it, and so participants.
"""

from __future__ import annotations

from sources.errors import (
    AuthorisationError,
    ConfigurationError,
    OverloadError,
    SourceError,
    TooMuchError,
    TransientError,
)

SUCCESS = 0x0000
PENDING = frozenset({0xFF00, 0xFF01})
CANCELLED = 0xFE00
OUT_OF_RESOURCES = 0xA700
# Identifier does not match SOP class, no such attribute, invalid attribute value: of the question.
NOT_UNDERSTOOD = frozenset({0xA900, 0x0105, 0x0106, 0x0115, 0x0117, 0x0120, 0x0121})
NOT_AUTHORISED = 0x0124
NOT_SUPPORTED = frozenset({0x0122, 0x0211, 0x0212})


class NotUnderstood(ConfigurationError):
    """The archive takes no such question; it may take one with fewer keys."""


def refusal(status: int, place: str) -> SourceError:
    """Return the error that a final status stands for which is no success."""
    code = f"status {status:04X}"
    if status == OUT_OF_RESOURCES:
        return TooMuchError(f"{place} is out of resources ({code}): ask less often, or look into its log.")
    if status in NOT_UNDERSTOOD:
        return NotUnderstood(f"{place} does not take the question ({code}): look into its log.")
    if status == NOT_AUTHORISED:
        return AuthorisationError(f"{place} does not let this server ask ({code}): give it the right there.")
    if status in NOT_SUPPORTED:
        return ConfigurationError(f"{place} does not answer C-FIND in the study root model ({code}).")
    if status == CANCELLED:
        return OverloadError(f"{place} has broken its answer off ({code}).")
    return TransientError(f"{place} could not process the question ({code}): look into its log.")


def rejection(result: int, source: int, reason: int, *, place: str, calling: str) -> SourceError:
    """Return the error that an A-ASSOCIATE-RJ stands for."""
    if (source, reason) == (1, 3):
        return AuthorisationError(
            f"{place} does not know {calling}: enter this server there by that AE title, with its address."
        )
    if (source, reason) == (1, 7):
        return ConfigurationError(f"{place} says that this is not its AE title: look at called AE title.")
    if result == 2 or source == 3:  # rejected-transient, or by the presentation layer: congestion, limits
        return TransientError(f"{place} takes no more associations for now.")
    return ConfigurationError(
        f"{place} refuses the association ({result},{source},{reason}): "
        f"is {calling} entered there, with this server's address?"
    )
