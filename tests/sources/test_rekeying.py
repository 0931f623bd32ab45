"""An appointment whose instrument repeats no longer, or from now on, stays the item that it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.contract import SessionKey
from sources.mapping.rules import SessionKind
from sources.models import DataSource, SyncedStep
from sources.sync.deciding import SyncAction
from sources.sync.preview import dry_run
from sources.sync.rekeying import appointment, moves
from tests.redcap.project import Project
from tests.sources.conftest import pull
from tests.sources.study import participants
from worklist.models import WorklistItem

PLAIN, FIRST, SECOND = SessionKey(), SessionKey("", "mri", 1), SessionKey("", "mri", 2)
OTHER_FORM = SessionKey("", "pet", 1)
NINE, TEN = {"scheduled_start_time": "09:00:00"}, {"scheduled_start_time": "10:00:00"}
DAY = {"scheduled_start_date": "2026-03-02"}
LATER = {"scheduled_start_date": "2026-04-02"}


@pytest.mark.acceptance("RC174")
@pytest.mark.parametrize(
    ("known", "found", "moved"),
    [
        ({FIRST: DAY}, {PLAIN: DAY}, {FIRST: PLAIN}),
        ({PLAIN: DAY | NINE}, {FIRST: DAY | NINE}, {PLAIN: FIRST}),
        ({FIRST: DAY, SECOND: LATER}, {PLAIN: DAY}, {FIRST: PLAIN}),
        ({PLAIN: DAY}, {FIRST: DAY, SECOND: LATER}, {PLAIN: FIRST}),
        ({FIRST: DAY}, {OTHER_FORM: DAY}, {FIRST: OTHER_FORM}),  # the instrument was renamed
        ({SessionKey("a", "mri", 2): DAY}, {SessionKey("a", "", 2): DAY}, {("a", "mri", 2): ("a", "", 2)}),
        # another appointment
        ({FIRST: DAY}, {PLAIN: LATER}, {}),
        ({FIRST: DAY | NINE}, {PLAIN: DAY | TEN}, {}),
        ({SECOND: DAY}, {PLAIN: DAY}, {}),
        ({SessionKey("a", "mri", 1): DAY}, {SessionKey("b"): DAY}, {}),
        ({FIRST: {}}, {PLAIN: {}}, {}),
        ({FIRST: DAY}, {}, {}),
        # its own key is there
        ({FIRST: DAY}, {FIRST: LATER, PLAIN: DAY}, {}),
        ({FIRST: DAY, PLAIN: LATER}, {PLAIN: DAY}, {}),
        # one of two, and nobody knows which
        ({FIRST: DAY, OTHER_FORM: DAY}, {PLAIN: DAY}, {}),
        ({PLAIN: DAY}, {FIRST: DAY, OTHER_FORM: DAY}, {}),
    ],
)
def test_only_the_same_appointment_moves(
    known: dict[SessionKey, dict[str, str]],
    found: dict[SessionKey, dict[str, str]],
    moved: dict[SessionKey, SessionKey],
) -> None:
    assert (
        moves(
            {key: appointment(key, says) for key, says in known.items()},
            {key: appointment(key, says) for key, says in found.items()},
        )
        == moved
    )


KEYS = st.builds(SessionKey, st.sampled_from(["", "a"]), st.sampled_from(["", "mri"]), st.integers(0, 2))
SAYS = st.sampled_from([{}, DAY, LATER, DAY | NINE])
RECORDS = st.dictionaries(KEYS, SAYS, max_size=6)


@given(RECORDS, RECORDS)
def test_no_two_move_to_one_place_and_none_to_where_another_is(
    known: dict[SessionKey, dict[str, str]], found: dict[SessionKey, dict[str, str]]
) -> None:
    moved = moves(
        {key: appointment(key, says) for key, says in known.items()},
        {key: appointment(key, says) for key, says in found.items()},
    )

    assert len(set(moved.values())) == len(moved)
    assert not set(moved) & set(found)
    assert not set(moved.values()) & set(known)
    for old, new in moved.items():
        assert known[old] == found[new] != {}


@pytest.mark.django_db
@pytest.mark.acceptance("RC174")
@pytest.mark.parametrize("full", [False, True])
def test_an_instrument_that_repeats_no_longer_keeps_its_items(
    source: DataSource, project: Project, full: bool
) -> None:
    participants(project, 3)
    pull(source)
    before = {item.pk: item.study_instance_uid for item in WorklistItem.objects.all()}

    project.stop_repeating("mri")
    source.redcap.session_kind = SessionKind.RECORD
    source.save_with_details("alice")
    compared = dry_run(source)
    run = pull(source, full=True)

    assert (run.created, run.withdrawn) == (0, 0)
    assert {item.pk: item.study_instance_uid for item in WorklistItem.objects.all()} == before
    assert {step.key for step in SyncedStep.objects.all()} == {PLAIN}
    assert compared.counts[SyncAction.CREATE] == compared.counts[SyncAction.WITHDRAW] == 0
    assert pull(source, full=full).changed == 0
