// While a patient ID is typed, says whom the worklist knows under it, and offers to fill that person in.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const note = document.getElementById("whose-id");
    const patientId = document.getElementById("id_patient_id");
    if (!note || !patientId) return;
    const form = patientId.form;
    // Named as the page's inputs; a name is typed in parts, in DICOM's order.
    const PARTS = ["family", "given", "middle", "prefix", "suffix"];
    const GROUPS = ["", "ideographic_", "phonetic_"];
    let asked = 0;
    let waiting = 0;
    patientId.closest(".form-row").append(note);

    function line(text, warns) {
        const paragraph = document.createElement("p");
        paragraph.className = warns ? "whose-differs" : "help";
        paragraph.textContent = text;
        note.append(paragraph);
        return paragraph;
    }

    function fillIn(fields) {
        for (const [name, value] of Object.entries(fields)) {
            const whole = form.elements[name];
            if (whole) set(whole, value);
            else if (name === "patient_name") fillInName(name, value);
        }
        ask();
    }

    function fillInName(name, value) {
        value.split("=").forEach((group, number) => {
            const parts = group.split("^");
            PARTS.forEach((part, place) => {
                const input = form.elements[`${name}_${GROUPS[number]}${part}`];
                if (!input) return;
                set(input, parts[place] || "");
                if (number && parts[place]) input.closest("details").open = true;
            });
        });
    }

    function set(input, value) {
        input.value = value;
        input.dispatchEvent(new Event("input", { bubbles: true }));
        input.dispatchEvent(new Event("change", { bubbles: true }));
    }

    function show(answer) {
        note.replaceChildren();
        for (const person of answer.known) {
            const differs = person.differing.length > 0;
            const paragraph = line(`${person.sentence} `, differs);
            const button = document.createElement("button");
            button.type = "button";
            button.className = "button";
            button.textContent = gettext("Fill in");
            button.addEventListener("click", () => fillIn(person.fields));
            paragraph.append(button);
        }
        if (answer.similar.length) {
            const ids = { ids: answer.similar.join(", ") };
            line(interpolate(gettext("Too much like %(ids)s: tools make one subject of such IDs."), ids, true), true);
        }
    }

    async function ask() {
        const mine = ++asked;
        const body = new FormData(form);
        body.set("item", note.dataset.item);
        const answer = await fetch(note.dataset.url, { method: "POST", body, credentials: "same-origin" });
        if (answer.ok && mine === asked) show(await answer.json());
    }

    function askSoon() {
        window.clearTimeout(waiting);
        waiting = window.setTimeout(ask, 300);
    }

    form.addEventListener("input", (event) => {
        if (/^(patient_id|patient_name|patient_birth_date|patient_sex)/.test(event.target.name)) askSoon();
    });
});
