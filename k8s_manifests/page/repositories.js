// The list of repositories on the home view, with the search. Its number of rows is bounded, however many there are.

import { index, MISSING, READ, search } from './catalogue.js';
import { element } from './element.js';
import { age, count } from './format.js';

const ROWS = matchMedia('(max-width: 40rem)').matches ? 10 : 40;
const input = document.getElementById('search');
let shown = 0;

// Shows the repositories that the query finds. The rows of an earlier query stay until there are others.
export async function showRepositories(query) {
    if (input.value !== query) {
        input.value = query;
    }
    const found = await index();
    document.getElementById('catalogue').hidden = false;
    if (input.value !== query) {
        return;
    }
    const matches = search(found.repositories, query);
    document.getElementById('found').textContent = summary(found, matches, query);
    document.getElementById('repositories').replaceChildren(...rows(matches.slice(0, ROWS), query));
    shown = ROWS;
    offerMore(matches, query);
}

function summary(found, matches, query) {
    if (found.state !== READ) {
        return unread(found.state);
    }
    if (query.trim()) {
        return matches.length === 0 ? `Not in the catalogue${asOf(found)}` : `${count(matches.length, 'repository')} found`;
    }
    return `${count(matches.length, 'repository')}${asOf(found)}`;
}

// When the catalogue was written, and whether it is whole.
export function asOf(found) {
    const written = age(found.writtenAt) ? `, last updated ${age(found.writtenAt)}` : '';
    return `${written}${found.complete ? '' : '; the first look into ECR is not complete yet'}`;
}

// Why there is no list of repositories.
export function unread(state) {
    return state === MISSING
        ? 'The catalogue is not there yet: the registry writes it after its first look into ECR.'
        : 'The catalogue cannot be read. Try again in a minute.';
}

function offerMore(matches, query) {
    const more = document.getElementById('more');
    more.hidden = matches.length <= shown;
    more.textContent = `Show more of ${matches.length.toLocaleString('en')}`;
    more.onclick = () => {
        const added = rows(matches.slice(shown, shown + ROWS), query);
        document.getElementById('repositories').append(...added);
        shown += ROWS;
        offerMore(matches, query);
        added[0].querySelector('a').focus();
    };
}

function rows(entries, query) {
    return entries.map(entry => element('li', {},
        element('a', { href: `/?${new URLSearchParams({ repository: entry.name })}` },
            element('b', {}, ...marked(entry.name, query)),
            element('small', {}, [tags(entry.tags), age(entry.pushed_at)].filter(Boolean).join(' · '))
        )
    ));
}

const tags = number => Number.isInteger(number) ? count(number, 'tag') : '';

// The name in pieces, of which those that a word of the query found are marked.
function marked(name, query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean).map(word => escaped(word));
    const pieces = words.length ? name.split(new RegExp(`(${words.join('|')})`)) : [name];
    return pieces.map((piece, place) => place % 2 ? element('mark', {}, piece) : piece);
}

const escaped = word => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
