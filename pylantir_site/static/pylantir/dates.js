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

    // Of the page's language: the admin's catalogue has the names of days and months.
    function inWords(day) {
        const parts = {
            weekday: gettext(DAYS[day.getUTCDay()]),
            day: day.getUTCDate(),
            month: gettext(MONTHS[day.getUTCMonth()]),
            year: day.getUTCFullYear()
        };
        return interpolate(gettext('%(weekday)s, %(day)s %(month)s %(year)s'), parts, true);
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
            said.push(pointedOut(box.dataset.writeItSo));
        }
        box.querySelector('.in-words').replaceChildren(...said);
    }

    // The admin's calendar writes into the field, tells nobody, and gives it the focus.
    for (const [type, isDone] of [['input', false], ['change', true], ['focusin', false]]) {
        document.addEventListener(type, event => {
            if (event.target.matches('.day input')) {
                show(event.target, isDone);
            }
        });
    }
}
