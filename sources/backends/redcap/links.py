"""The way to a record's form leads to REDCap's own pages; REDCap is not asked for it."""

from __future__ import annotations

from urllib.parse import urlencode

from sources.contract import SessionKey
from sources.dictionary import Dictionary
from sources.models import DataSource
from sources.redcap.address import normalise_url


def record_link(
    source: DataSource, dictionary: Dictionary, record: str, key: SessionKey, field: str = ""
) -> str:
    """Return the address of the form that holds the field, or of the session's own."""
    base = normalise_url(source.redcap.url).removesuffix("api/")
    pages = f"{base}redcap_v{dictionary.version}/DataEntry/"
    known = dictionary.fields.get(field)
    form = known.form if known else key.instrument
    event = next((each for each in dictionary.events if each.name == key.event), None)
    query = {"pid": dictionary.project_id, "id": record}
    if not form or (dictionary.is_longitudinal and (event is None or event.id is None)):
        return f"{pages}record_home.php?{urlencode(query)}"
    if event is not None and event.id is not None:
        query["event_id"] = event.id
    if key.instance:
        query["instance"] = key.instance
    return f"{pages}index.php?{urlencode({**query, 'page': form})}"
