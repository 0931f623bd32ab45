// It points out a station that no device has as its AE title, while a person types. Nothing is refused.
'use strict';
{
    function unknown(field) {
        const known = new Set();
        for (const option of field.list.options) {
            if (option.hasAttribute('data-device')) {
                known.add(option.value);
            }
        }
        const typed = field.value.split('\\').map(title => title.trim());
        return typed.filter(title => title && !known.has(title));
    }

    function show(field, note) {
        const found = unknown(field);
        note.hidden = !found.length;
        note.textContent = found.length ? `${found.join(', ')}: ${field.list.dataset.noDevice}` : '';
    }

    document.addEventListener('DOMContentLoaded', () => {
        for (const field of document.querySelectorAll('input[list="device-titles"]')) {
            if (!field.list || !field.list.dataset.noDevice) {
                continue;
            }
            const note = document.createElement('p');
            note.className = 'pointed-out';
            note.setAttribute('aria-live', 'polite');
            field.insertAdjacentElement('afterend', note);
            field.addEventListener('input', () => show(field, note));
            field.addEventListener('change', () => show(field, note));
            show(field, note);
        }
    });
}
