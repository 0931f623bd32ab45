"""The example of a configuration file, which ships with the code, is imported and pulled as it is."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from pylantir_site.environment import config_file
from sources.models import DataSource
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN, cpip
from tests.sources.conftest import items, pull
from worklist.models import Device

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "mwl_config_multi_source_example.json"


@pytest.mark.django_db
@pytest.mark.acceptance("RC186")
def test_the_example_is_imported_and_pulled(monkeypatch: pytest.MonkeyPatch) -> None:
    project = cpip(today=timezone.localdate())
    for number in range(42, 46):
        project.save(f"CP-00{number}", study_id=f"CPIP{number}", family_id="")
    out = StringIO()
    with RedcapServer(project) as server:
        monkeypatch.setenv("REDCAP_API_URL", server.url)
        monkeypatch.setenv("REDCAP_API_TOKEN", TOKEN)
        call_command("import_config", str(EXAMPLE), patient_ids="old", stdout=out)
        main = DataSource.objects.get(name="main_redcap")
        pull(main)

    for entry in json.loads(EXAMPLE.read_text(encoding="utf-8"))["data_sources"]:
        assert f"{entry['name']}: imported." in out.getvalue()
        for pair in entry["field_mapping"].items():
            assert f"{entry['name']}: {pair[0]}: {pair[1]} – " in out.getvalue()
    assert main.sync_interval == 60
    assert not DataSource.objects.get(name="site_b_redcap").enabled
    assert set(Device.objects.values_list("ae_title", flat=True)) == {"MRI_SCANNER", "CT_SCANNER"}
    assert items(main).keys() >= {"sub_CPIP42_ses_1_fam__site_792"}


def test_the_settings_take_the_example() -> None:
    found = config_file.read(str(EXAMPLE))

    assert set(found) <= config_file.KEYS
    assert found["db_path"] != found["users_db_path"]
