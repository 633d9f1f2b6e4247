// Reads the catalogue, the files that the Lambda writes: an index of repositories, and shards with their images. What does
// not have their form is left out: a page of another version may meet them.

// How a file is: read; not written yet, or not in this pod yet; not readable, such as without a network or behind a rate limit.
export const READ = 'read';
export const MISSING = 'missing';
export const UNREADABLE = 'unreadable';

const files = new Map();

const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = value => typeof value === 'string';
const listOf = (value, isValid) => Array.isArray(value) ? value.filter(isValid) : [];

// The index { state, repositories, writtenAt, complete }, without repositories where it is not read. It is read once in the life
// of the page.
export async function index() {
    const { state, content } = await file('index');
    return {
        state,
        repositories: listOf(content.repositories, entry => isObject(entry) && isText(entry.name) && Number.isInteger(entry.shard)),
        writtenAt: content.written_at,
        complete: content.complete === true,
    };
}

// The images of a repository of the index, newest first: { state, list }. A shard that is older than the index lacks some.
export async function images(entry) {
    const { state, content } = await file(String(entry.shard).padStart(2, '0'));
    // An own property: a repository may be called `constructor`.
    const all = isObject(content.repositories) ? content.repositories : {};
    const found = Object.hasOwn(all, entry.name) ? all[entry.name] : undefined;
    return { state, list: listOf(found?.images, image => isObject(image) && isText(image.digest)).map(complete) };
}

// An image whose lists are lists and whose texts are texts.
function complete(image) {
    const labels = isObject(image.labels) ? Object.entries(image.labels) : [];
    const findings = isObject(image.findings) ? Object.entries(image.findings) : undefined;
    return {
        digest: image.digest,
        tags: listOf(image.tags, isText),
        pushedAt: image.pushed_at,
        pulledAt: image.pulled_at,
        kind: ['chart', 'artifact'].includes(image.kind) ? image.kind : 'image',
        mediaType: isText(image.media_type) ? image.media_type : 'unknown',
        bytes: image.size_bytes,
        platforms: listOf(image.platforms, one => isObject(one) && isText(one.platform)),
        labels: labels.filter(label => isText(label[1])),
        signed: image.signed,
        findings: findings && findings.filter(finding => Number.isFinite(finding[1])),
    };
}

// A file, read once, but again after a failure.
async function file(name) {
    if (!files.has(name)) {
        files.set(name, read(name));
    }
    const found = await files.get(name);
    if (found.state !== READ) {
        files.delete(name);
    }
    return found;
}

async function read(name) {
    try {
        const answer = await fetch(`/-/catalogue/${name}.json`);
        const content = answer.ok ? await answer.json() : null;
        if (isObject(content) && content.schema === 1) {
            return { state: READ, content };
        }
        return { state: answer.status === 404 ? MISSING : UNREADABLE, content: {} };
    } catch {
        return { state: UNREADABLE, content: {} };
    }
}

// The repositories that hold every word of a query: an equal name first, then names or parts of them that begin with the first
// word, then others, each in the order of the index.
export function search(repositories, query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) {
        return repositories;
    }
    const ranked = [[], [], [], []];
    for (const entry of repositories) {
        if (words.every(word => entry.name.includes(word))) {
            ranked[rank(entry.name, words[0])].push(entry);
        }
    }
    return ranked.flat();
}

function rank(name, word) {
    if (name === word) {
        return 0;
    }
    if (name.startsWith(word)) {
        return 1;
    }
    return /[/._-]/.test(name[name.indexOf(word) - 1]) ? 2 : 3;
}
