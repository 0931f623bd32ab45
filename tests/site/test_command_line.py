"""What was typed is read before Django starts: the command, its options, and one configuration file for all.

That each command works on the file's databases is in test_one_configuration.py.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from hypothesis import given
from hypothesis import strategies as st

from pylantir_site.command_line import arguments, listing
from pylantir_site.command_line.arguments import OF_DJANGO, UsageError, command_first, without_config
from pylantir_site.command_line.main import flags, main

KNOWN = {*get_commands(), *OF_DJANGO}


@pytest.mark.acceptance("RC181")
@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("start", "start"),
        ("query-db", "query_db"),
        ("query_db", "query_db"),
        ("--ip 127.0.0.1 --port 4242 start", "start --ip 127.0.0.1 --port 4242"),
        ("--ip 127.0.0.1 start --port 4242", "start --ip 127.0.0.1 --port 4242"),
        ("--no-web --ip=127.0.0.1 start", "start --no-web --ip=127.0.0.1"),
        ("--AEtitle start start", "start --AEtitle start"),
        ("--AEtitle check start", "start --AEtitle check"),
        ("--mpps_action set test-mpps --sop_uid 1.2", "test_mpps --mpps_action set --sop_uid 1.2"),
        ("-v 0 --noinput migrate", "migrate -v 0 --noinput"),
        ("import-config start-api", "import_config start-api"),
        ("help start-api", "help start_api"),
        ("start-api --help", "start_api --help"),
        ("--help start-api", "start_api --help"),
        ("--help", "help"),
        ("-h", "help"),
        ("strat --port 1", "strat --port 1"),
        ("", ""),
    ],
)
def test_options_may_stand_before_a_command_and_dashes_within(typed: str, read: str) -> None:
    assert command_first(typed.split(), known=KNOWN, flags=flags) == read.split()


@pytest.mark.parametrize("typed", ["--port 4242", "--port start", "--pylantir_c start"])
def test_options_without_a_command_are_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        command_first(typed.split(), known=KNOWN, flags=flags)


@pytest.mark.acceptance("RC182")
@pytest.mark.parametrize(
    ("typed", "words", "config"),
    [
        ("start --pylantir_config c.json", "start", "c.json"),
        ("--pylantir_config c.json start", "start", "c.json"),
        ("start --pylantir_config=c.json --port 1", "start --port 1", "c.json"),
        ("start --pylantir-config c.json", "start", "c.json"),
        ("start --pylantir_config a --pylantir_config b", "start", "b"),
        ("start --pylantir_config=-odd", "start", "-odd"),
        ("import_worklist -- --pylantir_config", "import_worklist -- --pylantir_config", None),
        ("start", "start", None),
    ],
)
def test_the_configuration_file_is_taken_out_wherever_it_stands(
    typed: str, words: str, config: str | None
) -> None:
    assert without_config(typed.split()) == (words.split(), config)


@pytest.mark.acceptance("RC182")
@pytest.mark.parametrize(
    "typed", ["start --pylantir_config", "start --pylantir_config=", "start --pylantir_config --port 1"]
)
def test_the_option_without_a_file_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="--pylantir_config needs the path of a file"):
        without_config(typed.split())


@given(st.lists(st.text(max_size=8)), st.text(min_size=1).filter(lambda path: not path.startswith("-")))
def test_no_other_word_is_lost(words: list[str], path: str) -> None:
    words = [word for word in words if word.partition("=")[0] not in {*arguments.CONFIG_SPELLINGS, "--"}]

    assert without_config([arguments.CONFIG, path, *words]) == (words, path)


@pytest.mark.acceptance("RC181")
def test_the_list_of_commands_has_all_of_them() -> None:
    told = listing.text()

    ours = [name for name, app in get_commands().items() if app in listing.OURS]
    assert len(ours) > 12
    for name in ours:
        assert f"\n  {name.replace('_', '-')} " in told
    words = set(told.replace(",", " ").split())
    assert {name for name in get_commands() if name not in ours} <= words | {
        name.replace("_", "-") for name in words
    }
    assert max(map(len, told.splitlines())) <= 110


@pytest.mark.parametrize("name", sorted(get_commands()))
def test_no_command_has_the_option_of_its_own(name: str) -> None:
    """It would be offered by a command that is called from code, and not be heeded."""
    parser = load_command_class(str(get_commands()[name]), name).create_parser("pylantir", name)

    options = {option for action in parser._actions for option in action.option_strings}
    assert not options & arguments.CONFIG_SPELLINGS


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("PYLANTIR_CONFIG", "")
    return monkeypatch


def refused(patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[object, str]:
    patch.setattr(sys, "argv", ["pylantir", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capsys.readouterr().err


@pytest.mark.acceptance("RC182")
@pytest.mark.parametrize("command", sorted(get_commands()))
def test_each_command_refuses_a_file_that_is_not_there(
    command: str, typed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(typed, capsys, command, "--pylantir_config", "/no/such/file.json")

    assert said == (2, "pylantir: --pylantir_config: /no/such/file.json: No such file or directory.\n")


@pytest.mark.acceptance("RC182")
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "is not JSON"),
        (b"[]", "must hold a JSON object."),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is nested too deeply."),
        (b'{"db_path": 5}', "db_path must be a text"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused_in_a_sentence(
    content: bytes, why: str, tmp_path: Path, typed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(content)

    code, said = refused(typed, capsys, "list-users", f"--pylantir_config={file}")

    assert code == 2
    assert said.startswith(f"pylantir: --pylantir_config: {file}")
    assert why in said
    assert said.count("\n") == 1


@pytest.mark.acceptance("RC182")
def test_a_folder_is_no_file(
    tmp_path: Path, typed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = refused(typed, capsys, "list-users", "--pylantir_config", str(tmp_path))

    assert (code, said) == (2, f"pylantir: --pylantir_config: {tmp_path}: Is a directory.\n")


@pytest.mark.acceptance("RC182")
def test_an_abbreviation_of_the_option_is_refused_and_not_ignored(
    typed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = refused(typed, capsys, "list_users", "--pylantir_conf", "config.json")

    assert code == 2
    assert "write --pylantir_config in full" in said


def test_what_was_typed_counts_before_a_file_that_the_environment_names(
    tmp_path: Path, typed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.json"
    file.write_text("{}")
    typed.setenv("PYLANTIR_CONFIG_FILE", "/run/secrets/config")

    refused(typed, capsys, "start", "--pylantir_config", str(file), "--no-such-option")

    assert os.environ["PYLANTIR_CONFIG"] == str(file)
    assert "PYLANTIR_CONFIG_FILE" not in os.environ
