// Beside Save it says how many fields were changed and not saved, and asks before such a page is left.
'use strict';
{
    const NOT_TYPED = new Set(['hidden', 'submit', 'button']);

    function isChanged(field) {
        if (!field.name || NOT_TYPED.has(field.type)) {
            return false;
        }
        if (field.type === 'checkbox' || field.type === 'radio') {
            return field.checked !== field.defaultChecked;
        }
        if (field.options) {
            const first = [...field.options].findIndex(option => option.defaultSelected);
            return field.selectedIndex !== Math.max(first, 0);
        }
        return field.value !== field.defaultValue;
    }

    document.addEventListener('DOMContentLoaded', () => {
        const note = document.querySelector('.save-row .unsaved');
        const form = note && note.closest('form');
        if (!form || !form.querySelector('.save-row input[name="_save"]')) {
            return;
        }
        const wasRefused = Boolean(form.querySelector('.errornote'));
        let isSaving = false;

        function count() {
            return [...form.elements].filter(isChanged).length;
        }

        function say() {
            const number = count();
            note.textContent = number
                ? interpolate(ngettext('%s field changed, not saved', '%s fields changed, not saved', number), [number])
                : wasRefused ? gettext('Not saved yet') : '';
        }

        // The admin's calendar writes into a field, tells nobody, and gives it the focus.
        for (const kind of ['input', 'change', 'focusin']) {
            form.addEventListener(kind, say);
        }
        form.addEventListener('submit', () => {
            isSaving = true;
        });
        window.addEventListener('pageshow', () => {
            isSaving = false;
        });
        window.addEventListener('beforeunload', event => {
            if (!isSaving && (count() || wasRefused)) {
                event.preventDefault();
            }
        });
        say();
    });
}
