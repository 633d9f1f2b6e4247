// The checksums of cached files, kept beside the cache, so that they outlive the container: one small file for each folder
// of the cache, below nginx's prefix.

import fs from 'fs';

const FOLDER = 'checksums';
const WHOLE = ' whole';

// Compares a file's checksums with those that were noted, and notes them where there are none.
// Returns 'content' or 'header' when they differ, otherwise ''. Content never changes; the header does, with the file.
//   sums  { header, body, storedAtMs }
function compare(path, sums, namesInFolder) {
    const noted = read(path);
    const name = nameOf(path);
    const text = `${sums.storedAtMs} ${sums.header} ${sums.body}`;
    const before = String(noted[name] || '').split(' ');
    if (before.length >= 3 && before[2] !== sums.body) {
        return 'content';
    }
    if (before.length >= 3 && before[0] === String(sums.storedAtMs) && before[1] !== sums.header) {
        return 'header';
    }
    if (before.slice(0, 3).join(' ') !== text) {
        noted[name] = text;
        write(path, noted, namesInFolder());
    }
    return '';
}

// Whether the blob that begins with this slice was compared with its digest.
function isWhole(path) {
    return String(read(path)[nameOf(path)] || '').endsWith(WHOLE);
}

// Notes that it was, until the slice is stored anew.
function markWhole(path) {
    const noted = read(path);
    const name = nameOf(path);
    if (noted[name]) {
        noted[name] += WHOLE;
        write(path, noted, Object.keys(noted));
    }
}

// Forgets a file that was removed.
function forget(path) {
    const noted = read(path);
    if (noted[nameOf(path)]) {
        delete noted[nameOf(path)];
        write(path, noted, Object.keys(noted));
    }
}

function nameOf(path) {
    return path.slice(path.lastIndexOf('/') + 1);
}

function place(path) {
    return `${ngx.prefix}${FOLDER}/${path.slice(0, path.lastIndexOf('/')).replace(/\//g, '-')}`;
}

function read(path) {
    try {
        return JSON.parse(fs.readFileSync(place(path), 'utf8')) || {};
    } catch (_) {
        return {};
    }
}

// Writes those that are of files. Without space for them the next round tries again.
function write(path, noted, existing) {
    const kept = {};
    existing.filter(name => noted[name]).forEach(name => {
        kept[name] = noted[name];
    });
    const file = place(path);
    try {
        makeFolder();
        fs.writeFileSync(`${file}-new`, JSON.stringify(kept));
        fs.renameSync(`${file}-new`, file);
    } catch (_) {
        // The disk is full or read-only: cache_disk.js reports it.
    }
}

function makeFolder() {
    try {
        fs.mkdirSync(ngx.prefix + FOLDER);
    } catch (e) {
        if (e.code !== 'EEXIST') {
            throw e;
        }
    }
}

export default { compare, forget, isWhole, markWhole };
