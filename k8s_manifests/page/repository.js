// The view of one repository: the commands for a tag, what is known of its image, and the other tags.

import { images, index, READ, UNREADABLE } from './catalogue.js';
import { commands, copyButton } from './commands.js';
import { element, linked } from './element.js';
import { age, count, size, time } from './format.js';
import { asOf, unread } from './repositories.js';

const LABELS = 'org.opencontainers.image.';
const view = document.getElementById('repository');

// Shows a repository and one of its tags, by default the newest, if the address is still that one (`isCurrent`).
export async function showRepository(name, tag, isCurrent) {
    const all = await index();
    const entry = all.repositories.find(one => one.name === name);
    const found = entry && await images(entry);
    if (isCurrent()) {
        const why = found ? withoutList(entry, found) : withoutEntry(all);
        view.replaceChildren(...heading(name), ...why ? unknown(name, tag, why) : known(entry, found.list, tag));
    }
}

function heading(name) {
    return [element('a', { href: '/', class: 'back' }, '← All repositories'), element('h1', { tabindex: '-1' }, name)];
}

// Why the index does not have a repository. It never proves that there is none: a mirror may import it at the first pull, its owner
// may allow pulls alone, and the watcher may be late.
function withoutEntry(all) {
    return all.state === READ
        ? `This repository is not in the catalogue${asOf(all)}. If the registry serves it, it can be pulled.`
        : unread(all.state);
}

// Why the page has no tags of a repository of the index; undefined when it has some, or ECR has none.
function withoutList(entry, found) {
    if (found.state === UNREADABLE) {
        return 'The tags of this repository cannot be read. Try again in a minute.';
    }
    // The shard reaches a pod later than the index, or has no room for tags.
    const isShort = entry.tags > 0 && !found.list.some(image => image.tags.length > 0);
    return isShort ? `The catalogue does not list the ${count(entry.tags, 'tag')} of this repository now.` : undefined;
}

// What is not known may exist: its commands are of every kind.
function unknown(name, tag, why) {
    return [element('p', { class: 'lead' }, why), element('h2', {}, 'How to pull'), commands(name, { tag: tag || undefined })];
}

function known(entry, found, wanted) {
    const image = wanted ? found.find(one => one.tags.includes(wanted)) : found[0];
    const tag = wanted || image?.tags[0];
    // An older tag is probably of the kind of the newest ones.
    const kinds = image ? [image.kind] : found.map(one => one.kind);
    const shown = found.reduce((sum, one) => sum + one.tags.length, 0);
    const side = element('nav', { class: 'tags', 'aria-label': 'Tags' },
        element('h2', {}, shown < entry.tags ? `Newest ${shown} of ${count(entry.tags, 'tag')}` : count(shown, 'tag')),
        element('ul', { class: 'rows' }, ...found.flatMap(one => one.tags.map(name => row(entry.name, name, one, tag)))));
    return [
        image ? badges(image) : '',
        element('div', { class: 'one' }, element('div', {}, ...details(entry.name, tag, image, kinds)), side),
    ].filter(Boolean);
}

function row(repository, tag, image, current) {
    const query = new URLSearchParams({ repository, tag });
    return element('li', {},
        element('a', { href: `/?${query}`, 'aria-current': tag === current ? 'page' : undefined },
            element('b', {}, tag), element('small', {}, age(image.pushedAt) || '')));
}

function badges(image) {
    const texts = [[{ image: 'Container image', chart: 'Helm chart', artifact: 'OCI artifact' }[image.kind], '']];
    if (image.signed === true) {
        texts.push(['Signed', 'good']);
    } else if (image.signed === false) {
        texts.push(['Not signed', '']);
    }
    for (const [severity, number] of image.findings || []) {
        texts.push([`${number} ${severity.toLowerCase()}`, ['CRITICAL', 'HIGH'].includes(severity) ? 'bad' : '']);
    }
    if (image.findings?.length === 0) {
        texts.push(['No findings', 'good']);
    }
    return element('ul', { class: 'badges' }, ...texts.map(([text, style]) => element('li', { class: style }, text)));
}

function details(repository, tag, image, kinds) {
    if (!tag) {
        return [element('p', {}, 'No image of this repository has a tag.')];
    }
    const rows = commands(repository, { tag, kinds, digest: image?.kind === 'image' ? image.digest : undefined });
    if (!image) {
        return [element('h2', {}, `Tag ${tag}`), rows, element('p', { class: 'quiet' },
            'This tag is not among the newest ones. If ECR has it, it can be pulled.')];
    }
    return [element('h2', {}, `Tag ${tag}`), rows, facts([
        ['Digest', element('code', {}, image.digest), copyButton(image.digest, 'digest')],
        ['Size', `${size(image.bytes)}, compressed`],
        ['Pushed', time(image.pushedAt)],
        ['Last pulled', image.pulledAt ? time(image.pulledAt) : 'not known'],
        ['Other tags', image.tags.filter(other => other !== tag).join(', ')],
        ['Media type', element('code', {}, image.mediaType)],
    ]), ...platforms(image), ...labels(image)];
}

function facts(list) {
    const given = list.filter(([, value]) => value);
    return element('dl', { class: 'facts' }, ...given.map(([title, ...values]) =>
        element('div', {}, element('dt', {}, title), element('dd', {}, ...values))));
}

function platforms(image) {
    if (image.platforms.length === 0) {
        return [];
    }
    const cells = (kind, texts) => element('tr', {}, ...texts.map(text => element(kind, {}, text)));
    return [element('h2', {}, 'Platforms'), element('table', {},
        element('thead', {}, cells('th', ['Platform', 'Size', 'Digest'])),
        element('tbody', {}, ...image.platforms.map(one => cells('td', [
            one.platform, size(one.size_bytes), element('code', { title: one.digest }, String(one.digest || '').slice(0, 19)),
        ]))))];
}

function labels(image) {
    if (image.labels.length === 0) {
        return [];
    }
    const list = image.labels.map(([key, value]) => [
        key.startsWith(LABELS) ? key.slice(LABELS.length) : key, linked(value),
    ]);
    return [element('h2', {}, 'Labels'), facts(list)];
}
