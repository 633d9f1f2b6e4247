// The commands to pull, and the buttons that copy them. The rows in the HTML are the one place that has the commands.

import { element } from './element.js';

const DONE_MS = 2000;

// The rows for an image of a kind, filled with its names.
export function commands(kind, names) {
    const rows = [...document.querySelectorAll('#commands li')].filter(row => row.dataset.kinds.split(' ').includes(kind));
    return element('ul', { class: 'commands' }, ...rows.map(row => command(
        row.querySelector('span').textContent,
        row.dataset.command.replace(/\{(\w+)\}/g, (_, name) => names[name])
    )));
}

// A row with a title, a text to copy, and its button.
export function command(title, text) {
    const style = text.includes(' ') ? undefined : 'unbroken';
    // A browser breaks a line after the hyphens of an option, unless it has an element of its own.
    const parts = text.split(/(?<= )(--\w+)/).map((part, place) => place % 2 ? element('span', {}, part) : part);
    return element('li', {}, element('span', {}, title), element('code', { class: style }, ...parts), copyButton(text, `Copy: ${title}`));
}

// Gives the rows of the HTML their buttons.
export function addButtons() {
    for (const row of document.querySelectorAll('#commands li')) {
        row.append(copyButton(row.querySelector('code').textContent, `Copy: ${row.querySelector('span').textContent}`));
    }
}

export function copyButton(text, label) {
    const button = element('button', { type: 'button', class: 'copy', 'aria-label': label }, 'Copy');
    button.addEventListener('click', async () => {
        const done = await copy(text);
        button.textContent = done ? 'Copied' : 'Failed';
        button.setAttribute('aria-label', done ? `Copied: ${text}` : `Not copied: ${text}`);
        setTimeout(() => {
            button.textContent = 'Copy';
            button.setAttribute('aria-label', label);
        }, DONE_MS);
    });
    return button;
}

// Browsers have a clipboard only in pages over https; over http a selection is copied.
async function copy(text) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        return copySelection(text);
    }
}

function copySelection(text) {
    const focused = document.activeElement;
    const area = element('textarea', { class: 'unseen', readonly: '' }, text);
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    focused.focus({ preventScroll: true });
    return done;
}
