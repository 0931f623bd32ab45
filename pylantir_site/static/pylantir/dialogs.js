// A link with data-dialog opens its page's part in a dialog.
// Forms in it return to the page that the person is on. Without this script the link leads to the page.
"use strict";
{
    let opener = null;

    const dialog = document.createElement("dialog");
    dialog.className = "page-dialog";
    dialog.setAttribute("aria-labelledby", "dialog-heading");
    dialog.addEventListener("close", () => {
        dialog.replaceChildren();
        // A refresh may have put another element in the place of the one that opened it.
        (opener?.isConnected ? opener : document.getElementById(opener?.id))?.focus();
    });

    const heading = (page) => {
        const title = document.createElement("h2");
        title.id = "dialog-heading";
        title.textContent = page.querySelector("h1")?.textContent ?? page.title;
        return title;
    };

    const closing = () => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "button quiet close-dialog";
        button.textContent = "×";
        button.setAttribute("aria-label", gettext("Close"));
        button.addEventListener("click", () => dialog.close());
        return button;
    };

    const show = async (link) => {
        document.body.dataset.busy = "dialog";
        let part = null;
        let page = null;
        try {
            const answer = await fetch(link.href, { credentials: "same-origin" });
            page = new DOMParser().parseFromString(await answer.text(), "text/html");
            part = page.querySelector(".dialog-part");
        } catch {
            // The page itself then says what is the matter.
        }
        if (!part) {
            location.href = link.href;
            return;
        }
        part.classList.remove("card");
        dialog.replaceChildren(closing(), heading(page), part);
        if (!dialog.open) {
            opener = link;
            document.body.append(dialog);
            dialog.showModal();
        }
        delete document.body.dataset.busy;  // an open dialog says so itself
        const first = part.querySelector("[autofocus], input:not([type=hidden]), button, a, select");
        first?.focus();
        if (first?.matches("input")) {
            first.select();  // what is typed takes its place
        }
    };

    document.addEventListener("click", (event) => {
        const link = event.target.closest("a[data-dialog]");
        if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
            event.preventDefault();
            show(link);
        }
    });
    document.addEventListener("submit", (event) => {
        if (dialog.contains(event.target) && event.target.elements.next) {
            event.target.elements.next.value = location.pathname + location.search;
        }
    });
}
