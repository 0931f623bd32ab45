"""A table says who may associate, and what a device may name."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.x509 import Name
from django.core.exceptions import ValidationError

from worklist.devices import access
from worklist.devices.access import AssociationRequest, closed_to, refusal
from worklist.models import Device
from worklist.validators import peers

CALLING, CALLED = access.CALLING_AE_TITLE_NOT_RECOGNIZED, access.CALLED_AE_TITLE_NOT_RECOGNIZED
MR1 = Name.from_rfc4514_string("CN=MR1,O=Hospital,C=DE")


def request(**values: Any) -> AssociationRequest:
    usual = {"calling_ae_title": "MR1", "called_ae_title": "MWL_SERVER", "address": "10.0.0.5"}
    return AssociationRequest(**{**usual, "established": 0, **values})


def judged(asked: AssociationRequest) -> tuple[int, int, int] | None:
    found = refusal(asked, own_ae_title="MWL_SERVER")
    return found and (found.result, found.source, found.diagnostic)


@pytest.mark.django_db
class TestRefusals:
    @pytest.mark.parametrize(
        ("rules", "asked", "codes"),
        [
            pytest.param({}, {}, None, id="its own row"),
            pytest.param({}, {"calling_ae_title": "MR9"}, CALLING, id="D83: not listed"),
            pytest.param({"enabled": False}, {}, CALLING, id="D93: disabled"),
            pytest.param({"addresses": "10.0.0.5"}, {}, None, id="its address"),
            pytest.param({"addresses": "10.0.0.0/24"}, {"address": "::ffff:10.0.0.5"}, None, id="by IPv6"),
            pytest.param({"addresses": "10.0.0.6"}, {}, CALLING, id="D86: another address"),
            pytest.param({"addresses": "10.0.0.6"}, {"address": "127.0.0.1"}, CALLING, id="loopback is one"),
            pytest.param({"addresses": "10.0.0.6"}, {"address": ""}, CALLING, id="no address"),
            pytest.param({"called_ae_title": "RIS"}, {}, CALLED, id="D84: calls another"),
            pytest.param({"called_ae_title": "RIS"}, {"called_ae_title": "RIS"}, None, id="calls the one"),
            pytest.param({"certificate_subject": "CN=MR1"}, {}, CALLING, id="no certificate"),
            pytest.param({"certificate_subject": "CN=MR1"}, {"certificate": MR1}, None, id="its certificate"),
            pytest.param({"certificate_subject": "CN=MR2"}, {"certificate": MR1}, CALLING, id="another's"),
        ],
    )
    def test_the_device_decides(
        self, rules: dict[str, Any], asked: dict[str, Any], codes: tuple[int, int, int] | None
    ) -> None:
        Device(ae_title="MR1", **rules).save_as("test")
        assert judged(request(**asked)) == codes

    def test_with_no_devices_only_this_machine_may(self) -> None:
        assert judged(request(address="127.0.0.1")) is None
        assert judged(request(address="::1")) is None
        assert judged(request()) == CALLING

    def test_the_row_with_an_asterisk_speaks_for_those_without_a_row(self) -> None:
        Device(ae_title="*", addresses="10.0.0.0/24").save_as("test")
        Device(ae_title="MR2", enabled=False).save_as("test")
        assert judged(request(calling_ae_title="ANY")) is None
        assert judged(request(calling_ae_title="ANY", address="10.9.0.1")) == CALLING
        assert judged(request(calling_ae_title="MR2")) == CALLING

    def test_a_devices_called_ae_title_goes_before_the_servers(self, settings: Any) -> None:
        settings.MWL_REQUIRE_CALLED_AETITLE = True
        Device(ae_title="MR1", called_ae_title="RIS").save_as("test")
        Device(ae_title="MR2").save_as("test")
        assert judged(request(called_ae_title="RIS")) is None
        assert judged(request(calling_ae_title="MR2", called_ae_title="RIS")) == CALLED
        assert judged(request(calling_ae_title="MR2")) is None

    def test_the_limit_of_associations_is_transient(self, settings: Any) -> None:
        Device(ae_title="MR1").save_as("test")
        full = request(established=settings.MWL_MAXIMUM_ASSOCIATIONS)
        assert judged(full) == access.LOCAL_LIMIT_EXCEEDED

    def test_what_is_closed_wherever_it_calls_from_is_told(self) -> None:
        assert closed_to("MR1") == ""
        Device(ae_title="MR1", enabled=False).save_as("test")
        assert "disabled" in closed_to("MR1")
        assert "no device has this AE title" in closed_to("MR9")


@pytest.mark.parametrize("text", ["10.0.0.5", "10.0.0.0/24, 10.1.0.0/16\n::1", "", " 2001:db8::/64 "])
def test_addresses_and_networks_are_taken(text: str) -> None:
    assert len(peers.read_networks(text)) == len(text.replace(",", " ").split())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("10.0.0", "write it as"),
        ("mr1.example.org", "write it as"),
        ("10.0.0.5/24", "its first address is 10.0.0.0/24"),
        ("10.0.0.0/40", "write a network as"),
    ],
)
def test_what_is_no_address_is_refused_with_the_way_to_write_it(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        peers.read_networks(text)


@pytest.mark.parametrize("address", ["", "nowhere", "10.0.0.5.6", "fe80::1%eth0"])
def test_what_calls_from_no_address_is_not_included(address: str) -> None:
    assert not peers.includes("10.0.0.0/8", address)


@pytest.mark.parametrize(
    ("wanted", "bears"),
    [
        ("CN=MR1", True),
        ("O=Hospital,CN=MR1", True),
        ("CN=MR1,O=Hospital,C=DE", True),
        ("CN=MR", False),
        ("CN=mr1", False),
        ("CN=MR1,OU=Lab", False),
        ("CN=MR1,CN=MR1", False),
    ],
)
def test_a_certificate_must_have_all_parts_that_are_wanted(wanted: str, bears: bool) -> None:
    assert peers.bears(MR1, wanted) is bears


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ae_title", ""),
        ("ae_title", "a\\b"),
        ("addresses", "10.0.0"),
        ("certificate_subject", "MR1"),
        ("time_zone", "Berlin"),
        ("offered_statuses", ["BANANA"]),
        ("offered_statuses", "SCHEDULED"),
        ("specific_character_set", "ISO_IR 999"),
        ("port", 70000),
        ("host", "10.0.0.5"),
        ("longest_patient_id", 0),
        ("maximum_answers", 0),
        ("protocol_codes", "T1 = 1"),
        ("station_ae_titles", "A" * 17),
        ("modality", "mr"),
        ("called_ae_title", "A" * 17),
    ],
)
@pytest.mark.django_db
def test_a_rule_that_cannot_be_kept_is_refused(field: str, value: Any) -> None:
    device = Device(**{"ae_title": "MR1", field: value})
    with pytest.raises(ValidationError) as raised:
        device.full_clean()
    assert set(raised.value.message_dict) == {{"host": "port"}.get(field, field)}
