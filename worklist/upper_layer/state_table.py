"""What an acceptor does about each event is read from Table 9-10 of PS3.8, laid out as it is there.

An acceptor without asynchronous operations is never in the other states: it makes no transport connection
(Sta4), requests no association (Sta5) and no release (Sta7, Sta9 to Sta12).
"""

from __future__ import annotations

from enum import Enum


class AssociationState(Enum):
    """These are the states of an acceptor (PS3.8 Tables 9-1 to 9-5)."""

    IDLE = "Sta1"
    AWAITING_REQUEST = "Sta2"  # the transport connection is open
    AWAITING_RESPONSE = "Sta3"  # of the local user, who judges the request
    ESTABLISHED = "Sta6"
    AWAITING_RELEASE = "Sta8"  # by the local user, who may still send
    AWAITING_CLOSE = "Sta13"


class Event(Enum):
    """These are the events that an acceptor meets (PS3.8 9.2.2)."""

    ASSOCIATE_AC = "Evt3"
    ASSOCIATE_RJ = "Evt4"
    ASSOCIATE_RQ = "Evt6"
    ACCEPT = "Evt7"
    REJECT = "Evt8"
    SEND_DATA = "Evt9"
    DATA = "Evt10"
    RELEASE_RQ = "Evt12"
    RELEASE_RP = "Evt13"
    RELEASE = "Evt14"
    ABORT = "Evt15"
    PEER_ABORT = "Evt16"
    CLOSED = "Evt17"
    EXPIRED = "Evt18"  # ARTIM
    INVALID = "Evt19"  # an unrecognized or invalid PDU


class Action(Enum):
    """These are the actions (PS3.8 Tables 9-6 to 9-9), each with the state that it leads to."""

    JUDGE = "AE-6", AssociationState.AWAITING_RESPONSE
    ACCEPT = "AE-7", AssociationState.ESTABLISHED
    REJECT = "AE-8", AssociationState.AWAITING_CLOSE
    SEND = "DT-1", AssociationState.ESTABLISHED
    TAKE = "DT-2", AssociationState.ESTABLISHED
    TAKE_RELEASE = "AR-2", AssociationState.AWAITING_RELEASE
    RELEASE = "AR-4", AssociationState.AWAITING_CLOSE
    FORGET = "AR-5", AssociationState.IDLE
    SEND_BEFORE_RELEASE = "AR-7", AssociationState.AWAITING_RELEASE
    ABORT = "AA-1", AssociationState.AWAITING_CLOSE
    CLOSE = "AA-2", AssociationState.IDLE
    TELL_ABORT = "AA-3", AssociationState.IDLE
    TELL_CLOSED = "AA-4", AssociationState.IDLE
    STOP_TIMER = "AA-5", AssociationState.IDLE
    IGNORE = "AA-6", AssociationState.AWAITING_CLOSE
    ABORT_AGAIN = "AA-7", AssociationState.AWAITING_CLOSE
    ABORT_AND_TELL = "AA-8", AssociationState.AWAITING_CLOSE

    @property
    def next_state(self) -> AssociationState:
        state: AssociationState = self.value[1]
        return state


# An empty place, -, is an event that cannot happen in that state.
TABLE_9_10 = """
        Sta2  Sta3  Sta6  Sta8  Sta13
Evt3    AA-1  AA-8  AA-8  AA-8  AA-6
Evt4    AA-1  AA-8  AA-8  AA-8  AA-6
Evt6    AE-6  AA-8  AA-8  AA-8  AA-7
Evt7    -     AE-7  -     -     -
Evt8    -     AE-8  -     -     -
Evt9    -     -     DT-1  AR-7  -
Evt10   AA-1  AA-8  DT-2  AA-8  AA-6
Evt12   AA-1  AA-8  AR-2  AA-8  AA-6
Evt13   AA-1  AA-8  AA-8  AA-8  AA-6
Evt14   -     -     -     AR-4  -
Evt15   -     AA-1  AA-1  AA-1  -
Evt16   AA-2  AA-3  AA-3  AA-3  AA-2
Evt17   AA-5  AA-4  AA-4  AA-4  AR-5
Evt18   AA-2  -     -     -     AA-2
Evt19   AA-1  AA-8  AA-8  AA-8  AA-7
"""


def _read(table: str) -> dict[tuple[Event, AssociationState], Action]:
    head, *lines = table.strip().splitlines()
    states = [AssociationState(name) for name in head.split()]
    actions = {action.value[0]: action for action in Action}
    return {
        (Event(event), state): actions[name]
        for event, *names in map(str.split, lines)
        for state, name in zip(states, names, strict=True)
        if name != "-"
    }


TRANSITIONS = _read(TABLE_9_10)


def action(event: Event, state: AssociationState) -> Action:
    """Return what is to be done. Raises KeyError for an event that cannot happen in the state."""
    return TRANSITIONS[event, state]
