"""The stand-in REDCap's API works without HTTP here: it takes a form and gives an answer."""

from __future__ import annotations

from collections.abc import Sequence

from tests.redcap.answers import Answer, ApiError, Limits, Parameters, Switches, encoded, error, in_json
from tests.redcap.contents import CONTENTS, Call
from tests.redcap.imports import imported
from tests.redcap.log import Kind
from tests.redcap.project import Project

NO_PERMISSION = "You do not have permissions to use the API"


def answer(
    projects: Sequence[Project], parameters: Parameters, *, switches: Switches, limits: Limits
) -> Answer:
    """Answer the form. Raises OutOfMemory."""
    try:
        call = _admitted(projects, parameters, switches, limits)
        with call.project.lock:
            return _answered(call)
    except ApiError as failure:
        text = error(failure, parameters.return_format)
        return Answer(failure.status, text.encode(), _content_type(parameters.return_format, switches))


def _admitted(
    projects: Sequence[Project], parameters: Parameters, switches: Switches, limits: Limits
) -> Call:
    token = parameters.get("token")
    for project in projects:
        user = project.users.get(token)
        may = user and (user.api_import if is_import(parameters) else user.api_export)
        if user and may and not user.expired:
            return Call(project, user, parameters, switches, limits)
        if user:
            raise ApiError(403, NO_PERMISSION)
    raise ApiError(switches.unknown_token_status, NO_PERMISSION)


def _answered(call: Call) -> Answer:
    content = call.parameters.get("content")
    if is_import(call.parameters):
        return _taken(call)
    if content == "version":
        return Answer(200, call.project.version.encode(), "text/html; charset=utf-8")
    if content not in CONTENTS or call.parameters.get("action", "export") != "export":
        raise ApiError(400, 'The value of the parameter "content" is not valid')
    body = encoded(CONTENTS[content].export(call), call.parameters.format)
    _log_call(call, content)
    return Answer(200, body.encode(), _content_type(call.parameters.format, call.switches))


def is_import(parameters: Parameters) -> bool:
    is_import = parameters.get("action") == "import" or parameters.has("data")
    return is_import and parameters.get("content") == "record"


def _taken(call: Call) -> Answer:
    taken = imported(call)
    body = {"count": in_json({"count": len(taken)}), "ids": in_json(taken), "nothing": in_json({})}
    wanted = call.parameters.get("returnContent", "count")
    return Answer(200, body[wanted].encode(), _content_type("json", call.switches))


def _content_type(form: str, switches: Switches) -> str:
    return {"csv": "text/csv; charset=utf-8", "xml": "text/xml; charset=utf-8"}.get(
        form, switches.content_type
    )


def _log_call(call: Call, content: str) -> None:
    kind = Kind.EXPORT if content == "record" else Kind.MANAGE
    call.project.log.write(
        call.project.clock.now(),
        kind,
        user=call.user.name,
        action="Data export (API)" if kind is Kind.EXPORT else "Manage/Design (API)",
        details=f"Export {CONTENTS[content].called} (API)",
    )
