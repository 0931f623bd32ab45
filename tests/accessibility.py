"""axe-core looks at a page in a browser for what keeps people from using it (WCAG 2.2 AA)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, ViewportSize

WIDE, PHONE = ViewportSize(width=1300, height=900), ViewportSize(width=390, height=844)
BROKEN_POLICY = "Content Security Policy"  # so the browser's console says
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Of axe's good practices those that a keyboard or a screen reader lives by.
ALSO = [
    *("empty-table-header", "heading-order", "landmark-no-duplicate-main", "landmark-unique"),
    "page-has-heading-one",
]
ALL = {"type": "tag", "values": TAGS}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
ON_A_PHONE = {"type": "rule", "values": ["scrollable-region-focusable", "target-size"]}
RUN = """async ([only, also, within]) => {
    const rules = Object.fromEntries(also.map((rule) => [rule, {enabled: true}]));
    if (only.type === "tag") rules["target-size"] = {enabled: false};
    const how = {runOnly: only, rules, resultTypes: ["violations"], preload: false};
    const found = await axe.run(within, how);
    return found.violations.map(
        ({id, nodes}) => [id, nodes.length, nodes[0].html, nodes[0].failureSummary]
    );
}"""
# What is folded is unfolded, but for menus, which cover other things; no colour is met on its way.
UNFOLD = """() => {
    document.querySelectorAll("details:not(.menu)").forEach((each) => { each.open = true; });
    const still = new CSSStyleSheet();  // which the pages' policy lets in, unlike a <style>
    still.replaceSync("* { transition: none !important; animation: none !important; }");
    document.adoptedStyleSheets.push(still);
}"""
SAME_IDS = """() => {
    const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
    return [...new Set(ids.filter((id, place) => ids.indexOf(id) !== place))];
}"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT_OFF = """() => {
    const isCut = (node, place) => {
        for (let around = node.parentElement; around !== document.body; around = around.parentElement) {
            const {overflowX, textOverflow, textIndent} = getComputedStyle(around);
            const own = around.getBoundingClientRect();
            const isMeant = own.width <= 1 || textOverflow === "ellipsis" || parseInt(textIndent) < 0;
            if (isMeant || ["auto", "scroll"].includes(overflowX)) return false;
            if (overflowX !== "visible") return place.right > own.right + 1 || place.left < own.left - 1;
        }
        return false;
    };
    const found = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    while (texts.nextNode()) {
        const text = texts.currentNode;
        const {parentElement: around} = text;
        if (!text.data.trim() || around.matches("option")) continue;
        if (!around.checkVisibility({visibilityProperty: true})) continue;
        range.selectNodeContents(text);
        const place = range.getBoundingClientRect();
        if (place.width && isCut(text, place)) found.push(text.data.trim().slice(0, 100));
    }
    return found;
}"""
SEND = """([url, sent]) => {
    const form = document.createElement("form");
    const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
    for (const [name, value] of Object.entries({csrfmiddlewaretoken: token, ...sent})) {
        const input = document.createElement("input");
        [input.type, input.name, input.value] = ["hidden", name, value];
        form.append(input);
    }
    [form.method, form.action] = ["post", url];
    document.body.append(form);
    form.submit();
}"""


class Walk:
    """Pages are opened one after another, and what is wrong with any of them is kept."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.told: list[str] = []
        page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        """Keep what the browser refused to run, to show or to ask for."""
        if BROKEN_POLICY in message.text:
            self.told.append(f"{self.page.url}: {message.text}")

    def open(self, url: str, *, within: str = "html", is_brief: bool = False) -> None:
        self.page.goto(url)
        self.look(url, within=within, is_brief=is_brief)

    def send(self, url: str, sent: Mapping[str, Any] | None = None) -> None:
        """Look at what comes of a form that is sent from the page that is open."""
        with self.page.expect_navigation():
            self.page.evaluate(SEND, [url, sent or {}])
        self.look(f"{url} once sent")

    def look(self, name: str, *, within: str = "html", is_brief: bool = False) -> None:
        """Look at the page as it is, or at what of it the others do not have, by its selector."""
        found = problems(self.page, within=within, is_brief=is_brief)
        self.told += (f"{name}: {problem}" for problem in found)


def problems(page: Page, *, within: str, is_brief: bool) -> Iterator[str]:
    """Yield what is wrong with it when light and, unless brief, when dark and on a phone."""
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    page.evaluate(UNFOLD)
    page.evaluate(_axe())
    yield from _violations(page, "light", within, ALL, ALSO)
    yield from (f"the id {each} is there twice" for each in page.evaluate(SAME_IDS))
    if is_brief:
        return
    page.emulate_media(color_scheme="dark")
    yield from _violations(page, "dark", within, COLOURS)
    page.set_viewport_size(PHONE)
    yield from _violations(page, "phone", within, ON_A_PHONE)
    if (pixels := page.evaluate(SIDEWAYS)) > 0:
        yield f"phone: the page is {pixels} pixels wider than the screen"
    yield from (f"phone: cut off: {each}" for each in page.evaluate(CUT_OFF))


def _violations(
    page: Page, how: str, within: str, only: dict[str, Any], also: Sequence[str] = ()
) -> Iterator[str]:
    for rule, count, html, summary in page.evaluate(RUN, [only, also, within]):
        yield f"{how}: {rule} ({count}): {html[:150]} – {' '.join(summary.split())[:250]}"


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
