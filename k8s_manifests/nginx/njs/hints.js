// Knows which images are gone: those that ECR has deleted, and those that an operator named. The watcher writes them
// (lambda_fn/contract/hints.py), and the kubelet replaces the file. docs/decisions/0038-images-that-are-gone.md has the reasons.

import fs from 'fs';
import cache_entry from './cache_entry.js';
import cache_files from './cache_files.js';
import request_counts from './request_counts.js';

const FILE = '/etc/frontdoor/hints/gone';

// More is not what the watcher writes.
const LARGEST_BYTES = 1 << 20;
const MOST_LINES = 5000;
const LINE = /^[0-9]{10} ((?=[^ ]{1,400}$)[a-z0-9.-]+\/[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*@sha256:[0-9a-f]{64})$/;

// What a turn reads: a hundred lines, which take about a millisecond.
const CHUNK_BYTES = 16 << 10;

// After a failure the file is read again.
const PAUSE_MS = 60_000;

// Those of this file, and those of the last one.
const ALL = MOST_LINES + MOST_LINES;

function read_hints() {
    request_counts.countTurn();
    readOn();
}

// Reads the file in turns, if it has changed, from its end: the newest lines come first.
function readOn() {
    const version = versionOfFile();
    const stored = ngx.shared.hints.get('reading');
    if (!stored && version === ngx.shared.hints.get('version')) {
        return;
    }
    let reading = stored ? JSON.parse(stored) : null;
    if (!reading || reading.version !== version) {
        reading = {
            version, number: ngx.shared.counters.incr('hints_readings', 1, 0), left: null, lines: 0, added: 0, ignored: 0, example: '',
            isFull: false,
        };
    }
    try {
        readChunk(reading);
    } catch (e) {
        ngx.log(ngx.ERR, `the hints cannot be read, so those of the last reading hold: ${e.message}`);
        ngx.shared.counters.set('hints_unreadable', 1);
        ngx.shared.hints.delete('reading');
        ngx.shared.hints.set('version', version, PAUSE_MS);
        return;
    }
    if (reading.left > 0) {
        ngx.shared.hints.set('reading', JSON.stringify(reading));
        return;
    }
    const lifted = finishReading(reading);
    ngx.shared.hints.delete('reading');
    // What is lifted has made room: the next reading adds the rest.
    if (!reading.isFull || lifted === 0) {
        ngx.shared.hints.set('version', version);
    }
    ngx.shared.counters.set('hints_known', 1);
    ngx.shared.counters.set('hints_unreadable', 0);
}

// What differs when the kubelet has replaced the file; 'ENOENT' when there is none.
function versionOfFile() {
    try {
        const stat = fs.statSync(FILE);
        return `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
    } catch (e) {
        return e.code;
    }
}

// Reads the last lines of those that are left.
function readChunk(reading) {
    if (reading.version === 'ENOENT') {
        reading.left = 0;
        return;
    }
    const file = fs.openSync(FILE);
    try {
        const end = reading.left === null ? fs.fstatSync(file).size : reading.left;
        if (end > LARGEST_BYTES) {
            throw new Error(`${FILE} has ${end} bytes, and at most ${LARGEST_BYTES} are allowed`);
        }
        const from = Math.max(0, end - CHUNK_BYTES);
        const bytes = Buffer.alloc(end - from);
        fs.readSync(file, bytes, 0, end - from, from);
        // The chunk begins in the middle of a line, unless one line is longer than the chunk.
        const newline = from > 0 ? bytes.indexOf(10) : -1;
        const start = newline + 1 < end - from ? newline + 1 : 0;
        reading.left = from + start;
        bytes.toString('utf8', start).split('\n').reverse().forEach(line => noteLine(line, reading));
    } finally {
        fs.closeSync(file);
    }
}

function noteLine(line, reading) {
    if (line === '') {
        return;
    }
    reading.lines += 1;
    const words = reading.lines <= MOST_LINES ? LINE.exec(line) : null;
    if (!words) {
        reading.ignored += 1;
        reading.example = reading.example || line.slice(0, 100).replace(/[^ -~]/g, '?');
        return;
    }
    const isNew = !ngx.shared.gone_images.has(words[1]);
    if (isNew && reading.isFull) {
        return;
    }
    try {
        ngx.shared.gone_images.set(words[1], reading.number);
    } catch (e) {
        if (e.name !== 'SharedMemoryError') {
            throw e;
        }
        // The zone holds 6,000 names, also those of the last file until this one is read.
        reading.isFull = true;
        return;
    }
    if (isNew) {
        reading.added += 1;
        noteGone(words[1]);
    }
}

// The first time that an image is in the file.
function noteGone(name) {
    const image = `/${name.replace('/', '/v2/').replace('@', '/manifests/')}`;
    ngx.shared.images_missing.delete(image);
    ngx.shared.images_due.delete(image);
    removeState(name);
    if (cache_files.stat(cache_entry.pathOf('manifests', digestOf(name)))) {
        ngx.shared.gone_waiting.set(name, Date.now());
    }
}

// Makes nginx ask for the state of an image: the entry of `front` for it has the image's name as its key.
function removeState(name) {
    const failed = cache_files.unlink(cache_entry.pathOf('images', name));
    if (failed) {
        ngx.log(ngx.ERR, `${name} may be served until its state in the cache ends, which cannot be removed: ${failed}`);
    }
}

function digestOf(name) {
    return name.slice(name.indexOf('@') + 1);
}

// Returns how many images are no longer refused.
function finishReading(reading) {
    const gone = ngx.shared.gone_images;
    const lifted = gone.items(ALL).filter(item => item[1] !== reading.number);
    lifted.forEach(item => gone.delete(item[0]));
    if (reading.added > 0 || lifted.length > 0) {
        ngx.log(ngx.WARN, `the hints refuse ${reading.added} more images and ${lifted.length} no longer: ${gone.size()} in all`);
    }
    if (reading.ignored > 0) {
        ngx.shared.counters.incr('hints_ignored', reading.ignored, 0);
        ngx.log(ngx.ERR, `${reading.ignored} lines of the hints are ignored, such as '${reading.example}': a line is ` +
            '<10 digits> <ECR host>/<repository>@sha256:<64 hexadecimal digits>, and 5000 are allowed');
    }
    return lifted.length;
}

// Whether an image is gone, by the path of its manifest (image_state.js). A container answers no request before its first
// reading is complete.
function isGone(image) {
    while (!ngx.shared.counters.has('hints_known') && !ngx.shared.hints.has('version')) {
        readOn();
    }
    return isNamed(image.slice(1).replace('/v2/', '/').replace(/\/manifests\/([^/]+)$/, '@$1'));
}

function isNamed(name) {
    return ngx.shared.gone_images.has(name);
}

export default { digestOf, isGone, isNamed, read_hints, removeState };
