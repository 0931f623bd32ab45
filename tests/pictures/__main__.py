"""Take each picture that is named, or all: `make pictures ARGS="today held"`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser import QUIET
from tests.conftest import chromium, free_port
from tests.pictures import age
from tests.pictures.scenes import SCENES, Scene

PASSWORD = "of the demonstration alone"
READY = "Sign in at"
HIGH = 900


def main() -> int:
    """Return 0, or 1 where a scene could not be shown; it says which and why."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *SCENES], metavar="NAME")
    names = parser.parse_args().names or list(SCENES)
    with (
        tempfile.TemporaryDirectory() as folder,
        demonstration(Path(folder)) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        failed = [name for name in names if not taken(browser, url, name)]
        browser.close()
    if not failed and len(names) == len(SCENES):
        age.keep()
    return 1 if failed else 0


@contextmanager
def demonstration(folder: Path) -> Iterator[str]:
    """Run `make demo` on free ports, and give where its admin is."""
    web = free_port()
    ports = ("--port", str(free_port()), "--api-port", str(web))
    with subprocess.Popen(
        [sys.executable, "-m", "tests.demo", "--folder", str(folder / "demo"), *ports],
        env={**os.environ, "PYLANTIR_ADMIN_PASSWORD": PASSWORD},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            if not any(READY in line for line in iter(process.stdout.readline, "")):  # type: ignore[union-attr]
                raise SystemExit("The demonstration did not start.")
            yield f"http://127.0.0.1:{web}"
        finally:
            process.send_signal(signal.SIGTERM)


def taken(browser: Browser, url: str, name: str) -> bool:
    scene = SCENES[name]
    try:
        take(browser, url, scene, age.PICTURES / f"{name}.png")
    except Exception as error:
        print(f"{name}: {str(error).splitlines()[0]}", file=sys.stderr)
        return False
    print(name, flush=True)
    return True


def take(browser: Browser, url: str, scene: Scene, path: Path) -> None:
    context = browser.new_context(
        base_url=url,
        viewport={"width": scene.width, "height": scene.height or HIGH},
        color_scheme=scene.color_scheme,  # type: ignore[arg-type]
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto("/admin/login/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_load_state("networkidle")
    scene.lead(page)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path, full_page=not scene.height)
    context.close()


if __name__ == "__main__":
    sys.exit(main())
