// The entry of the page: shows the view that the address names, and moves between views without loading the page again.
//
//   /                                 how to pull, and the list of repositories; `q` is the query of the search
//   /?repository=team/app             one repository, with its newest tag
//   /?repository=team/app&tag=1.4     with this tag

import { addButtons } from './commands.js';
import { watchHealth } from './health.js';

const hasCatalogue = document.body.dataset.catalogue === 'on';
const title = document.title;
// Safari allows a hundred changes of the address in 30 s.
const REMEMBER_MS = 400;
let views = 0;
let remembering;

addButtons();
watchHealth();
if (hasCatalogue) {
    startCatalogue();
}

async function startCatalogue() {
    const { showRepositories } = await import('./repositories.js');
    const { showRepository } = await import('./repository.js');
    const search = document.getElementById('search');

    async function show({ focus } = {}) {
        views += 1;
        const view = views;
        const asked = new URLSearchParams(location.search);
        const name = asked.get('repository');
        if (name) {
            await showRepository(name, asked.get('tag'), () => view === views);
        } else {
            await showRepositories(asked.get('q') || '');
        }
        if (view !== views) {
            return;
        }
        document.getElementById('home').hidden = Boolean(name);
        document.getElementById('repository').hidden = !name;
        document.title = name ? `${[name, asked.get('tag')].filter(Boolean).join(':')} · ${document.body.dataset.domain}` : title;
        if (focus) {
            scrollTo(0, 0);
            (name ? document.querySelector('#repository h1') : search).focus({ preventScroll: true });
        }
    }

    // Puts the query into the address, for the way back.
    function remember() {
        clearTimeout(remembering);
        remembering = undefined;
        history.replaceState(null, '', search.value.trim() ? `/?${new URLSearchParams({ q: search.value })}` : '/');
    }

    function go(address) {
        if (remembering) {
            remember();
        }
        history.pushState(null, '', address);
        return show({ focus: true });
    }

    addEventListener('popstate', () => {
        clearTimeout(remembering);
        remembering = undefined;
        show();
    });
    search.addEventListener('input', () => {
        clearTimeout(remembering);
        remembering = setTimeout(remember, REMEMBER_MS);
        showRepositories(search.value);
    });
    document.addEventListener('click', event => {
        const link = event.target.closest('a[href^="/"]:not([href^="/-/"])');
        const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
        if (link && isPlain) {
            event.preventDefault();
            go(link.getAttribute('href'));
        }
    });
    document.addEventListener('keydown', event => {
        const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
        if (action && action(event.target)) {
            event.preventDefault();
        }
    });

    // Each returns whether it has used the key. None is a character: speech input types those by chance (WCAG 2.1.4).
    const keys = {
        Escape: from => (from === search && search.value !== '' ? clear() : leave(from)),
        ArrowDown: from => moveFocus(from, 1),
        ArrowUp: from => moveFocus(from, -1),
        Enter: from => from === search && open(),
    };

    const links = () => [...document.querySelectorAll('#home:not([hidden]) .rows a, #repository:not([hidden]) .rows a')];

    function clear() {
        search.value = '';
        search.dispatchEvent(new Event('input'));
        return true;
    }

    function leave(from) {
        if (!document.getElementById('repository').hidden) {
            go('/');
            return true;
        }
        if (from.closest('.rows')) {
            search.focus();
            return true;
        }
        from.blur();
        return false;
    }

    function moveFocus(from, step) {
        const list = links();
        const place = list.indexOf(from);
        const isInPlace = place >= 0 || from === search || from.matches('h1');
        if (!isInPlace || list.length === 0) {
            return false;
        }
        if (place + step < 0) {
            (document.getElementById('repository').hidden ? search : list[0]).focus();
        } else {
            list[place < 0 && step < 0 ? 0 : Math.min(place + step, list.length - 1)].focus();
        }
        return true;
    }

    function open() {
        const first = links()[0];
        if (first && search.value.trim()) {
            go(first.getAttribute('href'));
        }
        return true;
    }

    await show();
}
