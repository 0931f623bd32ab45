"""Two sources may read one project, for two kinds of session; by mistake they offer everybody twice."""

from __future__ import annotations

from django.db.models.fields.json import KT

from sources.models.data_sources import DataSource, TokenMissing
from sources.models.dictionaries import KnownDictionary
from sources.secrets import CannotDecrypt


def others_on_its_project(source: DataSource) -> list[DataSource]:
    """Return the other sources of the project that a stored source reads, by name."""
    known = _known_projects([source])
    return others_on_project(source, known.get(source.pk), _token_of(source))


def others_on_project(source: DataSource, project_id: int | None, token: str) -> list[DataSource]:
    """Return the sources that read this project at the source's URL; its own row is none of them.

    A project is known by its ID, or by a token, which opens one project only.
    """
    there = DataSource.objects.filter(kind=source.kind, url=source.url).exclude(pk=source.pk).order_by("name")
    others = list(there)
    known = _known_projects(others)
    return [
        other
        for other in others
        if (project_id is not None and known.get(other.pk) == project_id)
        or (token and _token_of(other) == token)
    ]


def _known_projects(sources: list[DataSource]) -> dict[int, int]:
    """Return which project each reads: the one that it must open, or the one that it was seen to open."""
    known_dictionaries = KnownDictionary.objects.filter(
        source__in=[source.pk for source in sources if not source.project_id]
    )
    seen = known_dictionaries.annotate(project=KT("content__project_id")).values_list("source_id", "project")
    known = {pk: int(project) for pk, project in seen if project is not None}
    return known | {source.pk: source.project_id for source in sources if source.project_id}


def _token_of(source: DataSource) -> str:
    try:
        return source.token()
    except (TokenMissing, CannotDecrypt):
        return ""
