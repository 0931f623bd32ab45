"""References to images are packed where they are kept, and who looks finds them as they were sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from tests.api_client import client_of
from tests.effort import tries
from tests.worklist.conftest import make_item
from tests.worklist.performed_steps import begun, completed, new_uid, progress, series
from worklist.admin import dataset
from worklist.dicom import image_references, json_model, mpps, performed
from worklist.dicom.image_references import FEWEST, References
from worklist.dicom.json_model import DataSet
from worklist.examinations import performing
from worklist.examinations.performing import Sender
from worklist.models import PerformedStep
from worklist.models.serialised import SerialisedEncoder, SerialisedObject

MR1 = Sender("MR1", "127.0.0.1")
SERIES, IMAGES, OTHERS = "00400340", "00081140", "00400220"

numbers = st.one_of(st.integers(0, 9), st.integers(0, 10**30))
uids = st.lists(numbers, min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))


def reference(sop_class: str, instance: str) -> DataSet:
    return {"00081150": {"vr": "UI", "Value": [sop_class]}, "00081155": {"vr": "UI", "Value": [instance]}}


def data_set(*references: Any, key: str = IMAGES) -> DataSet:
    of_series = {"0020000E": {"vr": "UI", "Value": ["1.2"]}, key: {"vr": "SQ", "Value": list(references)}}
    return {SERIES: {"vr": "SQ", "Value": [of_series]}, "00100020": {"vr": "LO", "Value": ["P1"]}}


def many(number: int = FEWEST) -> list[Any]:
    return [reference("1.2.840.10008.5.1.4.1.1.4", f"1.2.{each}") for each in range(number)]


@pytest.mark.acceptance("WR3")
@given(pairs=st.lists(st.tuples(uids, uids), max_size=40))
@settings(deadline=None, max_examples=tries(100, nightly=2000))
def test_what_is_packed_is_unpacked_as_it_was(pairs: list[tuple[str, str]]) -> None:
    sent = data_set(*(reference(*pair) for pair in pairs))
    kept = json.loads(SerialisedObject(image_references.packed(sent)).as_json)

    assert image_references.unpacked(kept) == sent
    assert image_references.unpacked(image_references.packed(sent)) == sent
    again = References.of(pairs)
    assert (len(again), list(again.pairs())) == (len(pairs), pairs)


@pytest.mark.acceptance("WR3")
@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({}, id="empty"),
        pytest.param("1.2", id="no item"),
        pytest.param(reference("1.2", "1.02"), id="leading zero"),
        pytest.param(reference("1.2", ""), id="no UID"),
        pytest.param(reference("x", "1.2"), id="no class"),
        pytest.param(reference("1.2", "1." + "1" * 63), id="too long"),
        pytest.param({**reference("1.2", "1.3"), "00081160": {"vr": "IS", "Value": [1]}}, id="frame numbers"),
        pytest.param({"00081155": {"vr": "UI", "Value": ["1.2"]}}, id="class missing"),
        pytest.param(dict(reversed(reference("1.2", "1.3").items())), id="another order"),
        pytest.param(
            {**reference("1.2", "1.3"), "00081155": {"vr": "UI", "Value": ["1.2", "1.3"]}}, id="two values"
        ),
        pytest.param({**reference("1.2", "1.3"), "00081155": {"vr": "UI"}}, id="no value"),
        pytest.param({**reference("1.2", "1.3"), "00081155": {"vr": "LO", "Value": ["1.2"]}}, id="text"),
    ],
)
def test_where_one_reference_is_odd_none_is_packed(odd: Any) -> None:
    sent = data_set(*many(), odd)

    assert image_references.packed(sent) == sent
    assert not json_model.has_packed(image_references.packed(sent)[SERIES]["Value"][0][IMAGES])


def test_few_references_are_kept_as_they_are() -> None:
    few, enough = data_set(*many(FEWEST - 1)), data_set(*many(FEWEST), key=OTHERS)

    assert image_references.packed(few)[SERIES]["Value"][0][IMAGES]["Value"] == many(FEWEST - 1)
    assert isinstance(image_references.packed(enough)[SERIES]["Value"][0][OTHERS]["Value"], References)


def test_what_is_packed_is_judged_and_counted_as_it_is() -> None:
    sent = data_set(*many(30))
    packed = image_references.packed(sent)

    assert performed.series(packed) == performed.series(sent)
    readings = [json_model.Reading(each, ()) for each in (sent, packed)]
    judged = [mpps.modified({}, mpps.IN_PROGRESS, each, strict=False) for each in readings]
    assert judged[0].deviations == judged[1].deviations
    assert judged[0].remarks == judged[1].remarks
    assert image_references.unpacked(judged[1].dataset) == judged[0].dataset


def test_what_is_packed_never_leaves_as_json_by_accident() -> None:
    """Hold that who forgets to unpack is told, rather than send something that is no data set."""
    with pytest.raises(TypeError):
        json.dumps(image_references.packed(data_set(*many())))


def stored_text(step: PerformedStep) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT dataset FROM worklist_performedstep WHERE id = %s", [step.pk])
        (text,) = cursor.fetchone()
    return str(text)


@pytest.fixture
def step(db: None) -> PerformedStep:
    """Return a completed step of 2,000 images, as a scanner reported it."""
    item = make_item(1)
    item.save()
    uid = new_uid()
    performing.begin(uid, begun(item), sender=MR1)
    performing.update(uid, progress(series(images=1000)), sender=MR1)
    performing.update(uid, completed(series(1, images=1000), series(2, images=1000)), sender=MR1)
    return PerformedStep.objects.get(sop_instance_uid=uid)


@pytest.mark.acceptance("WR4")
def test_a_stored_report_takes_a_fifth_and_is_read_as_it_was_sent(step: PerformedStep) -> None:
    sent = json_model.read(completed(series(1, images=1000), series(2, images=1000))).dataset

    assert step.dataset[SERIES] == sent[SERIES]
    assert len(stored_text(step)) < len(json.dumps(step.dataset)) / 5
    assert [each.dataset[SERIES] for each in step.history.all()[:1]] == [sent[SERIES]]
    assert list(step.series.values_list("image_count", flat=True)) == [1000, 1000]


@pytest.mark.acceptance("WR4")
def test_rest_and_the_admin_show_every_reference(
    step: PerformedStep, admin_client: Client, charlie: User
) -> None:
    sent = json_model.read(completed(series(1, images=1000), series(2, images=1000))).dataset

    rest = client_of(charlie).get(f"/performed-steps/{step.sop_instance_uid}").json()["dataset"]
    page = admin_client.get(reverse("admin:worklist_performedstep_change", args=[step.pk]), follow=True)

    assert rest[SERIES] == sent[SERIES]
    assert page.context["dataset"] == dataset.as_text(step.dataset)
    assert "1.3.12.2.1107.5.2.43.9.2.25\n" in page.content.decode()


@pytest.mark.acceptance("WR4")
def test_who_saves_a_step_otherwise_packs_it_too(step: PerformedStep) -> None:
    before, held = stored_text(step), step.dataset
    step.save_as("alice")

    assert stored_text(step) == before
    assert PerformedStep.objects.get(pk=step.pk).dataset == held
    PerformedStep.objects.bulk_update([step], ["dataset"])
    assert stored_text(step) == before


def test_the_encoder_tells_what_is_no_json() -> None:
    with pytest.raises(TypeError, match="set is not JSON"):
        json.dumps({"a": {1}}, cls=SerialisedEncoder)
