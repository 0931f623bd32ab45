// A project's field or instrument is searched for while a person types; the server knows them all.
// The input stays a plain text input: what is typed counts, chosen from the list or not.
'use strict';
{
    const PAUSE = 150; // milliseconds without typing before the server is asked
    const GAP = 2; // pixels between the input and its list
    let open = null; // {input, entries, active} while a list is shown
    let waiting = 0;
    let asked = 0;

    function element(name, attributes, text = '') {
        const made = document.createElement(name);
        for (const [key, value] of Object.entries(attributes)) {
            made.setAttribute(key, value);
        }
        made.textContent = text;
        return made;
    }

    const box = element('div', {class: 'project-search'});
    const list = element('ul', {id: 'project-search-list', role: 'listbox'});
    const note = element('p', {class: 'help', role: 'status'});
    box.append(list, note);
    box.hidden = true;

    function isSearched(target) {
        return target instanceof HTMLInputElement && target.dataset.search && !target.readOnly;
    }

    function prepare(input) {
        if (!input.hasAttribute('role')) {
            input.setAttribute('role', 'combobox');
            input.setAttribute('aria-autocomplete', 'list');
            input.setAttribute('aria-controls', list.id);
            input.setAttribute('aria-expanded', 'false');
        }
    }

    function close() {
        window.clearTimeout(waiting);
        asked++;
        if (open) {
            open.input.setAttribute('aria-expanded', 'false');
            open.input.removeAttribute('aria-activedescendant');
        }
        open = null;
        box.hidden = true;
    }

    function place() {
        const edge = open.input.getBoundingClientRect();
        const below = window.innerHeight - edge.bottom;
        const isAbove = below < box.offsetHeight + GAP && edge.top > below;
        box.style.left = `${Math.max(0, Math.min(edge.left, window.innerWidth - box.offsetWidth))}px`;
        box.style.top = `${isAbove ? Math.max(0, edge.top - box.offsetHeight - GAP) : edge.bottom + GAP}px`;
    }

    function option(entry, number) {
        const made = element('li', {role: 'option', id: `${list.id}-${number}`, 'aria-selected': 'false'});
        const about = [entry.form, entry.type, entry.choices].filter(Boolean).join('; ');
        made.append(element('strong', {}, entry.name), ' ', element('span', {}, entry.label));
        if (about) {
            made.append(' ', element('span', {class: 'quiet'}, about));
        }
        return made;
    }

    function said(answer) {
        const page = document.getElementById('project-search');
        if (!answer.is_known) {
            return page.dataset.unknown;
        }
        if (!answer.found.length) {
            return page.dataset.none;
        }
        return answer.has_more ? page.dataset.more : '';
    }

    function show(input, answer) {
        open = {input, entries: answer.found, active: -1};
        list.replaceChildren(...answer.found.map(option));
        list.hidden = !answer.found.length;
        note.textContent = said(answer);
        note.hidden = !note.textContent;
        box.hidden = false;
        input.setAttribute('aria-expanded', 'true');
        input.removeAttribute('aria-activedescendant');
        place();
    }

    function activate(number) {
        const options = [...list.children];
        open.active = (number + options.length) % options.length;
        options.forEach((each, place) => each.setAttribute('aria-selected', String(place === open.active)));
        options[open.active].scrollIntoView({block: 'nearest'});
        open.input.setAttribute('aria-activedescendant', options[open.active].id);
    }

    function choose(number) {
        const {input, entries} = open;
        input.value = entries[number].name;
        close();
        input.dispatchEvent(new Event('change', {bubbles: true}));
    }

    async function ask(input) {
        const mine = ++asked;
        const page = document.getElementById('project-search');
        const url = `${page.dataset[input.dataset.search]}?${new URLSearchParams({q: input.value})}`;
        const answer = await fetch(url, {credentials: 'same-origin'}).catch(() => null);
        if (answer && answer.ok && mine === asked) {
            const found = await answer.json();
            if (mine === asked && document.activeElement === input) {
                show(input, found);
            }
        }
    }

    function askSoon(input) {
        window.clearTimeout(waiting);
        waiting = window.setTimeout(() => ask(input), PAUSE);
    }

    function pressed(event) {
        const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
        if (step && !open) {
            ask(event.target);
        } else if (step && open.entries.length) {
            const start = open.active < 0 && step < 0 ? 0 : open.active;
            activate(start + step);
        } else if (event.key === 'Enter' && open && open.active >= 0) {
            choose(open.active);
        } else if (event.key === 'Escape' && open) {
            close();
        } else {
            return;
        }
        event.preventDefault();
    }

    document.addEventListener('DOMContentLoaded', () => {
        const page = document.getElementById('project-search');
        if (!page) {
            return;
        }
        list.setAttribute('aria-label', page.dataset.list);
        document.body.append(box);
        document.addEventListener('focusin', event => {
            if (isSearched(event.target)) {
                prepare(event.target);
            }
        });
        document.addEventListener('focusout', event => {
            if (isSearched(event.target)) {
                close();
            }
        });
        document.addEventListener('input', event => {
            if (isSearched(event.target)) {
                askSoon(event.target);
            }
        });
        document.addEventListener('keydown', event => {
            if (isSearched(event.target) && !event.isComposing) {
                pressed(event);
            }
        });
        // Before the click takes the focus away from the input, which would close the list.
        box.addEventListener('mousedown', event => event.preventDefault());
        list.addEventListener('click', event => {
            const chosen = event.target.closest('[role="option"]');
            if (chosen && open) {
                choose([...list.children].indexOf(chosen));
            }
        });
        window.addEventListener('resize', close);
        document.addEventListener('scroll', event => {
            if (open && !box.contains(event.target)) {
                place();
            }
        }, true);
    });
}
