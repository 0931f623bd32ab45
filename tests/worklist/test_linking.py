"""A reference means an item by the strongest evidence that is unambiguous, never by a name or a patient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.worklist.conftest import make_item
from worklist.dicom.performed import Reference
from worklist.examinations import linking
from worklist.models import Evidence, Status, WorklistItem

pytestmark = pytest.mark.django_db

Save = Callable[..., WorklistItem]


def reference(
    study: str = "", step: str = "", *, procedure: str = "", accession: str = "", others: tuple[str, ...] = ()
) -> Reference:
    return Reference(
        study_instance_uid=study,
        referenced_study_uids=others,
        scheduled_procedure_step_id=step,
        requested_procedure_id=procedure,
        accession_number=accession,
        scheduled_protocol_codes=(),
    )


@pytest.fixture
def save() -> Save:
    """Return `save(number, **values)`, which stores an item with ids of its number."""

    def make(number: int, **values: Any) -> WorklistItem:
        item: WorklistItem = make_item(number, **values)
        item.save()
        return item

    return make


@pytest.mark.parametrize(
    ("given", "evidence"),
    [
        pytest.param(reference("1.2.3.1", "S1"), Evidence.STEP, id="D95: study and step"),
        pytest.param(
            reference("9.9", "S1", others=("1.2.3.1",)),
            Evidence.REFERENCED_STUDY,
            id="D124: referenced study and step",
        ),
        pytest.param(reference("1.2.3.1", procedure="R1"), Evidence.PROCEDURE, id="study and procedure"),
        pytest.param(
            reference("9.9", procedure="R1", others=("1.2.3.1",)),
            Evidence.PROCEDURE,
            id="referenced study and procedure",
        ),
        pytest.param(reference("9.9", "S1", accession="A1"), Evidence.ACCESSION, id="accession and step"),
        pytest.param(
            reference("9.9", "S1", procedure="R1"), Evidence.STEP_PROCEDURE, id="D214: step and procedure"
        ),
        pytest.param(
            reference(step="S1", procedure="R1", accession="A9"),
            Evidence.STEP_PROCEDURE,
            id="D214: step and procedure, no study",
        ),
        pytest.param(reference("1.2.3.1"), Evidence.STUDY, id="study alone"),
        pytest.param(
            reference("1.2.3.1", "S1", procedure="R2", accession="A2"),
            Evidence.STEP,
            id="the strongest decides against the others",
        ),
    ],
)
def test_an_item_is_found_by_the_strongest_evidence(given: Reference, evidence: Evidence, save: Save) -> None:
    wanted = save(1)
    save(2)
    found = linking.find(given)
    assert found is not None
    assert (found.item, found.evidence) == (wanted, evidence)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(reference(), id="nothing said"),
        pytest.param(reference("9.9"), id="D125: a study of the scanner's own"),
        pytest.param(reference(step="S1"), id="a step ID alone"),
        pytest.param(reference(accession="A1"), id="an accession number alone"),
        pytest.param(reference(procedure="R1"), id="a procedure ID alone"),
        pytest.param(reference("9.9", procedure="R1", accession="A1"), id="ids of a procedure, no step"),
        pytest.param(reference("9.9", "S1", accession="A2"), id="ids of two items"),
        pytest.param(reference("9.9", "S1", procedure="R2"), id="D214: step and procedure of two items"),
        pytest.param(
            reference("9.9", "S1", procedure="R1", accession="A2"), id="D214: and another's accession number"
        ),
    ],
)
def test_weaker_evidence_links_nothing(given: Reference, save: Save) -> None:
    save(1)
    save(2)
    assert linking.find(given) is None


@pytest.mark.acceptance("D214")
@pytest.mark.parametrize("shared", ["scheduled_procedure_step_id", "requested_procedure_id"])
def test_step_and_procedure_that_another_item_shares_link_nothing(shared: str, save: Save) -> None:
    first = save(1)
    save(2, **{shared: getattr(first, shared)})
    assert linking.find(reference("9.9", "S1", procedure="R1")) is None


@pytest.mark.acceptance("D214")
def test_step_and_procedure_of_one_item_and_the_study_of_another_link_not_the_first(save: Save) -> None:
    save(1)
    other = save(2)
    found = linking.find(reference("1.2.3.2", "S1", procedure="R1"))
    assert found is not None
    assert (found.item, found.evidence) == (other, Evidence.STUDY)


def test_a_study_of_several_open_steps_is_ambiguous_without_a_step_id(save: Save) -> None:
    save(1, study_instance_uid="1.2.3.1", requested_procedure_id="R1")
    save(2, study_instance_uid="1.2.3.1", requested_procedure_id="R1")
    assert linking.find(reference("1.2.3.1")) is None
    assert linking.find(reference("1.2.3.1", procedure="R1")) is None


@pytest.mark.parametrize("over", [Status.COMPLETED, Status.CANCELLED])
@pytest.mark.parametrize("procedure", ["", "R1"])
def test_of_a_study_the_one_open_step_is_meant(over: Status, procedure: str, save: Save) -> None:
    save(1, study_instance_uid="1.2.3.1", requested_procedure_id="R1", performed_procedure_step_status=over)
    open_one = save(2, study_instance_uid="1.2.3.1", requested_procedure_id="R1")
    found = linking.find(reference("1.2.3.1", procedure=procedure))
    assert found is not None
    assert found.item == open_one


@pytest.mark.parametrize("status", Status)
def test_study_and_step_find_the_item_whatever_its_status(status: Status, save: Save) -> None:
    wanted = save(1, performed_procedure_step_status=status)
    found = linking.find(reference("1.2.3.1", "S1"))
    assert found is not None
    assert found.item == wanted


def test_two_items_with_one_accession_number_and_step_id_are_ambiguous(save: Save) -> None:
    for number in (1, 2):
        save(number, accession_number="A1", scheduled_procedure_step_id="S1")
    assert linking.find(reference("9.9", "S1", accession="A1")) is None


def test_what_the_scanner_said_against_the_item_is_told(save: Save) -> None:
    save(1)
    found = linking.find(reference("1.2.3.1", "S7", procedure="R7"))
    assert found is not None
    assert found.evidence == Evidence.STUDY
    assert found.doubts == (
        "Scheduled Procedure Step ID: S1 in the worklist, S7 at the scanner.",
        "Requested Procedure ID: R1 in the worklist, R7 at the scanner.",
    )


@pytest.mark.acceptance("D123")
def test_a_group_finds_each_item_once_and_names_what_it_misses(save: Save) -> None:
    first, second = save(1), save(2)
    found, missed = linking.find_all(
        [
            reference("1.2.3.1", "S1"),
            reference("1.2.3.2", "S2"),
            reference("1.2.3.1", "S1"),
            reference("9.9", "S9", accession="A9"),
            reference("9.9"),
        ]
    )
    assert [each.item for each in found] == [first, second]
    assert missed == [
        "Scheduled step 4 of the report is no item of the worklist: step ID S9, accession number A9."
    ]


def test_finding_takes_a_bounded_number_of_queries(save: Save, django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        save(number, study_instance_uid="1.2.3.1")
    with django_assert_max_num_queries(6):
        linking.find(reference("1.2.3.1", "no such", procedure="R", accession="A", others=("9.9",)))
