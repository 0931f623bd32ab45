"use strict";

/* The search box of every page: “/” leads there, and what is typed is sent by POST and answered below it.
   Without this file Enter sends the form, and a page shows the results. */
{
    const form = document.getElementById("site-search");
    const input = form.elements.q;
    const popup = form.querySelector(".site-search-popup");
    const results = document.getElementById("site-search-results");
    const said = form.querySelector("[role=status]");
    const PAUSE = 150; // milliseconds without a key before it is asked
    let pause = 0;
    let asking = null; // the request under way
    let camefrom = null; // where the focus was before

    const options = () => [...results.querySelectorAll("[role=option]")];
    const active = () => results.querySelector("[aria-selected=true]");

    const show = (isShown) => {
        popup.hidden = !isShown;
        input.setAttribute("aria-expanded", String(isShown && options().length > 0));
        if (!isShown) choose(null);
    };

    const choose = (option) => {
        active()?.setAttribute("aria-selected", "false");
        option?.setAttribute("aria-selected", "true");
        option?.scrollIntoView({ block: "nearest" });
        if (option) input.setAttribute("aria-activedescendant", option.id);
        else input.removeAttribute("aria-activedescendant");
    };

    const step = (by) => {
        const all = options();
        if (!all.length) return;
        const at = all.indexOf(active());
        choose(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length]);
    };

    const drop = () => {
        clearTimeout(pause);
        asking?.abort();
        asking = null;
    };

    const close = () => {
        drop();
        show(false);
    };

    const ask = async () => {
        const own = (asking = new AbortController());
        try {
            const answer = await fetch(form.dataset.suggestions, {
                method: "POST",
                body: new FormData(form),
                signal: own.signal,
                redirect: "error",
            });
            if (!answer.ok) throw new Error(answer.statusText);
            const html = await answer.text();
            if (own !== asking) return;
            results.innerHTML = html;
            said.textContent = results.querySelector("[data-said]").dataset.said;
            show(true);
        } catch {
            if (own !== asking) return; // a newer one was asked, or nobody waits any more
            results.textContent = "";
            show(false);
            said.textContent = form.dataset.failed;
        }
    };

    input.addEventListener("input", () => {
        drop();
        if (input.value.trim()) pause = setTimeout(ask, PAUSE);
        else close();
    });

    input.addEventListener("keydown", (event) => {
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            if (popup.hidden && options().length && input.value.trim()) show(true);
            step(event.key === "ArrowDown" ? 1 : -1);
        } else if (event.key === "Enter" && active()) {
            event.preventDefault();
            active().click();
        } else if (event.key === "Escape") {
            event.preventDefault();
            close();
            if (camefrom?.isConnected) camefrom.focus();
            else input.blur();
        }
    });

    // The focus stays in the box while an option is pressed.
    results.addEventListener("mousedown", (event) => event.preventDefault());
    form.addEventListener("focusout", (event) => {
        if (!form.contains(event.relatedTarget)) close();
    });
    form.addEventListener("submit", drop);

    document.addEventListener("keydown", (event) => {
        const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
        if (event.key !== "/" || "keysOff" in document.body.dataset || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
        event.preventDefault();
        camefrom = document.activeElement === document.body ? null : document.activeElement;
        input.focus();
        input.select();
    });
}
