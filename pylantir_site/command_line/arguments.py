"""What was typed is put into the order that Django reads: the command first, its options after it.

The original read options before the command as well as after it, and its commands are written with dashes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import takewhile
from typing import NamedTuple

CONFIG = "--pylantir_config"
CONFIG_SPELLINGS = frozenset({CONFIG, "--pylantir-config"})
HELP = frozenset({"-h", "--help"})
OF_DJANGO = frozenset({"help", "version"})  # beside those that it lists


class UsageError(Exception):
    """What was typed makes no command line; the text says what is missing."""


class Typed(NamedTuple):
    """What was typed without its configuration file, and that file's path, if any."""

    words: list[str]
    config: str | None


def without_config(words: list[str]) -> Typed:
    """Take the configuration file out, wherever it was typed; the last one counts. Raises UsageError."""
    left, config = [], None
    options = list(takewhile(lambda word: word != "--", words))
    coming = iter(options)
    for word in coming:
        name, equals, value = word.partition("=")
        if name not in CONFIG_SPELLINGS:
            left.append(word)
            continue
        config = value if equals else next(coming, "")
        if not config or (not equals and config.startswith("-")):
            raise UsageError(f"{name} needs the path of a file.")
    return Typed([*left, *words[len(options) :]], config)


def command_first(
    words: list[str], *, known: Collection[str], flags: Callable[[str], Collection[str]]
) -> list[str]:
    """Return the command, by its own name, before all options.

    `flags` says which options of a command take no value. An unknown command is left where it is, for Django
    says so; options without any raise UsageError, except where they ask for help.
    """
    for position, word in enumerate(words):
        before, after = words[:position], words[position + 1 :]
        command = _own_name(word, known)
        if command in known and (not before or _are_options(before, flags(command))):
            asked = [_own_name(each, known) for each in after] if command == "help" else after
            return [command, *before, *asked]
    if not words or not words[0].startswith("-"):
        return words
    if not HELP & set(words):
        raise UsageError("No command is named.")
    return ["help"]


def _own_name(word: str, known: Collection[str]) -> str:
    name = word.replace("-", "_")
    return name if name in known else word


def _are_options(words: list[str], flags: Collection[str]) -> bool:
    """Tell whether the words are options with their values, and none of them waits for one."""
    position = 0
    while position < len(words) and words[position].startswith("-"):
        position += 1 if "=" in words[position] or words[position] in flags else 2
    return position == len(words)
