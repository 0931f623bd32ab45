"""Damaged messages of real clients end in an answer or an abort, and leave nothing behind in the server."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests import scu
from tests.conftest import wait_until
from tests.effort import tries
from tests.scu import data_set
from tests.worklist import mutations
from tests.worklist.conftest import RunningServer, StartServer
from tests.worklist.mutations import Ending, Mutation
from worklist.models import WorklistItem

MORE_MEMORY, MORE_HANDLES = 16 * 1024, 10  # KiB and descriptors, after the first hundred


@pytest.fixture(scope="module")
def _recording_server(start_recording_server: StartServer) -> RunningServer:
    return start_recording_server()


@pytest.fixture
def server(transactional_db: None, _recording_server: RunningServer) -> RunningServer:
    return _recording_server


@pytest.fixture
def participant(items: Callable[..., Any]) -> WorklistItem:
    """Save the item that the recorded queries ask for, so that answers hold its name as well."""
    named = {"patient_name": mutations.PATIENT_NAME, "patient_id": mutations.PATIENT_ID}
    item: WorklistItem = items(1, **named)[0]
    return item


def check(server: RunningServer) -> None:
    """Hold that the server serves, and that its log is clean."""
    with server.raw() as user:
        assert user.associate(sop_class=scu.VERIFICATION) == scu.ASSOCIATE_AC
        user.post(data_set(AffectedSOPClassUID=scu.VERIFICATION, CommandField=0x0030))
        assert user.response().status == 0
        assert user.release() == scu.RELEASE_RP
    assert mutations.wrong_lines(server.log) == []


@pytest.mark.parametrize("path", sorted(mutations.RECORDINGS.glob("*.bin")), ids=lambda path: path.stem)
def test_a_recording_is_answered_to_its_release(
    server: RunningServer, participant: WorklistItem, path: Any
) -> None:
    with server.raw() as user:
        user.socket.sendall(path.read_bytes())
        kinds = [kind for kind, _ in user.read_all()]
    assert (kinds[0], kinds[-1]) == (scu.ASSOCIATE_AC, scu.RELEASE_RP)
    assert set(kinds[1:-1]) == {scu.P_DATA}


@pytest.mark.acceptance("D160")
@pytest.mark.timeout(600)
def test_damaged_messages_leave_nothing_behind(server: RunningServer, participant: WorklistItem) -> None:
    first = random.randrange(2**31)
    mutations.play_all(server.port, range(first, first + 100), lambda: check(server))
    wait_until(lambda: server.is_at_rest)
    files, memory = server.open_files, server.memory
    seeds = range(first + 100, first + tries(1_000, nightly=10_000))
    mutations.play_all(server.port, seeds, lambda: check(server))
    # SQLite keeps a handle of a closed connection for the next one, for each thread there was at once.
    wait_until(lambda: server.is_at_rest and server.open_files <= files + MORE_HANDLES)
    assert server.memory - memory < MORE_MEMORY


@pytest.mark.parametrize("ending", list(Ending), ids=lambda ending: ending.name)
def test_a_peer_may_end_in_any_way(server: RunningServer, ending: Ending) -> None:
    recorded = (mutations.RECORDINGS / "echoscu.bin").read_bytes()
    mutations.play(server.port, Mutation(0, (recorded,), ending))
    check(server)


def test_a_seed_makes_the_same_again_and_others_make_others() -> None:
    recorded = mutations.recordings()
    made = [mutations.mutation(seed, recorded) for seed in range(200)]
    assert made == [mutations.mutation(seed, recorded) for seed in range(200)]
    assert len({b"".join(each.sent) for each in made}) > 180


def test_each_mutator_changes_what_it_is_given() -> None:
    recorded = mutations.recordings()
    for mutator in mutations.MUTATORS:
        changed = [
            mutator(random.Random(seed), list(stream)) != stream for seed in range(20) for stream in recorded
        ]
        assert any(changed), mutator.__name__


def test_a_fragmented_message_is_the_same_message() -> None:
    for stream in mutations.recordings():
        fragmented = mutations.fragmented(random.Random(1), stream)
        assert contents(fragmented) == contents(stream)


def contents(stream: list[bytes]) -> bytes:
    """Return the values of all presentation data of a stream of whole PDUs."""
    return b"".join(value for pdu in stream if pdu[0] == mutations.P_DATA for _, value in scu.pdvs(pdu[6:]))
