"""A source that writes nothing back costs a scanner's report nothing; another costs it one INSERT."""

from __future__ import annotations

import pytest

from sources.models import DataSource, OutcomeWrite, SyncedStep
from tests.sources import making
from tests.statements import counted
from tests.worklist.conftest import make_item
from tests.worklist.performed_steps import begun, completed, new_uid, progress, series
from worklist.examinations import performing
from worklist.examinations.performing import Sender
from worklist.models import Device, WorklistItem

MR1 = Sender("MR1", "127.0.0.1")


def synced_item(number: int, *, source: DataSource) -> WorklistItem:
    item: WorklistItem = make_item(number)
    item.data_source = source.name
    item.save()
    SyncedStep.objects.create(source=source, record=str(number), item=item)
    return item


def report(item: WorklistItem) -> list[list[str]]:
    """Report a step from its beginning to its end, and return the statements of each message."""
    uid = new_uid()
    messages = []
    with counted() as beginning:
        performing.begin(uid, begun(item), sender=MR1)
    with counted() as update:
        performing.update(uid, progress(series(1)), sender=MR1)
    with counted() as end:
        performing.update(uid, completed(series(1), series(2)), sender=MR1)
    messages += [beginning, update, end]
    return messages


@pytest.mark.acceptance("CL15")
def test_a_report_costs_a_writing_source_one_insert_and_another_nothing(transactional_db: None) -> None:
    Device(ae_title="MR1").save_as("test")
    reading = making.stored(name="reads", url="http://127.0.0.1:9/api/", server_timezone="UTC")
    writing = making.stored(
        name="writes", url="http://127.0.0.1:9/api/", server_timezone="UTC", writes_back=True
    )
    report(synced_item(1, source=reading))  # the first time statements are written, and run all the same
    of_reading = report(synced_item(2, source=reading))
    of_writing = report(synced_item(3, source=writing))

    own = [[sql for sql in message if "outcomewrite" in sql] for message in of_reading]
    assert [[sql.split()[0] for sql in message] for message in own] == [["SELECT"], [], ["SELECT"]]
    assert [len(message) for message in of_writing] == [
        len(of_reading[0]) + 1,
        len(of_reading[1]),
        len(of_reading[2]) + 1,
    ]
    added = [
        [sql for sql in message if sql.startswith("INSERT") and "outcomewrite" in sql]
        for message in of_writing
    ]
    assert [len(message) for message in added] == [1, 0, 1]
    assert OutcomeWrite.objects.get().step.source == writing


@pytest.mark.acceptance("CL15")
@pytest.mark.django_db
def test_an_item_that_is_only_booked_is_nothing_to_tell() -> None:
    writing = making.stored(
        name="writes", url="http://127.0.0.1:9/api/", server_timezone="UTC", writes_back=True
    )
    item = synced_item(1, source=writing)
    item.patient_name = "DOE^OTHER"
    item.save_as("alice")

    assert not OutcomeWrite.objects.exists()
