"""The files of `deploy` that this house ships: systemd units as systemd reads them, and compose with TLS.

That the units run under a systemd, and compose in a Docker, nobody tries here.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import tool
from tests.site.environment_reads import PAGE, documented
from tests.site.test_containers import parsed

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
HARDENED_SINCE = "# It reads its code and writes its own data, and nothing else of the host.\n"
MOST_EXPOSED = 15  # tenths, by systemd's own measure, where 10.0 is a service without any protection
DEPLOYMENT = PAGE.read_text(encoding="utf-8")


def lines(unit: str) -> list[str]:
    text = (UNITS / unit).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith(("#", ";"))]


def values(unit: str, name: str) -> list[str]:
    return [line.partition("=")[2] for line in lines(unit) if line.startswith(f"{name}=")]


def hardening(unit: str) -> str:
    return (UNITS / unit).read_text(encoding="utf-8").partition(HARDENED_SINCE)[2].partition("\n[")[0].strip()


@pytest.mark.slow
@pytest.mark.acceptance("H150")
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    # The programs of a host that has none of ours are those of this one.
    for path in UNITS.iterdir():
        text = path.read_text(encoding="utf-8").replace("/opt/pylantir/.venv/bin/python", tool("true"))
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    (tmp_path / "pylantir@.service").rename(tmp_path / "pylantir@run_mwl.service")
    units = [str(path) for path in tmp_path.iterdir() if path.suffix in {".service", ".timer"}]

    done = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )

    told = [line for line in done.stderr.splitlines() if "pylantir" in line]
    assert (done.returncode, told) == (0, []), done.stderr


@pytest.mark.slow
@pytest.mark.acceptance("H150")
@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_is_exposed_as_little_as_was_measured(unit: str) -> None:
    done = subprocess.run(
        [tool("systemd-analyze"), "security", "--offline=true", f"--threshold={MOST_EXPOSED}", UNITS / unit],
        capture_output=True,
        text=True,
        check=False,
        env={"SYSTEMD_COLORS": "0", "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"exposure level for pylantir\S+: [01]\.\d", done.stdout), done.stdout


@pytest.mark.acceptance("H150")
def test_all_services_are_hardened_alike_and_read_the_same_settings() -> None:
    assert len({hardening(unit) for unit in SERVICES}) == 1
    assert "ProtectSystem=strict" in hardening(SERVICES[0])
    for name in ("User", "StateDirectory", "StateDirectoryMode", "LoadCredential", "Environment"):
        assert len({tuple(values(unit, name)) for unit in SERVICES}) == 1, name
    given = {
        line.partition("=")[0].removesuffix("_FILE") for line in values("pylantir.service", "Environment")
    }
    assert given <= documented(DEPLOYMENT)
    manage = (UNITS / "pylantir-manage").read_text(encoding="utf-8")
    for credential in values("pylantir.service", "LoadCredential"):
        assert f"--property=LoadCredential={credential} " in manage
        assert f"/{credential.partition(':')[0]} \\" in manage
        assert credential.partition(":")[2] in DEPLOYMENT
    assert all(f"--property=Environment={name}" in manage for name in given)


@pytest.mark.acceptance("H150")
def test_a_service_runs_commands_that_there_are() -> None:
    for unit in SERVICES:
        (command,) = values(unit, "ExecStart")
        words = command.split()[2:]
        if unit != "pylantir@.service":
            assert parsed(words), unit
    head = (UNITS / "pylantir@.service").read_text(encoding="utf-8").partition("[Unit]")[0]
    for command in re.findall(r"pylantir@(\w+)", head):
        assert parsed([command])
    assert int(values("pylantir.service", "TimeoutStopSec")[0]) > 30, (
        "Longer than start waits for its children."
    )
    assert values("pylantir.service", "KillMode") == ["mixed"]


@pytest.mark.acceptance("H150")
def test_no_secret_of_a_unit_is_a_setting() -> None:
    text = "".join((UNITS / unit).read_text(encoding="utf-8") for unit in SERVICES)
    assert not re.search(r"Environment=\w*(KEY|PASSWORD|TOKEN|SECRET|DATABASE_URL)\w*(?<!_FILE)=", text)


class Loader(yaml.SafeLoader):
    """It knows Compose's own tags."""


Loader.add_constructor("!reset", lambda loader, node: ("reset", node.value))
TLS: dict[str, Any] = yaml.load((ROOT / "deploy/compose.tls.yaml").read_text(encoding="utf-8"), Loader)  # noqa: S506  (safe)
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


@pytest.mark.acceptance("H151")
def test_with_tls_browsers_reach_the_proxy_alone() -> None:
    services = TLS["services"]

    assert services["web"] == {"ports": ("reset", []), "environment": {"BEHIND_TLS_PROXY": "true"}}
    assert services.keys() - COMPOSE["services"].keys() == {"proxy"}
    assert services["proxy"]["ports"] == ["80:80", "443:443"]
    port = parsed(COMPOSE["services"]["web"]["command"])["api_port"]
    assert f"server web:{port};" in services["proxy"]["command"][-1]


@pytest.mark.acceptance("H151")
def test_the_proxy_is_pinned_and_may_do_no_more_than_it_must() -> None:
    proxy = TLS["services"]["proxy"]

    assert re.fullmatch(r"nginx:\d+\.\d+\.\d+-bookworm", proxy["image"])
    assert (proxy["read_only"], proxy["cap_drop"]) == (True, ["ALL"])
    assert proxy["security_opt"] == ["no-new-privileges:true"]
    assert set(proxy["cap_add"]) == {"CHOWN", "NET_BIND_SERVICE", "SETGID", "SETUID"}
    assert all(volume.endswith(":ro") for volume in proxy["volumes"])
    section = DEPLOYMENT.partition("## In containers")[2].partition("\n## ")[0]
    needed = {"PUBLIC_NAME", "tls/web.crt", "tls/web.key", "deploy/nginx.conf", "deploy/compose.tls.yaml"}
    assert {name for name in needed if name not in section} == set()


def test_the_proxys_configuration_is_the_one_that_is_shipped() -> None:
    configuration = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
    told, _, _ = TLS["services"]["proxy"]["command"][-1].partition("server web")

    assert "127\\.0\\.0\\.1:8000;" in told
    assert configuration.count("server 127.0.0.1:8000;") == 1
    for volume in TLS["services"]["proxy"]["volumes"]:
        _, there, _ = volume.split(":")
        assert there.endswith("nginx.conf") or there in configuration
