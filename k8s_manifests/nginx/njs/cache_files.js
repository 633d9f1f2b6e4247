// The files of the cache: reads and removes them. nginx names a file when it is complete, and fetches again what it
// does not find.

import fs from 'fs';
import cache_entry from './cache_entry.js';

// Most headers are shorter; none is longer than the second.
const HEADER_BYTES = 4096;
const LONGEST_HEADER_BYTES = 65536;

// What is in a folder, in order.
function names(folder) {
    try {
        return fs.readdirSync(ngx.prefix + folder).sort();
    } catch (_) {
        return [];
    }
}

// The size and times of a file; null when it is gone.
function stat(path) {
    try {
        return fs.statSync(ngx.prefix + path);
    } catch (_) {
        return null;
    }
}

// What a cached file is: { path, stat, header, entry, damage }; null when it is gone. `read`, where given, gets its open
// descriptor and this object, unless the file is damaged.
function inspect(path, read) {
    let file;
    try {
        file = fs.openSync(ngx.prefix + path);
    } catch (_) {
        return null;
    }
    const found = { path, stat: fs.fstatSync(file), header: null, entry: null, damage: '' };
    try {
        found.header = readHeader(file);
        if (!cache_entry.isOfOtherVersion(found.header)) {
            found.entry = cache_entry.parse(nameOf(path), found.header);
            found.damage = cache_entry.damage(found.entry, found.stat.size, found.stat.mtimeMs);
        }
        if (read && found.entry && !found.damage) {
            read(file, found);
        }
    } catch (e) {
        // The disk cannot read it, or there is a mistake in this program, for which no file is removed.
        found.damage = e.code ? 'unreadable' : '';
        ngx.log(ngx.ERR, `the scrub could not check ${path}: ${e.message}`);
    }
    fs.closeSync(file);
    return found;
}

// What differs when a file was replaced or changed. A new file may have the number of one that is gone.
function version(stat) {
    return `${stat.ino} ${stat.mtimeMs}`;
}

// What comes before the body.
function readHeader(file) {
    let bytes = Buffer.alloc(HEADER_BYTES);
    let size = fs.readSync(file, bytes, 0, HEADER_BYTES, 0);
    const bodyStart = cache_entry.bodyStart(bytes.subarray(0, size));
    if (bodyStart > size) {
        bytes = Buffer.alloc(LONGEST_HEADER_BYTES);
        size = fs.readSync(file, bytes, 0, LONGEST_HEADER_BYTES, 0);
    }
    return bytes.subarray(0, Math.min(size, bodyStart));
}

function nameOf(path) {
    return path.slice(path.lastIndexOf('/') + 1);
}

// The names of the files in a file's folder.
function namesBeside(path) {
    return names(path.slice(0, path.lastIndexOf('/')));
}

// Removes a file that was inspected. Returns why it could not, '' when it did, and null when nginx has removed or replaced it.
function remove(found) {
    const now = stat(found.path);
    return now && version(now) === version(found.stat) ? unlink(found.path) : null;
}

// Removes a file. Returns why it could not, '' when it did, and null when there is none.
function unlink(path) {
    try {
        fs.unlinkSync(ngx.prefix + path);
        return '';
    } catch (e) {
        return e.code === 'ENOENT' ? null : e.code;
    }
}

export default { inspect, nameOf, names, namesBeside, remove, stat, unlink, version };
