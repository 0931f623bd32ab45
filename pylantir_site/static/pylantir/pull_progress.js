// While a source is pulled, its page fetches how far that is; it stops when the pull has ended.
'use strict';
{
    const EVERY = 2000; // milliseconds

    function show(box, fetched) {
        for (const part of box.querySelectorAll('[data-part]')) {
            const now = fetched.querySelector(`[data-part="${part.dataset.part}"]`);
            if (now && now.innerHTML !== part.innerHTML) {
                part.innerHTML = now.innerHTML; // from our own server, which escapes what is in it
            }
        }
        box.toggleAttribute('data-live', fetched.hasAttribute('data-live'));
    }

    async function follow(box) {
        const answer = await fetch(box.dataset.url, {credentials: 'same-origin', headers: {'X-Live-Part': '1'}}).catch(() => null);
        if (answer && answer.ok && !answer.redirected) {
            const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
            const fetched = page.querySelector('.pull');
            if (fetched) {
                show(box, fetched);
            }
        }
        later(box, !answer || answer.ok && !answer.redirected);
    }

    function later(box, goesOn = true) {
        if (goesOn && box.hasAttribute('data-live')) {
            window.setTimeout(() => document.hidden ? later(box) : follow(box), EVERY);
        }
    }

    document.addEventListener('DOMContentLoaded', () => {
        document.querySelectorAll('.pull[data-live]').forEach(box => later(box));
    });
}
