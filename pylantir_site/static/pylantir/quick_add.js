// While somebody is added, says whom the worklist knows of what is typed, and what stands in the way.
// Nothing is filled in but by a person's click.
"use strict";
{
    let asked = 0;
    let waiting = 0;

    const ask = async (form) => {
        const mine = ++asked;
        const answer = await fetch(form.dataset.look, {
            method: "POST", body: new FormData(form), credentials: "same-origin",
        }).catch(() => null);
        if (!answer?.ok || mine !== asked) {
            return;
        }
        const html = await answer.text();
        const place = form.querySelector(".looked-up");
        if (mine === asked && place.dataset.html !== html) {
            place.dataset.html = html;
            place.innerHTML = html;
        }
    };

    const fillIn = (form, fields) => {
        for (const [name, value] of Object.entries(fields)) {
            const input = form.elements[name];
            if (input) {
                input.value = value;
                input.dispatchEvent(new Event("input", { bubbles: true }));
                const folded = input.closest("details");
                if (folded && value) {
                    folded.open = true;
                }
            }
        }
    };

    document.addEventListener("input", (event) => {
        const form = event.target.closest("form.quick-add");
        if (form) {
            clearTimeout(waiting);
            waiting = setTimeout(() => ask(form), 300);
        }
    });
    document.addEventListener("click", (event) => {
        const button = event.target.closest("button[data-fill]");
        if (button) {
            fillIn(button.closest("form"), JSON.parse(button.dataset.fill));
        }
    });
}
