// The checksums of cached files, kept beside the cache, so that they outlive the container: one small file for each folder
// of the cache, below nginx's prefix.

import fs from 'fs';
import cache_files from './cache_files.js';

const FOLDER = 'checksums';

// Follows the checksums of a blob's first slice.
const INTACT = ' intact';

// Compares a file's checksums with those that were noted, and notes them where there are none.
// Returns 'content' or 'header' when they differ, otherwise ''. Content never changes; the header does, with the file.
//   sums  { header, body, storedAtMs }
function compare(path, sums) {
    const noted = read(path);
    const name = cache_files.nameOf(path);
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
        write(path, noted, cache_files.namesBeside(path));
    }
    return '';
}

// Forgets a file that was removed.
function forget(path) {
    const noted = read(path);
    if (noted[cache_files.nameOf(path)]) {
        delete noted[cache_files.nameOf(path)];
        write(path, noted, Object.keys(noted));
    }
}

// Whether a blob's first slice is noted, and the blob was not found to have its digest.
function awaitsComparison(path) {
    const noted = String(read(path)[cache_files.nameOf(path)] || '');
    return noted !== '' && !noted.endsWith(INTACT);
}

// Notes that it has, or that it may no longer have it. A slice that is stored again is noted anew, without this.
function markBlob(path, isIntact) {
    const noted = read(path);
    const name = cache_files.nameOf(path);
    const before = String(noted[name] || '');
    if (before && before.endsWith(INTACT) !== isIntact) {
        noted[name] = isIntact ? before + INTACT : before.slice(0, -INTACT.length);
        write(path, noted, Object.keys(noted));
    }
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
    // The check of a whole blob may run in another worker.
    const newFile = `${file}-${process.pid}`;
    try {
        makeFolder();
        fs.writeFileSync(newFile, JSON.stringify(kept));
        fs.renameSync(newFile, file);
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

export default { awaitsComparison, compare, forget, markBlob };
