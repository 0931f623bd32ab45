// The index keeps itself fresh: its live part is asked for again and put in place where it has changed.
// Scroll, focus and what was unfolded stay; nothing happens while somebody types, drags or has a menu open.
"use strict";
{
    const live = document.getElementById("live");
    const asOf = document.getElementById("as-of");
    const notFresh = document.getElementById("not-fresh");
    const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
    const SCROLLED = ".scrolls, .lanes, .bookings";
    let etag = live.dataset.etag;
    let isAsking = false;
    let isSignedOut = false;

    // An element is found again by the nearest id around it and its place among its like below that.
    const placeOf = (element, like) => {
        const owner = element.closest("[id]");
        return { id: owner.id, at: owner === element ? -1 : [...owner.querySelectorAll(like)].indexOf(element), like };
    };
    const elementAt = ({ id, at, like }) => {
        const owner = document.getElementById(id);
        return owner && (at < 0 ? owner : owner.querySelectorAll(like)[at]);
    };

    const isBusy = () => {
        const focused = document.activeElement;
        const types = live.contains(focused) && focused.matches("input, select, textarea");
        return types || "busy" in document.body.dataset || document.querySelector("dialog[open]") !== null;
    };

    const isInView = (element) => {
        const { top, bottom } = element.getBoundingClientRect();
        return top >= 0 && bottom <= window.innerHeight;
    };

    // What somebody is at stays where it is; otherwise the first that is in view does.
    const heldInPlace = () => {
        const focused = document.activeElement;
        const isAt = live.contains(focused) && focused.id !== "" && isInView(focused);
        return isAt ? focused : [...live.querySelectorAll("[id]")].find(isInView);
    };

    const replace = (html) => {
        const focused = live.contains(document.activeElement) ? placeOf(document.activeElement, FOCUSABLE) : null;
        const unfolded = [...live.querySelectorAll("details[open]")].map((each) => placeOf(each, "details"));
        const scrolled = [...live.querySelectorAll(SCROLLED)]
            .filter((each) => each.scrollLeft || each.scrollTop)
            .map((each) => [placeOf(each, SCROLLED), each.scrollLeft, each.scrollTop]);
        const anchor = heldInPlace();
        const top = anchor?.getBoundingClientRect().top;

        live.innerHTML = html;

        for (const place of unfolded) {
            const details = elementAt(place);
            if (details) {
                details.open = true;
            }
        }
        for (const [place, left, down] of scrolled) {
            elementAt(place)?.scrollTo(left, down);
        }
        if (focused) {
            elementAt(focused)?.focus({ preventScroll: true });
        }
        const anchored = anchor && document.getElementById(anchor.id);
        if (anchored) {
            window.scrollBy({ top: anchored.getBoundingClientRect().top - top, behavior: "instant" });
        }
    };

    const fresh = (answer) => {
        isSignedOut = false;
        notFresh.dataset.asOf = answer.headers.get("X-As-Of");
        asOf.textContent = asOf.dataset.text.replace("{time}", notFresh.dataset.asOf);
        asOf.hidden = false;
        notFresh.replaceChildren();
    };

    const say = (text, ...links) => {
        if (notFresh.textContent !== text) {  // said once, not at each try
            asOf.hidden = true;
            notFresh.replaceChildren(text, ...links);
        }
    };

    const signedOut = () => {
        isSignedOut = true;
        const link = document.createElement("a");
        const here = encodeURIComponent(location.pathname + location.search);
        link.href = `${notFresh.dataset.signInUrl}?next=${here}`;
        link.textContent = notFresh.dataset.signIn;
        say(`${notFresh.dataset.signedOut} `, link);
    };

    const refresh = async () => {
        if (isAsking || document.hidden || isBusy()) {
            return;
        }
        isAsking = true;
        try {
            const headers = { "X-Live-Part": "1", "If-None-Match": etag };
            const answer = await fetch(location.href, { headers, redirect: "manual", signal: AbortSignal.timeout(20000) });
            if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) {
                signedOut();
            } else if (answer.status === 304) {
                fresh(answer);
            } else if (answer.ok) {
                const html = await answer.text();
                if (!isBusy()) {
                    etag = answer.headers.get("ETag");
                    replace(html);
                    fresh(answer);
                    document.dispatchEvent(new CustomEvent("pylantir:refreshed"));
                }
            } else {
                throw new Error(String(answer.status));
            }
        } catch {
            say(notFresh.dataset.unreachable.replace("{time}", notFresh.dataset.asOf));
        } finally {
            isAsking = false;
        }
    };

    setInterval(() => isSignedOut || refresh(), 1000 * Number(live.dataset.seconds));
    document.addEventListener("visibilitychange", refresh);
}
