"""Every variable that the code reads from the environment stands in docs/deployment.md, and no other does.

They are read from the source: calls of the helpers in `env`, and of `os.environ`.
What a library reads by itself is not covered.
"""

from __future__ import annotations

import re

import pytest

from tests.site.environment_reads import PAGE, Module, Read, all_reads, documented


def missing(reads: list[Read], page: str) -> list[str]:
    known = documented(page)
    return [
        f"{read.variable} is read by {read.where}: add a line to docs/deployment.md."
        for read in reads
        if read.variable not in known
    ]


def test_every_setting_is_documented() -> None:
    told = missing(all_reads(), PAGE.read_text(encoding="utf-8"))
    assert not told, "\n".join(told)


def test_every_documented_setting_is_read() -> None:
    unread = documented(PAGE.read_text(encoding="utf-8")) - {read.variable for read in all_reads()}
    assert not unread, f"Nothing reads {', '.join(sorted(unread))}: take the line out of docs/deployment.md."


@pytest.mark.parametrize(
    "source",
    [
        'from pylantir_site import env\nNEW = env.integer("NEW_SETTING", 1, least=1, most=2)',
        'from pylantir_site.ground import env\n\ndef later() -> str:\n    return env.text("NEW_SETTING")',
        'import os\nNEW = os.environ["NEW_SETTING"]',
        'import os\nNEW = os.environ.get("NEW_SETTING_FILE", "")',
        'import os\nNEW = os.getenv("NEW_SETTING")',
        'import os\nNAME = "NEW_SETTING"\nNEW = os.environ.get(NAME)',
        'def read(api, key):\n    return env.words(key.upper())\n\nread({}, "new_setting")',
    ],
)
def test_a_setting_without_a_line_is_told_in_a_sentence(source: str) -> None:
    (told,) = missing(list(Module(source, "worklist/new.py").reads()), PAGE.read_text(encoding="utf-8"))

    assert re.fullmatch(
        r"NEW_SETTING is read by worklist/new\.py, line \d+: add a line to docs/deployment\.md\.", told
    )


def test_a_name_that_cannot_be_told_is_refused() -> None:
    with pytest.raises(LookupError, match=r"worklist/new\.py, line 1: which variable is `made\(\)`\?"):
        list(Module("env.text(made())", "worklist/new.py").reads())


def test_a_variable_that_is_only_set_is_no_setting() -> None:
    source = 'import os\nos.environ["CHILD"] = "1"\nos.environ.setdefault("CHILD", "1")'

    assert list(Module(source, "worklist/new.py").reads()) == []
