"""A filing preset fills rows of a mapping so that an archive files what comes by itself.

Each row ends with a pattern, so that a value that the archive would read otherwise keeps its session out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from sources.filing import xnat
from sources.mapping import templates
from sources.mapping.rules import Rule

_LABEL = "[A-Za-z0-9_-]+"
_PLAIN = "[A-Za-z0-9-]+"
_DOTTED = "[A-Za-z0-9._-]+"
_PLACE = re.compile("<([a-z]+)>")


class PresetPart(NamedTuple):
    """A part is one text for the whole study where it is `fixed`, else a template: `{study_id}_{session}`.

    `expression` is what its values must be, and `example` is one.
    """

    name: str
    expression: str
    example: str
    fixed: bool = False


class PresetRow(NamedTuple):
    """`text` has each part as `<name>`; so has `expression`, or it is what the whole must be."""

    target: str
    text: str
    expression: str


class FilingSource(NamedTuple):
    title: str
    url: str


class FilingPreset(NamedTuple):
    key: str
    scheme: str  # of schemes.SCHEMES
    name: str
    parts: tuple[PresetPart, ...]
    rows: tuple[PresetRow, ...]
    references: tuple[FilingSource, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(row.target for row in self.rows)


class UnusablePart(ValueError):
    """`part` names what was given, and the text says what is expected of it."""

    def __init__(self, part: str, text: str) -> None:
        super().__init__(text)
        self.part = part


PROJECT = PresetPart("project", _LABEL, "BobsProj", fixed=True)
SUBJECT = PresetPart("subject", _LABEL, "{study_id}")
SESSION = PresetPart("session", _LABEL, "{study_id}_{session}")
_ASSIGNMENTS = "Project:<project> Subject:<subject> Session:<session>"
_XNAT_SCANS = FilingSource(
    "How XNAT Scans DICOM to Map to Project/Subject/Session",
    "https://wiki.xnat.org/documentation/how-xnat-scans-dicom-to-map-to-project-subject-ses",
)
_XNAT_ROUTES = FilingSource(
    "XNAT Custom DICOM Routing Rules in the Admin UI",
    "https://wiki.xnat.org/documentation/xnat-custom-dicom-routing-rules-in-the-admin-ui",
)
_LORIS_IDS = "<pscid>_<candid>_<visit>"
# LORIS takes a name with one of these for a phantom's.
_NO_PHANTOM = "(?!.*(?i:pha|test))"

PRESETS = (
    FilingPreset(
        "xnat_comments",
        "xnat",
        "XNAT: Patient Comments",
        (PROJECT, SUBJECT, SESSION),
        (PresetRow("PatientComments", _ASSIGNMENTS, _ASSIGNMENTS),),
        (_XNAT_SCANS,),
    ),
    FilingPreset(
        "xnat_attributes",
        "xnat",
        "XNAT: Study Description, Patient's Name and Patient ID",
        (PROJECT, SUBJECT, SESSION),
        (
            PresetRow("study_description", "<project>", "<project>"),
            PresetRow("patient_name", "<subject>", "<subject>"),
            PresetRow("patient_id", "<session>", "<session>"),
        ),
        (_XNAT_SCANS,),
    ),
    FilingPreset(
        "xnat_custom",
        "xnat_custom",
        "XNAT with routing rules of its own: Study Description",
        (PROJECT, SUBJECT, SESSION),
        (PresetRow("study_description", _ASSIGNMENTS, _ASSIGNMENTS),),
        (_XNAT_ROUTES,),
    ),
    FilingPreset(
        "loris",
        "loris",
        "LORIS: Patient's Name and Patient ID",
        (
            PresetPart("pscid", _PLAIN, "{study_id}"),
            PresetPart("candid", "[1-9][0-9]{5}", "{cand_id}"),
            PresetPart("visit", _PLAIN, "V{session}"),
        ),
        tuple(
            PresetRow(target, _LORIS_IDS, _NO_PHANTOM + _LORIS_IDS)
            for target in ("patient_name", "patient_id")
        ),
        (
            FilingSource(
                "LORIS-MRI, Introduction",
                "https://github.com/aces/Loris-MRI/blob/main/docs/01-Introduction.md",
            ),
            FilingSource(
                "LORIS-MRI, profileTemplate.pl",
                "https://github.com/aces/Loris-MRI/blob/main/dicom-archive/profileTemplate.pl",
            ),
        ),
    ),
    FilingPreset(
        "flywheel",
        "flywheel",
        "Flywheel: Patient Comments",
        (
            PresetPart("group", "[a-z0-9._-]+", "neurology", fixed=True),
            PresetPart("project", _DOTTED, "parkinsons", fixed=True),
            PresetPart("subject", _DOTTED, "{study_id}"),
            PresetPart("session", _DOTTED, "ses-{session}"),
        ),
        (
            PresetRow(
                "PatientComments",
                "fw://<group>/<project>/<subject>/<session>",
                "fw://<group>/<project>/<subject>/<session>",
            ),
        ),
        (
            FilingSource(
                "DICOM Connector Advanced Configuration Guide",
                "https://docs.flywheel.io/data_transfer/inbound/dicom_connector/"
                "dicom-connector-advanced-configuration",
            ),
        ),
    ),
    FilingPreset(
        "reproin",
        "reproin",
        "ReproIn: Study Description",
        (
            PresetPart("investigator", "[A-Za-z0-9]+", "Gobbini", fixed=True),
            PresetPart("experimenter", "[A-Za-z0-9]+", "Matteo", fixed=True),
            PresetPart("study", _LABEL, "1002_faceangles", fixed=True),
        ),
        (
            PresetRow(
                "study_description",
                "<investigator>_<experimenter>^<study>",
                r"<investigator>_<experimenter>\^<study>",
            ),
        ),
        (
            FilingSource("Reproin", "https://heudiconv.readthedocs.io/en/latest/reproin.html"),
            FilingSource(
                "HeuDiConv, reproin.py",
                "https://github.com/nipy/heudiconv/blob/master/heudiconv/heuristics/reproin.py",
            ),
        ),
    ),
)
BY_KEY = {preset.key: preset for preset in PRESETS}


def rules(preset: FilingPreset, given: Mapping[str, str]) -> tuple[Rule, ...]:
    """Return the rows, made of a text for each part. Raises UnusablePart."""
    texts = {part.name: _text(part, given.get(part.name, "").strip()) for part in preset.parts}
    return tuple(
        Rule(
            row.target,
            transforms=f"template {_filled(row.text, texts)}\n{_guard(preset, row)}",
            required=True,
        )
        for row in preset.rows
    )


def _guard(preset: FilingPreset, row: PresetRow) -> str:
    """Return the line that lets through what the archive reads as it is meant."""
    return f"pattern 0 ^{_filled(row.expression, {part.name: part.expression for part in preset.parts})}$"


def recognised(transforms: Mapping[str, str]) -> FilingPreset | None:
    """Return the preset whose rows a mapping has: `transforms` maps its targets to their lines."""
    last_lines = {target: lines.rpartition("\n")[2].strip() for target, lines in transforms.items()}
    return next(
        (
            preset
            for preset in PRESETS
            if all(last_lines.get(row.target) == _guard(preset, row) for row in preset.rows)
        ),
        None,
    )


def _text(part: PresetPart, text: str) -> str:
    if not text:
        raise UnusablePart(part.name, f"A text is expected, such as {part.example}.")
    if part.fixed:
        if not re.fullmatch(part.expression, text):
            raise UnusablePart(part.name, f"{_allowed(part)} such as {part.example}.")
        return text
    try:
        read = templates.read(text)
    except templates.TemplateError as error:
        raise UnusablePart(part.name, str(error)) from error
    if not any(each.names for each in read.parts):
        raise UnusablePart(
            part.name, f"All would be the same: use a field in braces, such as {part.example}."
        )
    return text


def _allowed(part: PresetPart) -> str:
    """Say which characters a fixed text has."""
    letters = "Letters" if re.fullmatch(part.expression, "A") else "Small letters"
    more = " ".join(each for each in "._-" if re.fullmatch(part.expression, f"a{each}a"))
    return f"{letters} and digits{f', {more}' if more else ''} are expected,"


def _filled(text: str, parts: Mapping[str, str]) -> str:
    """Put each part into its place, whatever stands in the parts."""
    return _PLACE.sub(lambda place: parts[place[1]], text)


def routing_rules(preset: FilingPreset) -> tuple[str, ...]:
    """Return what an administrator of the archive has to enter for the preset."""
    return tuple(rule.text for rule in xnat.CUSTOM_RULES) if preset.scheme == "xnat_custom" else ()
