"""What a source may name of this machine: variables by their beginning, files below one folder.

Whoever may edit a source chooses the server that its token is sent to, so a name that leads to a secret of
the machine, or of this product, would give it away.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from django.conf import settings

from pylantir_site.environment import env

LONGEST_TOKEN_FILE = 4096  # bytes
LARGEST_BUNDLE = 16 * 1024 * 1024  # bytes; a system's own has a quarter of one
# Where systems keep certificates that everybody may read.
PUBLIC_CERTIFICATES = ("/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted/pem")
OWN_FILE = "This is a file of Pylantir's own, which no source may read."


class NotAllowed(Exception):
    """The name is none that a source may use; the text says what to do, for an administrator."""


def check_variable(name: str) -> None:
    """Raise NotAllowed unless a source may take its token from the variable."""
    prefixes = settings.SOURCE_TOKEN_VARIABLES
    if name in env.names_read():
        raise NotAllowed(f"{name} is a setting of Pylantir's own, which no source may read.")
    if not name.startswith(tuple(prefixes)):
        raise NotAllowed(
            f"The environment variable {name} may not be read by sources: its name must begin with "
            f"{' or '.join(prefixes)}. Rename it, or name another beginning in SOURCE_TOKEN_VARIABLES."
        )


def token_in(path: str) -> str:
    """Return what the file of a token holds. Raises NotAllowed, OSError and UnicodeDecodeError."""
    resolved = token_file(path)
    if resolved.stat().st_size > LONGEST_TOKEN_FILE:
        raise NotAllowed("The token's file is longer than any token.")
    return resolved.read_text(encoding="utf-8").strip()


def token_file(path: str) -> Path:
    """Return where the path of a token leads. Raises NotAllowed and OSError."""
    return _allowed(path, [*_site_folder()], also=_named_by_the_site())


def certificates(path: str) -> Path:
    """Return where the path of a CA bundle leads. Raises NotAllowed and OSError."""
    resolved = _allowed(path, [*_site_folder(), *PUBLIC_CERTIFICATES])
    if resolved.stat().st_size > LARGEST_BUNDLE:
        raise NotAllowed("The CA bundle is larger than any that is meant.")
    return resolved


def check_table(path: Path) -> None:
    """Raise NotAllowed where a file in the folder of tables is one that no table may be."""
    if _is_own(path) or path in _named_by_the_site():
        raise NotAllowed(OWN_FILE)
    if any(path.is_relative_to(Path(folder).resolve()) for folder in _site_folder()):
        raise NotAllowed(
            "The file lies below SOURCE_FILES_FOLDER, which is for tokens: keep tables in another folder."
        )


def refusals(*, variable: str = "", token: str = "", certificates_at: str = "") -> tuple[str, ...]:
    """Return why what a source names may not be used; a file that is not there is another matter."""
    checks = ((check_variable, variable), (token_file, token), (certificates, certificates_at))
    return tuple(told for check, name in checks if name and (told := _refusal(check, name)))


def _refusal(check: Callable[[str], object], name: str) -> str:
    try:
        check(name)
    except NotAllowed as error:
        return str(error)
    except OSError:
        pass
    return ""


def _site_folder() -> tuple[str, ...]:
    return (settings.SOURCE_FILES_FOLDER,) if settings.SOURCE_FILES_FOLDER else ()


def _allowed(path: str, folders: Iterable[str], *, also: Iterable[Path] = ()) -> Path:
    """Resolve links first, for one within a folder may lead out of it. Nothing is said of other paths."""
    resolved = Path(path).resolve()
    below = any(resolved.is_relative_to(Path(folder).resolve()) for folder in folders)
    if not Path(path).is_absolute() or not (below or resolved in set(also)):
        raise NotAllowed(_outside())
    if _is_own(resolved):
        raise NotAllowed(OWN_FILE)
    if not stat.S_ISREG(resolved.stat().st_mode):
        raise NotAllowed("This is no plain file.")
    return resolved


def _outside() -> str:
    if not settings.SOURCE_FILES_FOLDER:
        return (
            "Sources may read no files of this machine: "
            "name the folder of their files in SOURCE_FILES_FOLDER, and put the file there."
        )
    return (
        f"Sources read files below {settings.SOURCE_FILES_FOLDER} alone: "
        "put the file there, or name another folder in SOURCE_FILES_FOLDER."
    )


def _named_by_the_site() -> set[Path]:
    """Return the files that the environment names for tokens, as REDCAP_API_TOKEN_FILE does."""
    prefixes = tuple(settings.SOURCE_TOKEN_VARIABLES)
    return {
        Path(value).resolve()
        for name, value in os.environ.items()
        if value and name.startswith(prefixes) and name.endswith("_FILE")
    }


def _is_own(resolved: Path) -> bool:
    """Tell whether it lies beside the database, where keys are kept, or is named by a setting."""
    own = {path.resolve() for path in env.files_read()}
    return resolved.parent == Path(settings.DATA_DIR).resolve() or resolved in own
