// A booking is dragged to another time or lane; by keyboard, m on it, then the arrows and Enter.
// What is done then is its own form's move, which tells the server where the page showed it.
"use strict";
{
    const STEP = 5;
    const DAY = 24 * 60;
    const question = document.getElementById("move-dialog");
    const said = document.getElementById("move-said");
    let dragged = null;
    let moving = null;  // {booking, lane, minutes}: by keyboard

    const minutesOf = (text) => {
        const [hours, minutes] = text.split(":").map(Number);
        return 60 * hours + minutes;
    };
    const textOf = (minutes) =>
        [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");
    const rounded = (minutes) => Math.min(DAY - STEP, Math.max(STEP, STEP * Math.round(minutes / STEP)));
    const nameOf = (lane) => lane.querySelector("h3").textContent.trim();
    const fill = (text, words) => text.replace(/\{(\w+)\}/g, (_, name) => words[name]);
    const movable = (element) => element?.closest?.(".booking[data-movable]");

    const timesIn = (lane, but) =>
        [...lane.querySelectorAll(".booking")].filter((each) => each !== but && each.dataset.time);

    // Between two bookings it is their middle, after the last half an hour later, before the first earlier.
    const proposed = (lane, booking, y) => {
        const others = timesIn(lane, booking);
        const below = others.find((each) => {
            const box = each.getBoundingClientRect();
            return y < box.top + box.height / 2;
        });
        const above = below ? others[others.indexOf(below) - 1] : others.at(-1);
        if (above && below) {
            return rounded((minutesOf(above.dataset.time) + minutesOf(below.dataset.time)) / 2);
        }
        if (above) {
            return rounded(minutesOf(above.dataset.time) + 30);
        }
        return below ? rounded(minutesOf(below.dataset.time) - 30) : startOf(booking);
    };

    const startOf = (booking) => {
        const now = new Date();
        return booking.dataset.time ? minutesOf(booking.dataset.time) : rounded(60 * now.getHours() + now.getMinutes());
    };

    const send = (booking, lane, time) => {
        const form = booking.querySelector("form.booking-actions");
        const add = (name, value) => {
            const input = document.createElement("input");
            input.type = "hidden";
            input.name = name;
            input.value = value;
            form.append(input);
        };
        add("do", "move");
        add("scheduled_start_time", time);
        if (lane !== booking.closest(".lane")) {
            add("scheduled_station_aetitle", lane.dataset.station);
        }
        form.requestSubmit();
    };

    const ask = (booking, lane, minutes) => {
        document.body.dataset.busy = "move";
        const heading = question.querySelector("h2");
        heading.textContent = fill(heading.dataset.text, { who: booking.dataset.name, scanner: nameOf(lane) });
        question.querySelector("input").value = textOf(minutes);
        question.returnValue = "";
        question.addEventListener("close", () => {
            delete document.body.dataset.busy;
            if (question.returnValue === "move") {
                send(booking, lane, question.querySelector("input").value);
            }
        }, { once: true });
        question.showModal();
    };

    const mark = (lane) => {
        for (const each of document.querySelectorAll(".lane.is-target")) {
            each.classList.toggle("is-target", each === lane);
        }
        lane?.classList.add("is-target");
    };

    document.addEventListener("dragstart", (event) => {
        dragged = movable(event.target);
        if (dragged) {
            document.body.dataset.busy = "drag";
            event.dataTransfer.effectAllowed = "move";
            event.dataTransfer.setData("text/plain", dragged.dataset.item);
            dragged.classList.add("is-moving");
        }
    });
    document.addEventListener("dragover", (event) => {
        const lane = dragged && event.target.closest?.(".lane");
        mark(lane);
        if (lane) {
            event.preventDefault();
        }
    });
    document.addEventListener("drop", (event) => {
        const lane = dragged && event.target.closest?.(".lane");
        if (lane) {
            event.preventDefault();
            ask(dragged, lane, proposed(lane, dragged, event.clientY));
        }
    });
    document.addEventListener("dragend", () => {
        dragged?.classList.remove("is-moving");
        dragged = null;
        mark(null);
        if (!question.open) {
            delete document.body.dataset.busy;
        }
    });

    const showProposal = () => {
        const words = { time: textOf(moving.minutes), scanner: nameOf(moving.lane) };
        moving.shown.textContent = fill(said.dataset.at, words);
        said.textContent = moving.shown.textContent;
        mark(moving.lane);
    };

    const begin = (booking) => {
        document.body.dataset.busy = "move";
        const shown = document.createElement("strong");
        shown.className = "proposal";
        booking.append(shown);
        booking.classList.add("is-moving");
        moving = { booking, shown, lane: booking.closest(".lane"), minutes: startOf(booking) };
        showProposal();
        said.textContent = fill(said.dataset.started, { who: booking.dataset.name });
    };

    const end = () => {
        moving.shown.remove();
        moving.booking.classList.remove("is-moving");
        mark(null);
        delete document.body.dataset.busy;
        moving = null;
    };

    const leave = () => {
        said.textContent = fill(said.dataset.left, { who: moving.booking.dataset.name });
        end();
    };

    const toLane = (by) => {
        const lanes = [...document.querySelectorAll(".lane")];
        const at = lanes.indexOf(moving.lane) + by;
        moving.lane = lanes[Math.min(lanes.length - 1, Math.max(0, at))];
    };

    const KEYS = {
        ArrowUp: () => { moving.minutes = Math.max(STEP, moving.minutes - STEP); showProposal(); },
        ArrowDown: () => { moving.minutes = Math.min(DAY - STEP, moving.minutes + STEP); showProposal(); },
        ArrowLeft: () => { toLane(-1); showProposal(); },
        ArrowRight: () => { toLane(1); showProposal(); },
        Escape: leave,
        Enter: () => {
            const { booking, lane, minutes } = moving;
            end();
            send(booking, lane, textOf(minutes));
        },
    };

    document.addEventListener("keydown", (event) => {
        if (moving && KEYS[event.key]) {
            event.preventDefault();
            KEYS[event.key]();
        } else if (!moving && event.key === "m" && !event.ctrlKey && !event.metaKey && !event.altKey) {
            const booking = movable(event.target);
            if (booking && !("busy" in document.body.dataset)) {
                event.preventDefault();
                begin(booking);
            }
        }
    });
    document.addEventListener("focusout", (event) => {
        if (moving?.booking.contains(event.target) && !moving.booking.contains(event.relatedTarget)) {
            leave();
        }
    });

    const prepare = () => {
        for (const booking of document.querySelectorAll(".booking[data-movable]")) {
            booking.draggable = true;
        }
    };
    if (question) {
        prepare();
        document.addEventListener("pylantir:refreshed", prepare);
    }
}
