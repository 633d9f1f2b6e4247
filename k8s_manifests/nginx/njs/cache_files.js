// The files of the cache: finds, reads and removes them. nginx names a file when it is complete, and fetches again what it
// does not find.

import fs from 'fs';
import cache_entry from './cache_entry.js';

const ZONES = ['blobs', 'manifests'];
const LEVELS = 3;

// Most headers are shorter; none is longer than the second.
const HEADER_BYTES = 4096;
const LONGEST_HEADER_BYTES = 65536;

// Calls `visit` with the path of every file in the cache after `after`, in the order of their paths, until it returns
// false. Returns whether it came to the end.
function walk(after, visit) {
    return ZONES.every(zone => `${zone}~` <= after || walkFolder(zone, LEVELS, after, visit));
}

function walkFolder(folder, levels, after, visit) {
    return names(folder).every(name => {
        const path = `${folder}/${name}`;
        if (levels > 1) {
            return `${path}~` <= after || walkFolder(path, levels - 1, after, visit);
        }
        return path <= after || !/^[0-9a-f]{32}$/.test(name) || visit(path);
    });
}

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
        found.entry = cache_entry.parse(nameOf(path), found.header);
        found.damage = cache_entry.damage(found.entry, found.stat.size, found.stat.mtimeMs);
        if (read && !found.damage) {
            read(file, found);
        }
    } catch (e) {
        found.damage = `unreadable: ${e.message}`;
    }
    fs.closeSync(file);
    return found;
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

// Removes a file, unless nginx has replaced it since it was checked. Returns why it could not, or ''.
function remove(path, checked) {
    const now = stat(path);
    if (!now || now.ino !== checked.ino) {
        return 'it was replaced';
    }
    try {
        fs.unlinkSync(ngx.prefix + path);
        return '';
    } catch (e) {
        return e.code;
    }
}

export default { inspect, namesBeside, remove, stat, walk };
