"""What a pull would do far more of than usual waits for a person, in small studies too.

The rules are tried as a table, and what would be cancelled by pulls. Whom the engine counts as renamed or
added is in its own tests.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from sources.models import DataSource, RunOutcome, SourceState, State, SyncRun
from sources.sync import guards
from sources.sync.guards import Guarded
from tests.redcap.project import Project
from tests.redcap.studies import TOKEN
from tests.sources.conftest import items, pull
from tests.sources.study import book, participant, participants, today
from tests.worklist.performed_rows import make_step
from worklist.models import PerformedStatus, Status, WorklistItem

GONE, WITHDRAWN, RENAMED, ADDED = Guarded


@pytest.mark.acceptance("RC166")
@pytest.mark.parametrize("kind", [GONE, RENAMED])
@pytest.mark.parametrize(
    ("count", "of", "is_held"),
    [
        (0, 0, False),
        (0, 6, False),
        (1, 1, False),  # one alone is somebody's own doing
        (1, 2, False),
        (1, 500, False),
        (2, 2, True),
        (2, 3, True),
        (2, 9, True),
        (2, 10, False),  # a fifth is not more than a fifth
        (2, 500, False),
        (3, 3, True),
        (3, 15, True),
        (3, 500, True),  # more than two, of however many
        (5, 6, True),
        (500, 500, True),
    ],
)
def test_records_that_go_or_change_their_id_are_held_early(
    kind: Guarded, count: int, of: int, is_held: bool
) -> None:
    assert guards.is_too_many(DataSource(), kind, count, of) is is_held


@pytest.mark.acceptance("RC66")
@pytest.mark.parametrize(
    ("count", "of", "is_held"),
    [
        (1, 1, False),
        (5, 5, False),
        (6, 6, True),
        (6, 29, True),
        (6, 30, False),
        (7, 30, True),
        (99, 500, False),
    ],
)
def test_appointments_called_off_are_held_late(count: int, of: int, is_held: bool) -> None:
    assert guards.is_too_many(DataSource(), WITHDRAWN, count, of) is is_held


@pytest.mark.acceptance("RC168")
@pytest.mark.parametrize(
    ("count", "of", "is_held"),
    [
        (30, 0, False),  # the first ones
        (30, 3, True),
        (10, 3, False),
        (11, 10, True),
        (11, 11, False),
        (80, 100, False),
        (5000, 100, True),
    ],
)
def test_more_new_records_than_there_were_are_held(count: int, of: int, is_held: bool) -> None:
    assert guards.is_too_many(DataSource(), ADDED, count, of) is is_held


NUMBERS = st.integers(0, 10_000)


@given(st.sampled_from(Guarded), NUMBERS, NUMBERS, st.integers(0, 50), st.integers(0, 300))
def test_more_is_never_held_less_and_a_wider_rule_never_holds_more(
    kind: Guarded, count: int, of: int, most: int, percent: int
) -> None:
    guard = guards.GUARDS[kind]
    narrow = DataSource(**{guard.most: most, guard.percent: percent})
    wide = DataSource(**{guard.most: most + 1, guard.percent: percent + 1})

    if guards.is_too_many(narrow, kind, count, of):
        assert guards.is_too_many(narrow, kind, count + 1, of)
    if guards.is_too_many(wide, kind, count, of):
        assert guards.is_too_many(narrow, kind, count, of)
    assert not guards.is_too_many(narrow, kind, count, 0)


@pytest.mark.acceptance("RC169")
def test_each_rule_is_a_sentence_with_the_sources_own_numbers() -> None:
    assert guards.in_words(DataSource(most_records_gone=0, most_renamed=7, most_added_percent=50)) == [
        "1 or more records can no longer be seen at once: held until a person presses “Cancel them”.",
        "6 or more coming appointments would be cancelled at once, and more than 20 % of the coming "
        "appointments: held until a person presses “Cancel them”.",
        "8 or more records would get another patient ID, name, birth date or sex at once, or two or more and "
        "more than 20 % of the records with items: held until a person presses “Rename them”.",
        "11 or more new records would be added at once, and more than 50 % of the records that it gave "
        "before: held until a person presses “Add them”.",
    ]


@pytest.mark.django_db
class TestWhatAPersonAllows:
    @pytest.fixture
    def known(self, source: DataSource, project: Project) -> DataSource:
        participant(project, "P-001")
        pull(source)
        return source

    @pytest.mark.acceptance("RC168")
    def test_nothing_is_new_before_the_first_full_pull_has_ended(self, source: DataSource) -> None:
        """A first pull that was killed has left some records, and goes on with all the others."""
        assert not guards.is_held(source, ADDED, 500, 3)
        assert guards.is_held(source, RENAMED, 3, 3)

    @pytest.mark.parametrize(
        ("allowed", "count", "is_held"), [(30, 30, False), (30, 12, False), (30, 35, False), (30, 50, True)]
    )
    @pytest.mark.acceptance("RC167")
    def test_what_comes_on_top_is_judged_by_itself(
        self, known: DataSource, allowed: int, count: int, is_held: bool
    ) -> None:
        guards.allow(known, ADDED, by="alice", count=allowed)

        assert guards.is_held(known, ADDED, count, 3) is is_held

    def test_is_of_its_own_kind(self, known: DataSource) -> None:
        guards.allow(known, ADDED, by="alice")

        assert not guards.is_held(known, ADDED, 5000, 3)
        assert guards.is_held(known, RENAMED, 3, 3)

    def test_is_spent_by_the_full_pull_that_follows(self, known: DataSource) -> None:
        guards.allow(known, ADDED, by="alice")
        guards.allow(known, RENAMED, by="alice", count=3)
        assert known.state.allowed == {}
        known.state.refresh_from_db()
        assert set(known.state.allowed) == {"ADDED", "RENAMED"}

        assert pull(known).is_full
        assert known.state.allowed == {}


@pytest.mark.django_db
class TestPulls:
    def cancelled(self, source: DataSource) -> list[str]:
        return [
            record
            for record, item in sorted(items(source).items())
            if item.performed_procedure_step_status == Status.CANCELLED
        ]

    @pytest.mark.acceptance("RC166")
    def test_a_token_that_suddenly_sees_one_record_cancels_nothing(
        self, source: DataSource, project: Project
    ) -> None:
        """Its user was put into a group, and REDCap says nothing of that."""
        project.dags = {"boston": "Boston"}
        project.set_dag(participants(project, 6)[0], "boston")
        pull(source)
        project.users[TOKEN].dag = "boston"

        run = pull(source, full=True)

        assert (run.outcome, run.withdrawn, self.cancelled(source)) == (RunOutcome.HELD, 0, [])
        assert (source.state.state, source.state.held) == (State.HELD, {"RECORDS_GONE": 5})
        assert "5 records can no longer be seen" in source.state.message
        assert "Cancel them" in source.state.message

        project.users[TOKEN].dag = ""
        assert (pull(source, full=True).outcome, source.state.held) == (RunOutcome.OK, {})

    @pytest.mark.acceptance("RC166")
    @pytest.mark.parametrize(
        ("there", "deleted", "is_held"),
        [(2, 1, False), (4, 1, False), (3, 2, True), (10, 2, False), (12, 3, True)],
    )
    def test_one_that_is_deleted_needs_nobody(
        self, source: DataSource, project: Project, there: int, deleted: int, is_held: bool
    ) -> None:
        records = participants(project, there)
        pull(source)
        for record in records[:deleted]:
            project.delete_record(record)
        pull(source, full=True)

        assert self.cancelled(source) == ([] if is_held else records[:deleted])

    def test_a_participant_with_many_appointments_is_one(self, source: DataSource, project: Project) -> None:
        participants(project, 3)
        for instance in (2, 3, 4):
            book(project, "P-001", instance, days=instance)
        pull(source)
        project.delete_record("P-001")

        assert pull(source, full=True).withdrawn == 4

    def test_but_not_where_these_are_most_of_all(self, source: DataSource, project: Project) -> None:
        participants(project, 2)
        for instance in range(2, 7):
            book(project, "P-001", instance, days=instance)
        pull(source)
        project.delete_record("P-001")

        assert (pull(source, full=True).withdrawn, source.state.held) == (0, {"WITHDRAWN": 6})

    @pytest.mark.acceptance("RC167")
    def test_what_is_called_off_goes_on_while_records_are_held(
        self, source: DataSource, project: Project
    ) -> None:
        records = participants(project, 6)
        pull(source)
        for record in records[:4]:
            project.delete_record(record)
        book(project, records[4], mri_date="")

        assert pull(source, full=True).withdrawn == 1
        assert (self.cancelled(source), source.state.held) == ([records[4]], {"RECORDS_GONE": 4})

    @pytest.mark.acceptance("RC167")
    def test_allowing_one_kind_leaves_the_other_held(self, source: DataSource, project: Project) -> None:
        records = participants(project, 12)
        pull(source)
        for record in records[:4]:
            project.delete_record(record)
        for record in records[4:10]:
            book(project, record, mri_date="")
        pull(source, full=True)
        assert source.state.held == {"RECORDS_GONE": 4, "WITHDRAWN": 6}

        guards.allow(source, GONE, by="alice", count=4)
        assert pull(source).withdrawn == 4
        assert (self.cancelled(source), source.state.held) == (records[:4], {"WITHDRAWN": 6})

    @pytest.mark.acceptance("RC169")
    def test_a_source_whose_rule_is_wider_cancels(self, source: DataSource, project: Project) -> None:
        DataSource.objects.update(most_records_gone=4, most_records_gone_percent=100)
        records = participants(project, 5)
        pull(source)
        for record in records[:4]:
            project.delete_record(record)

        assert pull(source, full=True).withdrawn == 4

    def test_what_was_allowed_is_no_leave_for_more(self, source: DataSource, project: Project) -> None:
        records = participants(project, 12)
        pull(source)
        for record in records[:3]:
            project.delete_record(record)
        pull(source, full=True)
        guards.allow(source, GONE, by="alice", count=3)
        for record in records[3:8]:
            project.delete_record(record)

        assert pull(source).withdrawn == 0
        assert source.state.held == {"RECORDS_GONE": 8}
        assert SourceState.objects.get().allowed == {}

    @pytest.mark.acceptance("RC242")
    def test_what_is_held_waits_though_one_of_it_is_examined_meanwhile(
        self, source: DataSource, project: Project
    ) -> None:
        """The participant came: the record should not have been missing, and nor should the others."""
        records = participants(project, 20)
        pull(source)
        for record in records[:3]:
            project.delete_record(record)
        pull(source, full=True)
        item = items(source)[records[0]]
        make_step(item, status=PerformedStatus.COMPLETED)
        WorklistItem.objects.filter(pk=item.pk).update(performed_procedure_step_status=Status.COMPLETED)

        assert pull(source).withdrawn == 0
        assert source.state.held == {"RECORDS_GONE": 3}
        guards.allow(source, GONE, by="alice", count=3)
        assert pull(source).withdrawn == 2
        assert (self.cancelled(source), source.state.held) == (records[1:3], {})

    @pytest.mark.acceptance("RC242")
    def test_what_is_held_waits_though_its_day_passes(self, source: DataSource, project: Project) -> None:
        records = participants(project, 20)
        book(project, records[0], days=0)
        pull(source)
        for record in records[:3]:
            project.delete_record(record)
        pull(source, full=True)

        yesterday = {"scheduled_start_date": today() - timedelta(days=1)}
        WorklistItem.objects.filter(patient_id=records[0]).update(**yesterday)
        SyncRun.objects.update(started_at=timezone.now() - timedelta(days=1))

        assert pull(source).withdrawn == 0
        assert source.state.held == {"RECORDS_GONE": 3}
