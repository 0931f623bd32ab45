"""A usual slip for a modality is refused with the term to use, at every door.

Not here: what the page of an item offers (test_admin_item_form.py).
"""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import User
from sources.mapping import fitting
from sources.mapping.problems import UnusableValue
from sources.mapping.transforms import Origin
from tests.admin_pages import errors_in
from tests.api_client import client_of
from tests.worklist.activity import device_form
from worklist.dicom import modalities, representations
from worklist.items import cleaning
from worklist.models import Device, WorklistItem

# PS3.3 C.7.3.1.1.1, its retired terms last.
DEFINED_TERMS = frozenset(
    {
        *(
            "ANN",
            "AR",
            "ASMT",
            "AU",
            "BDUS",
            "BI",
            "BMD",
            "CFM",
            "CR",
            "CT",
            "CTPROTOCOL",
            "DG",
            "DMS",
            "DOC",
        ),
        *(
            "DX",
            "ECG",
            "EEG",
            "EMG",
            "EOG",
            "EPS",
            "ES",
            "FID",
            "GM",
            "HC",
            "HD",
            "IO",
            "IOL",
            "IVOCT",
            "IVUS",
        ),
        *("KER", "KO", "LEN", "LS", "M3D", "MG", "MR", "NM", "OAM", "OCT", "OP", "OPM", "OPT", "OPTBSV"),
        *("OPTENF", "OPV", "OSS", "OT", "PA", "PLAN", "POS", "PR", "PT", "PX", "REG", "RESP", "RF", "RG"),
        *(
            "RTDOSE",
            "RTIMAGE",
            "RTINTENT",
            "RTPLAN",
            "RTRAD",
            "RTRECORD",
            "RTSEGANN",
            "RTSTRUCT",
            "RWV",
            "SEG",
        ),
        *("SM", "SMR", "SR", "SRF", "STAIN", "TEXTUREMAP", "TG", "US", "VA", "XA", "XAPROTOCOL", "XC"),
        *("AS", "CD", "CF", "CP", "CS", "DD", "DF", "DM", "DS", "EC", "FA", "FS", "LP", "MA", "MS", "OPR"),
        *("ST", "VF"),
    }
)


def test_no_slip_is_a_term_and_each_leads_to_one() -> None:
    assert not modalities.SLIPS.keys() & DEFINED_TERMS
    assert {term for meant in modalities.SLIPS.values() for term in meant} <= DEFINED_TERMS
    assert modalities.USUAL.keys() <= DEFINED_TERMS


@pytest.mark.acceptance("D167")
@pytest.mark.parametrize(
    ("typed", "question"),
    [
        ("mri", "Did you mean MR?"),
        (" MRI ", "Did you mean MR?"),
        ("CAT", "Did you mean CT?"),
        ("ct scan", "Did you mean CT?"),
        ("PET", "Did you mean PT?"),
        ("PET/CT", "Did you mean PT or CT?"),
        ("X-Ray", "Did you mean DX or CR?"),
        ("xr", "Did you mean DX or CR?"),
        ("SPECT", "Did you mean NM?"),
        ("Ultrasound", "Did you mean US?"),
    ],
)
def test_a_slip_is_refused_by_intake_and_by_a_mapping_with_the_term_to_use(typed: str, question: str) -> None:
    with pytest.raises(ValidationError) as refused:
        cleaning.CLEANERS["modality"](typed)
    assert refused.value.messages == [question]
    with pytest.raises(UnusableValue, match=question.replace("?", r"\?")):
        fitting.fit("modality", typed, origin=Origin.RECORD, today=date(2026, 1, 1))


@pytest.mark.parametrize("term", [*sorted(DEFINED_TERMS), "MEG", "MY_OWN", "9T"])
def test_a_term_and_what_a_site_calls_its_own_are_taken(term: str) -> None:
    assert cleaning.CLEANERS["modality"](term.lower()) == term
    assert fitting.fit("modality", term, origin=Origin.RECORD, today=date(2026, 1, 1)) == term
    assert representations.problem("CS", term) is None


@pytest.mark.django_db
def test_a_device_has_no_slip_for_its_modality(client: Client, alice: User) -> None:
    client.force_login(alice)
    add = reverse("admin:worklist_device_add")
    refused = client.post(add, {**device_form(ae_title="MR1"), "modality": "MRI"})
    assert errors_in(refused) == {"modality": ["Did you mean MR?"]}
    assert client.post(add, {**device_form(ae_title="MR1"), "modality": "mr"}).status_code == 302
    assert Device.objects.get().modality == "MR"


@pytest.mark.django_db
@pytest.mark.acceptance("D167")
def test_the_api_asks_back_in_the_same_words(bob: User) -> None:
    answer = client_of(bob).post(
        "/worklist", {"patient_name": "Doe^John", "patient_id": "P1", "modality": "mri"}
    )
    assert answer.status_code == 400
    assert "Did you mean MR?" in str(answer.json())
    assert not WorklistItem.objects.exists()
