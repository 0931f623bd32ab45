// Beside each field for a date it says the date in words while a person types.
// It reads what worklist/items/typed_dates.py reads: what could be two dates is none.
'use strict';
{
    const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
    const MONTHS = [
        'January', 'February', 'March', 'April', 'May', 'June',
        'July', 'August', 'September', 'October', 'November', 'December'
    ];

    function read(text) {
        const numbers = /^(\d{4})(-?)(\d\d)\2(\d\d)$/.exec(text);
        if (numbers) {
            return existing(Number(numbers[1]), Number(numbers[3]), Number(numbers[4]));
        }
        const words = /^(\d{1,2}) +([a-z]+) +(\d{4})$/i.exec(text);
        return words ? existing(Number(words[3]), monthOf(words[2].toLowerCase()), Number(words[1])) : null;
    }

    function monthOf(name) {
        return MONTHS.findIndex(month => [month, month.slice(0, 3)].some(each => each.toLowerCase() === name)) + 1;
    }

    function existing(year, month, day) {
        const found = new Date(Date.UTC(2000, 0, 1));
        found.setUTCFullYear(year, month - 1, day);
        return year > 0 && found.getUTCMonth() === month - 1 && found.getUTCDate() === day ? found : null;
    }

    function inWords(day) {
        return `${DAYS[day.getUTCDay()]}, ${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]} ${day.getUTCFullYear()}`;
    }

    function pointedOut(text) {
        const strong = document.createElement('strong');
        strong.className = 'pointed-out';
        strong.textContent = text;
        return strong;
    }

    function show(field, isDone) {
        const box = field.closest('.day');
        const text = field.value.trim();
        const day = read(text);
        const said = day ? [inWords(day)] : [];
        if (day && box.dataset.today && day < read(box.dataset.today)) {
            said.push(' ', pointedOut(box.dataset.hasPassed));
        } else if (!day && text && isDone) {
            said.push(pointedOut(`Write the date as ${box.dataset.forms}.`));
        }
        box.querySelector('.in-words').replaceChildren(...said);
    }

    document.addEventListener('DOMContentLoaded', () => {
        for (const field of document.querySelectorAll('.day input')) {
            field.addEventListener('input', () => show(field, false));
            field.addEventListener('change', () => show(field, true));
            // The admin's calendar writes into the field, tells nobody, and gives it the focus.
            field.addEventListener('focus', () => show(field, false));
        }
    });
}
