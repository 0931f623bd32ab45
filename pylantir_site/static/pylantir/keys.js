// Keys of one letter do what a button or a link does: data-key names it. Those of a booking need it to be in focus.
// The dialog that “?” opens lists them all, and turns them off.
"use strict";
{
    const TYPES_INTO = "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]";
    const OFF = "pylantir-keys-off";
    const LAST = "pylantir-booking";  // the one that was in focus: after an action people go on from there
    const help = document.getElementById("keys-dialog");
    const off = document.getElementById("keys-off");

    const bookings = () => [...document.querySelectorAll(".booking")];
    const current = () =>
        document.activeElement?.closest(".booking") ?? document.getElementById(sessionStorage.getItem(LAST));
    const firstToCome = (place) =>
        place.querySelector('.now ~ .booking[data-status="SCHEDULED"]') ?? place.querySelector(".booking");
    const focusOn = (booking) => {
        const link = booking?.querySelector(".who a");
        link?.focus({ preventScroll: true });
        link?.scrollIntoView({ block: "nearest" });
    };

    const toBooking = (by) => {
        const at = current();
        focusOn(at ? bookings()[bookings().indexOf(at) + by] : firstToCome(document));
    };
    const toLane = () => {
        const lanes = [...document.querySelectorAll(".lane")].filter((lane) => lane.querySelector(".booking"));
        const at = lanes.indexOf(current()?.closest(".lane"));
        if (lanes.length) {
            focusOn(firstToCome(lanes[(at + 1) % lanes.length]));
        }
    };
    const toPoint = () => {
        const points = [...document.querySelectorAll(".attention .points > li")];
        const at = points.indexOf(document.activeElement?.closest(".points > li"));
        points[(at + 1) % points.length]?.querySelector(".actions :is(button, a)")?.focus();
    };
    const openHelp = () => help.showModal();
    const MOVES = { j: () => toBooking(1), k: () => toBooking(-1), l: toLane, g: toPoint, "?": openHelp };

    const named = (key) => {
        const like = `[data-key="${CSS.escape(key)}"]`;
        return (
            document.activeElement?.closest(".booking")?.querySelector(like)
            ?? [...document.querySelectorAll(like)].find((each) => !each.closest(".booking"))
        );
    };

    document.addEventListener("keydown", (event) => {
        const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing && !event.repeat;
        const isBusy = "busy" in document.body.dataset || document.querySelector("dialog[open]") !== null;
        const isFree = !isBusy && !("keysOff" in document.body.dataset);
        if (event.defaultPrevented || !isPlain || !isFree || event.target.closest(TYPES_INTO)) {
            return;
        }
        const move = Object.hasOwn(MOVES, event.key) ? MOVES[event.key] : null;
        const button = move ? null : named(event.key);
        if (move || button) {
            event.preventDefault();
            move ? move() : button.click();
        }
    });
    document.addEventListener("focusin", (event) => {
        const booking = event.target.closest(".booking");
        if (booking) {
            sessionStorage.setItem(LAST, booking.id);
        }
    });

    const follow = () => document.body.toggleAttribute("data-keys-off", off.checked);
    off.checked = localStorage.getItem(OFF) === "1";
    follow();
    off.addEventListener("change", () => {
        localStorage.setItem(OFF, off.checked ? "1" : "0");
        follow();
    });
    for (const opener of document.querySelectorAll("[data-opens=keys-dialog]")) {
        opener.hidden = false;
        opener.addEventListener("click", openHelp);
    }
}
