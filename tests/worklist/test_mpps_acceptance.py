"""A pynetdicom user reports to a running `run_mwl` what docs/acceptance.md says of performed steps.

Races and killed servers are in test_mpps_processes.py, associations and load in test_mpps_server.py, walks
through all states in test_mpps_stateful.py.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from typing import Any

import pytest
from pydicom import Dataset

from tests import scu
from tests.scu import Answer, Message, keys
from tests.worklist import performed_steps as steps
from tests.worklist.conftest import RunningServer, StartServer
from tests.worklist.identifiers import data_set
from tests.worklist.performed_steps import change, create
from worklist.items import lifecycle
from worklist.models import (
    Attention,
    AttentionKind,
    Evidence,
    PerformedStatus,
    PerformedStep,
    Status,
    WorklistItem,
)

pytestmark = pytest.mark.django_db(transaction=True)

Perform = Callable[..., list[Answer]]
Query = Callable[..., list[tuple[int, Any]]]
Store = dict[str, Any]

SUCCESS = 0x0000
NOT_SUPPORTED, ATTRIBUTE_LIST_ERROR = 0x0001, 0x0107
INVALID_VALUE, MISSING, EMPTY = 0x0106, 0x0120, 0x0121
FAILURE, DUPLICATE, NO_SUCH_INSTANCE, INVALID_INSTANCE = 0x0110, 0x0111, 0x0112, 0x0117
NO_LONGER = Answer(FAILURE, "Performed Procedure Step Object may no longer be updated", 0xA710)


@pytest.fixture(scope="session")
def strict_server(start_server: StartServer) -> RunningServer:
    return start_server(MPPS_STRICTNESS="strict", MPPS_DISCONTINUED="scheduled")


def status_of(item: Any) -> str:
    return WorklistItem.objects.get(pk=item.pk).performed_procedure_step_status


def statuses_of(store: Store) -> dict[str, str]:
    return {name: status_of(item) for name, item in store.items()}


def stored(uid: str) -> PerformedStep:
    return PerformedStep.objects.get(sop_instance_uid=uid)


def kept(uid: str) -> Any:
    """Return all that the database holds of the step, to see that nothing changes it."""
    step = stored(uid)
    rows = PerformedStep.objects.filter(pk=step.pk).values().get()
    return rows, list(step.series.values()), list(step.links.values()), list(step.history.values())


def text(uid: str, tag: str) -> Any:
    """Return the first value of an attribute as it is stored."""
    return stored(uid).dataset[tag]["Value"][0]


def open_attention(kind: AttentionKind) -> list[str]:
    return list(Attention.objects.open().filter(kind=kind).values_list("text", flat=True))


def begin(perform: Perform, *items: Any, **changes: Any) -> str:
    """Begin a step, and return its UID."""
    uid = steps.new_uid()
    (answer,) = perform(create(uid, steps.begun(*items, **changes)))
    assert answer.status == SUCCESS
    return uid


def end(perform: Perform, uid: str, dataset: Dataset | None = None, **options: Any) -> Answer:
    (answer,) = perform(change(uid, dataset or steps.completed()), **options)
    return answer


def offered(query: Query, **root: Any) -> dict[str, str]:
    """Return the status on the wire of each step that the scanner is offered."""
    asked = {"ScheduledProcedureStepID": "", "ScheduledProcedureStepStatus": ""}
    found = [answer for _, answer in query(keys(asked, **root)) if answer is not None]
    parts = [answer.ScheduledProcedureStepSequence[0] for answer in found]
    return {part.ScheduledProcedureStepID: part.ScheduledProcedureStepStatus for part in parts}


class TestCreate:
    @pytest.mark.acceptance("D95")
    def test_the_item_is_started_and_the_step_is_kept_with_its_history(
        self, perform: Perform, query: Query, acceptance_store: Store
    ) -> None:
        item = acceptance_store["S1"]
        before = statuses_of(acceptance_store)
        uid = begin(perform, item)
        assert statuses_of(acceptance_store) == {**before, "S1": Status.IN_PROGRESS}
        assert offered(query)["S1"] == "STARTED"
        step = stored(uid)
        assert step.status == PerformedStatus.IN_PROGRESS
        assert (step.patient_name, step.patient_id) == ("DOE^JOHN", "P1")
        assert (step.start_date, step.modality) == (date(2026, 1, 10), "MR")
        assert step.start_time == time(9, 31, 12, 345000)
        assert (step.calling_ae_title, step.calling_address) == ("MR1", "127.0.0.1")
        assert step.deviations == []
        assert not Attention.objects.exists()
        (link,) = step.links.all()
        assert (link.item, link.evidence, link.status_before) == (item, Evidence.STEP, Status.SCHEDULED)
        assert list(step.history.values_list("history_user_id", "history_change_reason")) == [
            ("device:MR1", "MPPS in progress")
        ]
        newest = item.history.latest()
        assert (newest.history_user_id, newest.performed_procedure_step_status) == (
            "device:MR1",
            Status.IN_PROGRESS,
        )

    @pytest.mark.acceptance("D96")
    def test_of_two_sessions_of_a_participant_the_selected_one_starts(
        self, perform: Perform, acceptance_store: Store
    ) -> None:
        assert acceptance_store["S1"].patient_id == acceptance_store["S5"].patient_id
        before = statuses_of(acceptance_store)
        begin(perform, acceptance_store["S5"])
        assert statuses_of(acceptance_store) == {**before, "S5": Status.IN_PROGRESS}

    @pytest.mark.acceptance("D97")
    @pytest.mark.parametrize(
        ("name", "charset", "differs"),
        [
            ("doe^john", steps.LATIN_1, False),
            ("DOE^JOHN^^^", steps.UTF_8, False),
            ("DÖE^JOHN", steps.UTF_8, True),
            ("山田^太郎", ["", "ISO 2022 IR 87"], True),
        ],
    )
    def test_a_name_that_differs_links_by_the_ids_and_is_shown(
        self, perform: Perform, acceptance_store: Store, name: str, charset: Any, differs: bool
    ) -> None:
        uid = begin(perform, acceptance_store["S1"], PatientName=name, charset=charset)
        assert status_of(acceptance_store["S1"]) == Status.IN_PROGRESS
        assert stored(uid).patient_name.rstrip("^") == name.rstrip("^")
        assert bool(open_attention(AttentionKind.IDENTITY)) is differs

    @pytest.mark.acceptance("D98")
    def test_a_step_without_a_patient_id_is_linked(self, perform: Perform, acceptance_store: Store) -> None:
        uid = begin(perform, acceptance_store["S1"], PatientID="")
        assert status_of(acceptance_store["S1"]) == Status.IN_PROGRESS
        assert stored(uid).patient_id == ""
        assert open_attention(AttentionKind.IDENTITY) == []

    def test_a_step_of_another_participant_is_linked_by_its_ids_and_shown(
        self, perform: Perform, acceptance_store: Store
    ) -> None:
        """The patient was retyped at the console: whoever it is, a person must look."""
        begin(perform, acceptance_store["S1"], PatientID="P2", PatientName="DOE^JANE")
        assert status_of(acceptance_store["S1"]) == Status.IN_PROGRESS
        assert status_of(acceptance_store["S2"]) == Status.SCHEDULED
        (told,) = open_attention(AttentionKind.IDENTITY)
        assert "DOE, JANE" in told and "P2" in told

    @pytest.mark.acceptance("D99")
    def test_a_step_without_a_uid_is_given_one(self, server: RunningServer, items: Any) -> None:
        first, second = items(2)
        with server.raw() as user:
            user.associate(sop_class=scu.MPPS)
            given = []
            for item in (first, second):
                answer = user.n_create(None, scu.implicit(steps.begun(item)))
                assert answer.status == SUCCESS
                given.append(str(answer.command.AffectedSOPInstanceUID))
            assert len(set(given)) == 2
            assert user.n_set(given[0], scu.implicit(steps.completed())).status == SUCCESS
        assert (status_of(first), status_of(second)) == (Status.COMPLETED, Status.IN_PROGRESS)
        assert set(PerformedStep.objects.values_list("sop_instance_uid", flat=True)) == set(given)

    @pytest.mark.parametrize("ended", [False, True], ids=["D100", "D101"])
    def test_a_uid_that_is_known_is_refused_and_nothing_changes(
        self, perform: Perform, acceptance_store: Store, ended: bool
    ) -> None:
        uid = begin(perform, acceptance_store["S1"])
        if ended:
            assert end(perform, uid).status == SUCCESS
        before, statuses = kept(uid), statuses_of(acceptance_store)
        again = steps.begun(acceptance_store["S5"], PatientName="OTHER^NAME")
        (answer,) = perform(create(uid, again))
        assert answer.status == DUPLICATE
        assert (kept(uid), statuses_of(acceptance_store)) == (before, statuses)

    @pytest.mark.parametrize(
        "status",
        [
            pytest.param("COMPLETED", id="D102"),
            pytest.param("DISCONTINUED", id="D102, discontinued"),
            pytest.param("in progress", id="D103"),
            pytest.param("IN_PROGRESS", id="D103, underscore"),
            pytest.param(["IN PROGRESS", "COMPLETED"], id="D103, two values"),
        ],
    )
    def test_another_status_than_in_progress_is_refused_and_nothing_is_kept(
        self, perform: Perform, acceptance_store: Store, status: Any
    ) -> None:
        before = statuses_of(acceptance_store)
        dataset = steps.begun(acceptance_store["S1"], PerformedProcedureStepStatus=status)
        (answer,) = perform(create(steps.new_uid(), dataset))
        assert answer.status == INVALID_VALUE
        assert "(0040,0252)" in answer.comment
        assert not PerformedStep.objects.exists()
        assert statuses_of(acceptance_store) == before

    @pytest.mark.acceptance("D107")
    @pytest.mark.parametrize("uid", ["1.02.3", "1..2", "abc", "1.2.3."])
    def test_an_invalid_uid_is_refused(self, server: RunningServer, items: Any, uid: str) -> None:
        (item,) = items()
        with server.raw() as user:
            user.associate(sop_class=scu.MPPS)
            assert user.n_create(uid, scu.implicit(steps.begun(item))).status == INVALID_INSTANCE
            assert user.n_create(steps.new_uid(), scu.implicit(steps.begun(item))).status == SUCCESS
        assert PerformedStep.objects.count() == 1


def incomplete() -> list[Any]:
    absent = [
        ("D104", "ScheduledStepAttributesSequence", "(0040,0270)"),
        ("D106", "PerformedProcedureStepID", "(0040,0253)"),
        ("D106", "PerformedStationAETitle", "(0040,0241)"),
        ("D106", "PerformedProcedureStepStartDate", "(0040,0244)"),
        ("D106", "PerformedProcedureStepStartTime", "(0040,0245)"),
        ("D106", "Modality", "(0008,0060)"),
    ]
    return [pytest.param(keyword, tag, id=f"{row}, {keyword}") for row, keyword, tag in absent]


class TestIncompleteReports:
    @pytest.mark.acceptance("D104", "D106")
    @pytest.mark.parametrize(("keyword", "tag"), incomplete())
    def test_a_strict_server_refuses_what_lacks_an_attribute_of_type_1_and_names_it(
        self, perform: Perform, strict_server: RunningServer, items: Any, keyword: str, tag: str
    ) -> None:
        (item,) = items()
        no_value = [] if keyword == "ScheduledStepAttributesSequence" else ""
        absent, empty, whole = perform(
            create(steps.new_uid(), steps.without(steps.begun(item), keyword)),
            create(steps.new_uid(), steps.begun(item, **{keyword: no_value})),
            create(steps.new_uid(), steps.begun(item)),
            port=strict_server.port,
        )
        assert (absent.status, empty.status, whole.status) == (MISSING, EMPTY, SUCCESS)
        assert tag in absent.comment and tag in empty.comment
        assert PerformedStep.objects.count() == 1

    @pytest.mark.acceptance("D104", "D106")
    @pytest.mark.parametrize(("keyword", "tag"), incomplete())
    def test_a_lenient_server_accepts_it_and_records_the_deviation(
        self, perform: Perform, items: Any, keyword: str, tag: str
    ) -> None:
        (item,) = items()
        uid = steps.new_uid()
        (answer,) = perform(create(uid, steps.without(steps.begun(item), keyword)))
        assert answer.status == SUCCESS
        (deviation,) = stored(uid).deviations
        assert tag in deviation
        assert open_attention(AttentionKind.DEVIATION) == [deviation]
        unscheduled = keyword == "ScheduledStepAttributesSequence"
        assert len(open_attention(AttentionKind.UNSCHEDULED)) == unscheduled
        assert status_of(item) == (Status.SCHEDULED if unscheduled else Status.IN_PROGRESS)

    @pytest.mark.acceptance("D105")
    def test_a_strict_server_refuses_a_scheduled_step_without_a_study(
        self, perform: Perform, strict_server: RunningServer, items: Any
    ) -> None:
        (item,) = items()
        absent = steps.without(steps.scheduled_step(item), "StudyInstanceUID")
        empty = steps.scheduled_step(item, StudyInstanceUID="")
        datasets = [steps.begun(item, ScheduledStepAttributesSequence=[each]) for each in (absent, empty)]
        answers = perform(
            *(create(steps.new_uid(), dataset) for dataset in datasets), port=strict_server.port
        )
        assert [answer.status for answer in answers] == [MISSING, EMPTY]
        assert all("(0020,000D)" in answer.comment for answer in answers)
        assert not PerformedStep.objects.exists()

    @pytest.mark.acceptance("D105")
    def test_a_lenient_server_links_it_by_accession_number_and_step_id(
        self, perform: Perform, items: Any
    ) -> None:
        (item,) = items()
        part = steps.without(steps.scheduled_step(item), "StudyInstanceUID")
        uid = begin(perform, item, ScheduledStepAttributesSequence=[part])
        assert stored(uid).links.get().evidence == Evidence.ACCESSION
        assert any("(0020,000D)" in each for each in stored(uid).deviations)
        assert status_of(item) == Status.IN_PROGRESS

    @pytest.mark.acceptance("D117")
    @pytest.mark.parametrize(
        ("keyword", "tag"),
        [
            ("PerformedProcedureStepEndDate", "(0040,0250)"),
            ("PerformedProcedureStepEndTime", "(0040,0251)"),
            ("PerformedSeriesSequence", "(0040,0340)"),
        ],
    )
    def test_an_end_without_its_date_time_or_series(
        self, perform: Perform, strict_server: RunningServer, items: Any, keyword: str, tag: str
    ) -> None:
        first, second = items(2)
        refused, accepted = steps.new_uid(), steps.new_uid()
        assert [
            answer.status
            for answer in perform(
                create(refused, steps.without(steps.begun(first), keyword)),
                create(refused, steps.begun(first)),
                port=strict_server.port,
            )
        ] == [MISSING, SUCCESS]
        before = kept(refused)
        last = steps.without(steps.completed(), keyword)
        answer = end(perform, refused, last, port=strict_server.port)
        # Created empty, it is there and has no value.
        assert answer.status == EMPTY
        assert tag in answer.comment
        assert kept(refused) == before
        assert status_of(first) == Status.IN_PROGRESS
        assert end(perform, refused, port=strict_server.port).status == SUCCESS

        perform(create(accepted, steps.begun(second)))
        assert end(perform, accepted, steps.without(steps.completed(), keyword)).status == SUCCESS
        assert any(tag in deviation for deviation in stored(accepted).deviations)
        assert open_attention(AttentionKind.DEVIATION)
        assert status_of(second) == Status.COMPLETED


class TestSet:
    @pytest.mark.acceptance("D108")
    def test_a_completed_step_completes_the_item_and_hides_it(
        self, perform: Perform, query: Query, acceptance_store: Store
    ) -> None:
        before = statuses_of(acceptance_store)
        uid = begin(perform, acceptance_store["S1"])
        done = [steps.series(1, images=3), steps.series(2, images=5)]
        assert end(perform, uid, steps.completed(*done)) == Answer(SUCCESS, dataset=Dataset())
        assert statuses_of(acceptance_store) == {**before, "S1": Status.COMPLETED}
        assert "S1" not in offered(query)
        step = stored(uid)
        assert (step.status, step.end_date) == (PerformedStatus.COMPLETED, date(2026, 1, 10))
        assert step.end_time == time(10, 15, 30, 120000)
        assert step.finished_at is not None
        assert list(step.series.values_list("number", "protocol_name", "operators_name", "image_count")) == [
            (1, "t1_mprage_1", "Tech^Anna", 3),
            (2, "t1_mprage_2", "Tech^Anna", 5),
        ]
        reasons = step.history.order_by("history_id").values_list("history_user_id", "history_change_reason")
        assert list(reasons) == [("device:MR1", "MPPS in progress"), ("device:MR1", "MPPS completed")]
        item_history = acceptance_store["S1"].history.order_by("history_id")
        assert list(item_history.values_list("performed_procedure_step_status", flat=True)) == [
            Status.SCHEDULED,
            Status.IN_PROGRESS,
            Status.COMPLETED,
        ]

    @pytest.mark.acceptance("D109")
    @pytest.mark.parametrize("policy", ["discontinued", "scheduled"])
    def test_a_discontinued_step_shows_its_reason_and_the_policy_decides(
        self, perform: Perform, query: Query, request: pytest.FixtureRequest, items: Any, policy: str
    ) -> None:
        (item,) = items()
        port = request.getfixturevalue("strict_server").port if policy == "scheduled" else None
        uid = begin(perform, item)
        stop = steps.discontinued(reason=steps.EQUIPMENT_FAILURE)
        assert end(perform, uid, stop, port=port).status == SUCCESS
        step = stored(uid)
        assert step.status == PerformedStatus.DISCONTINUED
        assert (step.discontinuation_reason_code, step.discontinuation_reason) == steps.EQUIPMENT_FAILURE
        assert step.history.latest().history_change_reason == "MPPS discontinued: Equipment failure"
        expected = Status.DISCONTINUED if policy == "discontinued" else Status.SCHEDULED
        assert status_of(item) == expected
        assert offered(query) == {"S1": expected}
        assert open_attention(AttentionKind.WRONG_ENTRY) == []

    @pytest.mark.acceptance("D110")
    @pytest.mark.parametrize("policy", ["discontinued", "scheduled"])
    def test_a_wrong_entry_is_offered_again_and_a_person_is_told(
        self, perform: Perform, query: Query, request: pytest.FixtureRequest, items: Any, policy: str
    ) -> None:
        (item,) = items()
        port = request.getfixturevalue("strict_server").port if policy == "scheduled" else None
        uid = begin(perform, item)
        stop = steps.discontinued(reason=steps.WRONG_ENTRY)
        assert end(perform, uid, stop, port=port).status == SUCCESS
        assert status_of(item) == Status.SCHEDULED
        assert offered(query) == {"S1": "SCHEDULED"}
        assert stored(uid).status == PerformedStatus.DISCONTINUED
        assert stored(uid).links.get().item == item
        assert len(open_attention(AttentionKind.WRONG_ENTRY)) == 1

    def test_a_step_stopped_before_its_first_series_is_accepted(self, perform: Perform, items: Any) -> None:
        (item,) = items()
        uid = begin(perform, item)
        stop = steps.discontinued(reason=steps.EQUIPMENT_FAILURE, PerformedSeriesSequence=[])
        assert end(perform, uid, stop).status == SUCCESS
        assert status_of(item) == Status.DISCONTINUED
        assert stored(uid).deviations == []

    @pytest.mark.acceptance("D111")
    def test_an_unknown_uid_is_refused(self, perform: Perform, items: Any) -> None:
        (item,) = items()
        assert end(perform, steps.new_uid()).status == NO_SUCH_INSTANCE
        assert not PerformedStep.objects.exists()
        assert status_of(item) == Status.SCHEDULED

    @pytest.mark.parametrize(
        ("last", "then"),
        [
            pytest.param(steps.completed(), steps.completed(), id="D112"),
            pytest.param(steps.completed(), steps.discontinued(), id="D112, then discontinued"),
            pytest.param(steps.completed(), steps.progress(), id="D112, then in progress"),
            pytest.param(steps.completed(), data_set({"SpecificCharacterSet": ""}), id="D112, then nothing"),
            pytest.param(steps.discontinued(), steps.completed(), id="D113"),
            pytest.param(
                steps.completed(),
                steps.completed(PerformedProcedureStepStatus="BANANA"),
                id="D112 and D114",
            ),
        ],
    )
    def test_after_the_end_nothing_may_be_set(
        self, perform: Perform, items: Any, last: Dataset, then: Dataset
    ) -> None:
        (item,) = items()
        uid = begin(perform, item)
        assert end(perform, uid, last).status == SUCCESS
        before, status = kept(uid), status_of(item)
        (answer,) = perform(change(uid, then))
        assert answer == NO_LONGER
        assert (kept(uid), status_of(item)) == (before, status)

    @pytest.mark.acceptance("D114")
    @pytest.mark.parametrize("status", ["BANANA", "completed", "SCHEDULED", ["COMPLETED", "COMPLETED"]])
    def test_an_unknown_status_is_refused_and_nothing_changes(
        self, perform: Perform, items: Any, status: Any
    ) -> None:
        (item,) = items()
        uid = begin(perform, item)
        before = kept(uid)
        answer = end(perform, uid, steps.completed(PerformedProcedureStepStatus=status))
        assert answer.status == INVALID_VALUE
        assert kept(uid) == before
        assert status_of(item) == Status.IN_PROGRESS

    @pytest.mark.acceptance("D115")
    def test_series_without_a_status_replace_the_sequence_whole(self, perform: Perform, items: Any) -> None:
        (item,) = items()
        uid = begin(perform, item)
        updates = [
            steps.without(steps.progress(*done), "PerformedProcedureStepStatus")
            for done in ([steps.series(1), steps.series(2)], [steps.series(3, images=7)])
        ]
        answers = perform(*(change(uid, update) for update in updates))
        assert [answer.status for answer in answers] == [SUCCESS, SUCCESS]
        step = stored(uid)
        assert list(step.series.values_list("number", "description", "image_count")) == [
            (1, "t1_mprage_3", 7)
        ]
        assert len(step.dataset["00400340"]["Value"]) == 1
        assert step.status == PerformedStatus.IN_PROGRESS
        assert status_of(item) == Status.IN_PROGRESS

    @pytest.mark.acceptance("D116")
    @pytest.mark.parametrize(
        ("keyword", "value", "tag"),
        [
            ("PatientID", "OTHER", "00100020"),
            ("PatientName", "OTHER^NAME", "00100010"),
            ("Modality", "CT", "00080060"),
            ("PerformedProcedureStepStartDate", "20200101", "00400244"),
            ("PerformedProcedureStepID", "OTHER", "00400253"),
        ],
    )
    def test_what_an_n_set_may_not_carry_is_ignored_with_a_warning(
        self, perform: Perform, items: Any, keyword: str, value: str, tag: str
    ) -> None:
        (item,) = items()
        uid = begin(perform, item)
        before = stored(uid)
        answer = end(perform, uid, steps.completed(**{keyword: value}))
        assert answer.status == ATTRIBUTE_LIST_ERROR
        assert f"({tag[:4]},{tag[4:]})" in answer.comment
        after = stored(uid)
        assert after.dataset[tag] == before.dataset[tag]
        for field in ("patient_id", "patient_name", "modality", "start_date", "performed_procedure_step_id"):
            assert getattr(after, field) == getattr(before, field)
        assert after.status == PerformedStatus.COMPLETED
        assert status_of(item) == Status.COMPLETED

    @pytest.mark.acceptance("D209")
    def test_an_end_that_repeats_the_beginning_is_a_success_unless_strict(
        self, perform: Perform, strict_server: RunningServer, items: Any
    ) -> None:
        (item,) = items()
        again = ("PatientName", "PatientID", "Modality", "ScheduledStepAttributesSequence")
        repeated = {keyword: steps.begun(item)[keyword].value for keyword in again}
        for port, status in (({}, SUCCESS), ({"port": strict_server.port}, ATTRIBUTE_LIST_ERROR)):
            uid = begin(perform, item)
            assert end(perform, uid, steps.completed(**repeated), **port).status == status
            assert stored(uid).status == PerformedStatus.COMPLETED
            assert stored(uid).remarks[-1].startswith("Repeated with N-SET")

    @pytest.mark.acceptance("D116")
    def test_the_scheduled_step_cannot_be_exchanged_under_a_running_examination(
        self, perform: Perform, items: Any
    ) -> None:
        first, second = items(2)
        uid = begin(perform, first)
        exchanged = steps.completed(ScheduledStepAttributesSequence=[steps.scheduled_step(second)])
        assert end(perform, uid, exchanged).status == ATTRIBUTE_LIST_ERROR
        assert (status_of(first), status_of(second)) == (Status.COMPLETED, Status.SCHEDULED)
        assert stored(uid).links.get().item == first

    @pytest.mark.acceptance("D118")
    def test_progress_may_be_told_again_and_again(self, perform: Perform, items: Any) -> None:
        (item,) = items()
        uid = begin(perform, item)
        done = [steps.series(number) for number in range(1, 5)]
        updates = [change(uid, steps.progress(*done[:number])) for number in range(5)]
        assert [answer.status for answer in perform(*updates)] == [SUCCESS] * 5
        assert stored(uid).series.count() == 4
        assert status_of(item) == Status.IN_PROGRESS
        assert end(perform, uid, steps.completed(*done)).status == SUCCESS


class TestLinks:
    @pytest.mark.acceptance("D123")
    def test_a_group_starts_and_completes_all_its_items(
        self, perform: Perform, acceptance_store: Store
    ) -> None:
        group = [acceptance_store[name] for name in ("S1", "S5", "S7")]
        before = statuses_of(acceptance_store)
        uid = begin(perform, *group)
        for status in (Status.IN_PROGRESS, Status.COMPLETED):
            changed = dict.fromkeys(("S1", "S5", "S7"), status)
            assert statuses_of(acceptance_store) == {**before, **changed}
            end(perform, uid)

    @pytest.mark.acceptance("D124")
    def test_a_group_with_a_new_study_is_found_through_the_referenced_ones(
        self, perform: Perform, items: Any
    ) -> None:
        first, second, third = items(3)
        parts = [
            steps.scheduled_step(
                item,
                StudyInstanceUID="1.2.840.99.1",
                ReferencedStudySequence=[
                    data_set(
                        {
                            "ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.1",
                            "ReferencedSOPInstanceUID": item.study_instance_uid,
                        }
                    )
                ],
            )
            for item in (first, second)
        ]
        uid = begin(perform, first, ScheduledStepAttributesSequence=parts)
        assert set(stored(uid).links.values_list("item", "evidence")) == {
            (first.pk, Evidence.REFERENCED_STUDY),
            (second.pk, Evidence.REFERENCED_STUDY),
        }
        assert end(perform, uid).status == SUCCESS
        assert [status_of(item) for item in (first, second, third)] == [
            Status.COMPLETED,
            Status.COMPLETED,
            Status.SCHEDULED,
        ]

    @pytest.mark.acceptance("D125")
    def test_an_unscheduled_step_is_listed_and_touches_no_item(
        self, perform: Perform, acceptance_store: Store
    ) -> None:
        before = statuses_of(acceptance_store)
        part = steps.scheduled_step(
            acceptance_store["S1"],
            StudyInstanceUID="1.2.840.99.2",
            AccessionNumber="",
            RequestedProcedureID="",
            ScheduledProcedureStepID="",
        )
        uid = begin(perform, acceptance_store["S1"], ScheduledStepAttributesSequence=[part])
        for _ in range(2):
            assert statuses_of(acceptance_store) == before
            assert not stored(uid).links.exists()
            assert len(open_attention(AttentionKind.UNSCHEDULED)) == 1
            end(perform, uid)
        assert stored(uid).status == PerformedStatus.COMPLETED

    @pytest.mark.acceptance("D126")
    def test_a_second_step_of_an_item_is_kept_beside_the_first(
        self, perform: Perform, query: Query, items: Any
    ) -> None:
        (item,) = items()
        first = begin(perform, item)
        assert end(perform, first).status == SUCCESS
        second = begin(perform, item)
        assert status_of(item) == Status.IN_PROGRESS
        assert set(item.performed_steps.values_list("sop_instance_uid", flat=True)) == {first, second}
        assert end(perform, second, steps.discontinued()).status == SUCCESS
        # What was completed stays so, whatever becomes of the appended step.
        assert status_of(item) == Status.COMPLETED
        assert stored(first).status == PerformedStatus.COMPLETED
        assert offered(query) == {}

    @pytest.mark.acceptance("D128")
    def test_an_item_cancelled_before_it_began_is_performed_and_the_conflict_is_shown(
        self, perform: Perform, query: Query, items: Any
    ) -> None:
        (item,) = items()
        lifecycle.move(item, to=Status.CANCELLED, actor="source:redcap")
        assert offered(query) == {}
        uid = begin(perform, item)
        assert status_of(item) == Status.IN_PROGRESS
        assert len(open_attention(AttentionKind.CANCELLED)) == 1
        assert end(perform, uid).status == SUCCESS
        assert status_of(item) == Status.COMPLETED
        assert len(open_attention(AttentionKind.CANCELLED)) == 1

    @pytest.mark.acceptance("D128")
    def test_an_item_cancelled_and_wrongly_selected_is_cancelled_again(
        self, perform: Perform, query: Query, items: Any
    ) -> None:
        (item,) = items()
        lifecycle.move(item, to=Status.CANCELLED, actor="source:redcap")
        uid = begin(perform, item)
        assert end(perform, uid, steps.discontinued(reason=steps.WRONG_ENTRY)).status == SUCCESS
        assert status_of(item) == Status.CANCELLED
        assert offered(query) == {}

    @pytest.mark.acceptance("D128")
    def test_an_item_withdrawn_while_in_progress_goes_on_and_the_conflict_is_shown(
        self, perform: Perform, items: Any
    ) -> None:
        (item,) = items()
        uid = begin(perform, item)
        assert not lifecycle.withdraw(item, actor="source:redcap", reason="the record was deleted")
        assert status_of(item) == Status.IN_PROGRESS
        (told,) = open_attention(AttentionKind.CANCELLED)
        assert "source:redcap" in told and "the record was deleted" in told
        assert end(perform, uid).status == SUCCESS
        assert status_of(item) == Status.COMPLETED
        assert len(open_attention(AttentionKind.CANCELLED)) == 1

    @pytest.mark.acceptance("D129")
    def test_a_protocol_that_was_not_scheduled_is_kept_and_shown(self, perform: Perform, items: Any) -> None:
        (item,) = items(protocol_name="BRAIN", hisris_coding_designator="GEHC")
        uid = begin(perform, item)
        assert open_attention(AttentionKind.PROTOCOL) == []
        done = steps.completed(PerformedProtocolCodeSequence=[steps.code("SPINE", "Whole spine", "GEHC")])
        assert end(perform, uid, done).status == SUCCESS
        assert text(uid, "00400260")["00080100"]["Value"] == ["SPINE"]
        (told,) = open_attention(AttentionKind.PROTOCOL)
        assert "BRAIN" in told and "SPINE" in told


@pytest.mark.acceptance("D130")
class TestRetrieve:
    def get(self, perform: Perform, uid: str, *tags: int) -> Answer:
        (answer,) = perform(Message("N-GET", uid, tags=tags, sop_class=scu.MPPS_RETRIEVE))
        return answer

    def test_all_that_is_stored_is_returned(self, perform: Perform, items: Any) -> None:
        (item,) = items()
        uid = begin(perform, item)
        assert end(perform, uid, steps.completed(steps.series(1, images=3))).status == SUCCESS
        answer = self.get(perform, uid)
        assert answer.status == SUCCESS
        found = answer.dataset
        assert found is not None
        assert found.PatientID == "P1"
        assert found.PerformedProcedureStepStatus == "COMPLETED"
        assert found.PerformedProcedureStepEndDate == "20260110"
        (part,) = found.ScheduledStepAttributesSequence
        assert part.StudyInstanceUID == item.study_instance_uid
        (done,) = found.PerformedSeriesSequence
        assert len(done.ReferencedImageSequence) == 3

    @pytest.mark.parametrize(
        ("end_with", "expected"),
        [(None, "IN PROGRESS"), (steps.completed(), "COMPLETED"), (steps.discontinued(), "DISCONTINUED")],
        ids=["in progress", "completed", "discontinued"],
    )
    def test_a_subset_is_returned_and_nothing_else(
        self, perform: Perform, items: Any, end_with: Dataset | None, expected: str
    ) -> None:
        uid = begin(perform, *items())
        if end_with is not None:
            end(perform, uid, end_with)
        answer = self.get(perform, uid, 0x00400252, 0x00100020, 0x00400241)
        assert answer.status == SUCCESS
        assert answer.dataset is not None
        values = {element.keyword: element.value for element in answer.dataset}
        assert values == {
            "PatientID": "P1",
            "PerformedStationAETitle": "MR1",
            "PerformedProcedureStepStatus": expected,
        }

    def test_an_attribute_that_is_not_supported_is_a_warning(self, perform: Perform, items: Any) -> None:
        uid = begin(perform, *items())
        answer = self.get(perform, uid, 0x00100020, 0x00282110)
        assert answer.status == NOT_SUPPORTED
        assert answer.dataset is not None
        assert {element.keyword for element in answer.dataset} == {"PatientID"}

    def test_an_unknown_step_is_refused(self, perform: Perform) -> None:
        assert self.get(perform, steps.new_uid()).status == NO_SUCH_INSTANCE

    def test_reading_changes_nothing(self, perform: Perform, items: Any) -> None:
        uid = begin(perform, *items())
        before = kept(uid)
        self.get(perform, uid)
        self.get(perform, uid, 0x00400252)
        assert kept(uid) == before


class TestCharacterSets:
    @pytest.mark.parametrize(
        ("name", "charset"),
        [
            ("MÜLLER^JÖRG", steps.LATIN_1),
            ("MÜLLER^JÖRG", steps.UTF_8),
            ("Yamada^Tarou=山田^太郎", ["", "ISO 2022 IR 87"]),
            ("Yamada^Tarou=山田^太郎=やまだ^たろう", steps.UTF_8),
            ("王^小明", "GB18030"),
        ],
    )
    def test_a_name_is_kept_and_read_back_whole(
        self, perform: Perform, items: Any, name: str, charset: Any
    ) -> None:
        (item,) = items(patient_name=name)
        done = [steps.series(1, OperatorsName=name, SeriesDescription="t2")]
        uid = begin(perform, item, charset=charset)
        assert end(perform, uid, steps.completed(*done, charset=charset)).status == SUCCESS
        step = stored(uid)
        assert step.patient_name == name
        assert step.series.get().operators_name == name
        assert not Attention.objects.exists()
        (answer,) = perform(Message("N-GET", uid, sop_class=scu.MPPS_RETRIEVE))
        assert answer.dataset is not None
        assert answer.dataset.PatientName == name
        assert answer.dataset.PerformedSeriesSequence[0].OperatorsName == name

    @pytest.mark.acceptance("D132")
    def test_latin_1_at_the_beginning_and_utf_8_at_the_end(self, perform: Perform, items: Any) -> None:
        (item,) = items(patient_name="MÜLLER^JÖRG")
        created = steps.begun(
            item, PerformedProcedureStepDescription="Schädel", PerformedLocation="Gebäude 3"
        )
        uid = steps.new_uid()
        perform(create(uid, created))
        done = steps.series(1, OperatorsName="山田^太郎", SeriesDescription="Schädel quer")
        assert end(perform, uid, steps.completed(done, charset=steps.UTF_8)).status == SUCCESS
        step = stored(uid)
        assert (step.patient_name, step.performed_location) == ("MÜLLER^JÖRG", "Gebäude 3")
        series = step.series.get()
        assert (series.operators_name, series.description) == ("山田^太郎", "Schädel quer")
        (answer,) = perform(Message("N-GET", uid, sop_class=scu.MPPS_RETRIEVE))
        found = answer.dataset
        assert found is not None
        assert (found.PatientName, found.PerformedLocation) == ("MÜLLER^JÖRG", "Gebäude 3")
        assert found.PerformedSeriesSequence[0].OperatorsName == "山田^太郎"
        assert found.PerformedSeriesSequence[0].SeriesDescription == "Schädel quer"

    @pytest.mark.acceptance("D132")
    def test_utf_8_at_the_beginning_and_latin_1_at_the_end(self, perform: Perform, items: Any) -> None:
        (item,) = items(patient_name="王^小明")
        uid = begin(perform, item, charset=steps.UTF_8)
        done = steps.series(1, OperatorsName="MÜLLER^JÖRG")
        assert end(perform, uid, steps.completed(done, charset=steps.LATIN_1)).status == SUCCESS
        assert stored(uid).patient_name == "王^小明"
        assert stored(uid).series.get().operators_name == "MÜLLER^JÖRG"
