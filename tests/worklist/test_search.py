"""People find items, performed steps and points by parts of names and IDs, on every database alike.

Held against a slow reference that folds every text in Python and looks into each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.effort import tries
from tests.statements import counted
from tests.worklist.conftest import make_item
from tests.worklist.performed_steps import begun
from tests.worklist.reported import an_item, reported
from tests.worklist.test_queries import cost_of, fill
from worklist.dicom import folding, person_name
from worklist.items import intake, lifecycle
from worklist.models import Attention, ItemSearchWord, PerformedStep, Status, WorklistItem

NAMES = [
    "Tremblay^Zoë",
    "O'Brien^Mary Ann",
    "Łukasiewicz^Jan",
    "Müller-Söder^Jörg",
    "Mueller^Anna",
    "Yamada^Tarou=山田^太郎=ヤマダ^タロウ",
    "van den Berg^Åse",
    "Đặng^Thị",
    "STRASSE^GROß",
    "Kaʻana^İlkay",
]


@pytest.mark.parametrize(
    ("text", "spellings"),
    [
        ("Zoë", {"zoe"}),
        ("Zoe\u0308", {"zoe"}),
        ("O'Brien", {"obrien"}),
        ("O’Brien", {"obrien"}),
        ("Łukasiewicz", {"lukasiewicz"}),
        ("Müller", {"muller", "mueller"}),
        ("Mu\u0308ller", {"muller", "mueller"}),
        ("SØRENSEN", {"sorensen", "soerensen"}),
        ("Åse", {"ase", "aase"}),
        ("Groß", {"gross"}),
        ("Þórður", {"thordur"}),
        ("Œuvre Æsir", {"oeuvreaesir"}),
        ("İlkay Işık", {"ilkayisik"}),
        ("Đặng", {"dang"}),
        ("Ħal Ɓala Ŧ", {"halbalat"}),
        ("Kaʻana", {"kaana"}),
        ("Σοφίας", {"σοφιασ"}),
        ("Пётр", {"петр"}),
        ("김", {"김"}),
        ("王 小明", {"王小明"}),
        ("ﾀﾞ", {"ダ"}),
        ("か", {"か"}),
        ("が", {"が"}),
        ("SUB-00 12/3_4", {"sub001234"}),
        ("ＡＢ１２", {"ab12"}),
        ("٣", {"3"}),
        ("ﬁ", {"fi"}),
        ("กิน", {"กิน"}),
        ("ज़ी", {"जी"}),
        ("-.'", set()),
        ("", set()),
    ],
)
def test_a_text_is_folded_to_its_plainest_letters(text: str, spellings: set[str]) -> None:
    assert folding.spellings(text) == spellings


@pytest.mark.acceptance("WR44")
@settings(max_examples=tries(100, nightly=1000), deadline=None)
@given(st.text(st.characters(max_codepoint=127)))
def test_plain_text_is_folded_as_it_is_beside_other_letters(text: str) -> None:
    """Other letters have each character looked at, and plain text is folded as a whole."""
    assert f"{folding.folded(text)}か" == folding.folded(f"{text}か")
    beside = person_name.comparable(f"か{text}か")
    assert person_name.comparable(text) == beside[1:-1].lstrip(" ").rstrip(" ^")


@settings(max_examples=tries(100, nightly=5000), deadline=None)
@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = folding.folded(text)
    assert folding.folded(once) == once
    assert folding.folded(text.upper()) == folding.folded(text.upper().lower())


@pytest.mark.acceptance("WR56")
@settings(max_examples=tries(100, nightly=1000))
@given(st.text(st.characters(codec="ascii"), max_size=20))
def test_a_text_in_ascii_is_folded_as_within_any_other(text: str) -> None:
    assert folding.folded(f"{text}é") == f"{folding.folded(text)}e"
    assert folding.spellings(f"{text}é") == {f"{folding.folded(text)}e"}
    assert folding.spellings(text) == {folding.folded(text)} - {""}


@pytest.mark.parametrize(
    ("sought", "expected"),
    [
        ("Zoe", [0]),
        ("zoe trembl", [0]),
        ("remblay", [0]),
        ("Tremblay^Zoë", [0]),
        ("Tremblay, Zoé", [0]),
        ("obrien", [1]),
        ("o brien", [1]),
        ("O'Brien", [1]),
        ("maryann", [1]),
        ("lukasiewicz", [2]),
        ("muller", [3]),
        ("mueller", [3, 4]),
        ("Müller", [3, 4]),
        ("joerg soeder", [3]),
        ("山田", [5]),
        ("郎", [5]),
        ("田太", []),  # of two components
        ("ﾔﾏﾀﾞ", [5]),
        ("vandenberg", [6]),
        ("berg van ase", [6]),
        ("aase", [6]),
        ("dang thi", [7]),
        ("groß straße", [8]),
        ("kaana ilkay", [9]),
        ("zoe mary", []),
        ("*", []),
        ("  ", []),
        ("%", []),
        ("\0", []),
    ],
)
@pytest.mark.acceptance("D190")
@pytest.mark.django_db
def test_a_name_is_found_by_any_part_of_its_words_in_any_order(sought: str, expected: list[int]) -> None:
    made = [saved(number, patient_name=name) for number, name in enumerate(NAMES)]
    assert set(WorklistItem.objects.search(sought)) == {made[number] for number in expected}


@pytest.mark.acceptance("D190")
@pytest.mark.django_db
def test_ids_are_found_by_parts_without_case_spaces_and_punctuation() -> None:
    item = saved(1, patient_id="SUB-00_12 B", accession_number="ACC 77/1")
    saved(2)
    for sought in ("sub0012b", "SUB 0012", "0012-b", "12B", "acc77", "77/1", "sub acc", "7 7"):
        assert list(WorklistItem.objects.search(sought)) == [item], sought
    for field in ("requested_procedure_id", "scheduled_procedure_step_id", "study_instance_uid"):
        assert list(WorklistItem.objects.search(f" {getattr(item, field)} ")) == [item], field
    assert not WorklistItem.objects.search(item.study_instance_uid[:-1])


def saved(number: int, **values: Any) -> WorklistItem:
    """Save an item whose identifiers are of the number, where those that are made hold any letters."""
    item: WorklistItem = make_item(number, **values)
    item.save_as("test")
    return item


LETTERS = "aabbzZëEæüÜuße'- ^=/1２王小"
TEXTS = st.text(st.sampled_from(LETTERS), min_size=1, max_size=6)


@pytest.mark.slow
@pytest.mark.django_db
@settings(max_examples=tries(40, nightly=2000), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6), st.lists(TEXTS, min_size=1, max_size=6))
@example([("a^ü", "1")], ["ue", "u", "a1", "ü^a"])
def test_a_search_finds_what_a_look_into_every_text_finds(
    people: list[tuple[str, str]], sought: list[str]
) -> None:
    WorklistItem.objects.all().delete()
    for number, (name, patient_id) in enumerate(people):
        make_item(number, patient_name=name, patient_id=patient_id).save_as("test")
    items = list(WorklistItem.objects.all())
    for text in sought:
        expected = {item for item in items if is_found(item, text)}
        assert set(WorklistItem.objects.search(text)) == expected, text


def is_found(item: WorklistItem, text: str) -> bool:
    words = [word for word in folding.sought(text) if word]
    return bool(words) and all(
        any(spelling in stored for spelling in word for stored in texts_of(item)) for word in words
    )


def texts_of(item: WorklistItem) -> Iterator[str]:
    for component in item.patient_name.replace("=", "^").split("^"):
        yield from folding.spellings(component)
    for field in WorklistItem.searched_ids:
        yield from folding.spellings(getattr(item, field))


@pytest.mark.acceptance("D190")
@pytest.mark.django_db
class TestPerformedSteps:
    def test_they_are_found_by_what_the_scanner_reported(self) -> None:
        item = an_item(accession_number="ACC7")
        said = {"PatientName": "Trémblay^Zoë", "PatientID": "SUB-9", "PerformedProcedureStepID": "PPS-77"}
        step = reported(begun(item, **said))
        reported(begun(an_item(), PatientName="Other^Person", PatientID="P1"))
        uids = (step.sop_instance_uid, step.study_instance_uid)
        for sought in ("zoe trembl", "sub9", "sub 9", "pps77", "ACC7", *uids):
            assert list(PerformedStep.objects.search(sought)) == [step], sought
        assert not PerformedStep.objects.search("ACC")

    def test_points_are_found_by_their_item_and_by_their_step(self) -> None:
        item = an_item(patient_name="Tremblay^Zoë")
        step = reported(begun(item, PatientName="Łukasiewicz^Jan"))
        point = Attention.objects.get(step=step)
        for sought in ("zoe", "lukasiewicz"):
            assert list(Attention.objects.search(sought)) == [point]
        assert not Attention.objects.search("zoe lukasiewicz")


@pytest.mark.django_db
class TestKeeping:
    def words(self) -> int:
        return ItemSearchWord.objects.count()

    def test_a_change_is_found_by_the_new_name_and_no_longer_by_the_old_one(self) -> None:
        item = an_item(patient_name="Roe^Jane")
        intake.change(item, {"patient_name": "Tremblay^Zoë"}, actor="bob")
        assert list(WorklistItem.objects.search("zoe")) == [item]
        assert not WorklistItem.objects.search("jane")

    def test_an_item_in_hand_that_was_read_again_is_found_by_what_is_saved(self) -> None:
        item = an_item(patient_name="Roe^Jane")
        same = WorklistItem.objects.get(pk=item.pk)
        intake.change(same, {"patient_name": "Doe^John"}, actor="bob")
        item.refresh_from_db()
        item.patient_name = "Roe^Jane"
        item.save_as("bob")
        assert list(WorklistItem.objects.search("jane")) == [item]
        partly = WorklistItem.objects.only("patient_id").get(pk=item.pk)
        partly.patient_name = "Poe^Edgar"
        partly.save_as("bob")
        assert list(WorklistItem.objects.search("poe")) == [item]

    def test_one_statement_writes_the_words_and_none_where_no_name_or_id_changed(self) -> None:
        item = make_item()
        with counted() as found:
            item.save_as("test")
        assert len(found) == 3  # the item, its history, its words
        item.procedure_description = "Knee"
        with counted() as found:
            item.save_as("test")
        assert len(found) == 2
        before = self.words()
        lifecycle.move(item, to=Status.CANCELLED, actor="bob")
        assert self.words() == before
        item = WorklistItem.objects.get()
        item.patient_id = "P22"
        with counted() as found:
            item.save_as("test")
        assert len(found) == 4  # the old words go, the new ones come

    def test_an_item_that_is_not_saved_after_all_leaves_no_words(self) -> None:
        make_item(1).save_as("test")
        before = self.words()
        with pytest.raises(IntegrityError), transaction.atomic():
            make_item(1, patient_name="Tremblay^Zoë").save_as("test")
        assert self.words() == before

    def test_very_long_texts_are_found_too(self) -> None:
        name = "=".join("^".join(f"{group}{number}" * 9 for number in range(3)) for group in "äöü")
        item = saved(1, patient_name=name, patient_id="0123456789" * 6)
        assert self.words() > 200
        assert list(WorklistItem.objects.search("ue2ue2 ä0ä 6789")) == [item]

    def test_a_deleted_item_takes_its_words_with_it(self) -> None:
        an_item().delete()
        assert self.words() == 0


SELECTIVE = ("NAME00105", "name 00105", "ame00105", "p00105", "S00105", "2.25.00105", "nobody at all")


@pytest.mark.acceptance("D192")
@pytest.mark.slow
@pytest.mark.django_db
def test_a_search_reads_an_index_and_costs_the_same_in_a_larger_worklist() -> None:
    fill(range(200))
    keep_words()
    before = {text: cost_of(WorklistItem.objects.search(text)) for text in SELECTIVE}
    fill(range(200, 3000))
    keep_words()
    for text in SELECTIVE:
        searched = WorklistItem.objects.search(text)
        assert searched.exists() == (text != "nobody at all"), text
        plan = searched.explain()
        assert "item_search" in plan, text
        assert "Seq Scan" not in plan, text
        assert "SCAN " not in plan, text
    after = {text: cost_of(WorklistItem.objects.search(text)) for text in SELECTIVE}
    assert {text for text in SELECTIVE if after[text] > 2 * before[text] + 40} == set()


def keep_words() -> None:
    """Give items that were stored without `save` their words."""
    rows = [
        ItemSearchWord(owner=item, word=word)
        for item in WorklistItem.objects.filter(search_words=None)
        for word in folding.endings(
            names=[item.patient_name], ids=[getattr(item, field) for field in WorklistItem.searched_ids]
        )
    ]
    ItemSearchWord.objects.bulk_create(rows, batch_size=5000)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE worklist_itemsearchword")
