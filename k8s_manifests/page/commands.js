// The commands to pull, and the buttons that copy them. The rows in the HTML are the one place that has the commands.

import { element } from './element.js';

const DONE_MS = 2000;

// As nginx takes them (lambda_fn/contract/repository_name.py). A link may hold any text, and people paste commands into a shell.
const REPOSITORY = /^[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;

// The rows of some kinds, by default of all, for a tag, by default for any; with `digest` one more. None for what cannot be a
// name or a tag.
export function commands(repository, { tag, kinds = [], digest }) {
    if (!REPOSITORY.test(repository) || !TAG.test(tag ?? 'TAG')) {
        return element('p', {}, 'This is not a valid name of a repository or tag, so nothing can be pulled by it.');
    }
    const name = `${document.body.dataset.domain}/${repository}`;
    // A tag has no `+`, so Helm writes `_` for it.
    const names = { image: `${name}:${tag ?? 'TAG'}`, name, version: tag?.replaceAll('_', '+') ?? 'VERSION' };
    const rows = [...document.querySelectorAll('#commands li')]
        .filter(row => kinds.length === 0 || row.dataset.kinds.split(' ').some(kind => kinds.includes(kind)))
        .map(row => command(
            row.querySelector('span').textContent,
            row.dataset.command.replace(/\{(\w+)\}/g, (_, key) => names[key])
        ));
    return element('ul', { class: 'commands' }, ...rows, digest ? command('By digest', `${name}@${digest}`) : '');
}

// A row with a title, a text to copy, and its button.
function command(title, text) {
    const style = text.includes(' ') ? undefined : 'unbroken';
    // A browser breaks a line after the hyphens of an option, unless it has an element of its own.
    const parts = text.split(/(?<= )(--\w+)/).map((part, place) => place % 2 ? element('span', {}, part) : part);
    return element('li', {}, element('span', {}, title), element('code', { class: style }, ...parts), copyButton(text, title));
}

// Gives the rows of the HTML their buttons.
export function addButtons() {
    for (const row of document.querySelectorAll('#commands li')) {
        row.append(copyButton(row.querySelector('code').textContent, row.querySelector('span').textContent));
    }
}

// Its name begins with the text that it shows (WCAG 2.5.3), and what it did is a status message (4.1.3).
export function copyButton(text, title) {
    const button = element('button', { type: 'button', class: 'copy' });
    const status = document.getElementById('copied');
    let resetting;
    function show(shown) {
        button.textContent = shown;
        button.setAttribute('aria-label', `${shown}: ${title}`);
    }
    button.addEventListener('click', async () => {
        const done = await copy(text);
        show(done ? 'Copied' : 'Failed');
        status.textContent = done ? `Copied: ${title}` : `Failed: ${title}. Select the text and copy it.`;
        clearTimeout(resetting);
        resetting = setTimeout(() => {
            show('Copy');
            status.textContent = '';
        }, DONE_MS);
    });
    show('Copy');
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
