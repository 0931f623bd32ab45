// Beside each row of a mapping stands a value of the first records, fetched once the rows come into view.
'use strict';
{
    function write(cell, {value, note}) {
        const told = document.createElement('span');
        told.className = 'quiet';
        told.textContent = note;
        cell.replaceChildren(value, value ? ' ' : '', told);
    }

    async function read(rows) {
        const told = rows.querySelector('.samples-told');
        told.hidden = false;
        told.textContent = rows.dataset.reading;
        const answer = await fetch(rows.dataset.samples, {credentials: 'same-origin'}).catch(() => null);
        const found = answer && answer.ok && !answer.redirected
            ? await answer.json() : {why_not: rows.dataset.failed, rows: {}};
        told.textContent = found.why_not;
        told.hidden = !found.why_not;
        for (const cell of rows.querySelectorAll('[data-row]')) {
            if (found.rows[cell.dataset.row]) {
                write(cell, found.rows[cell.dataset.row]);
            }
        }
    }

    document.addEventListener('DOMContentLoaded', () => {
        const rows = document.querySelector('[data-samples]');
        if (!rows || !rows.querySelector('[data-row]')) {
            return;
        }
        const watcher = new IntersectionObserver(seen => {
            if (seen.some(each => each.isIntersecting)) {
                watcher.disconnect();
                read(rows);
            }
        });
        watcher.observe(rows);
    });
}
