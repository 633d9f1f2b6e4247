// The files of the cache: finds, reads and removes them. nginx names a file when it is complete, and fetches again what it
// does not find.

import fs from 'fs';
import cache_entry from './cache_entry.js';

// The folders that nginx makes for its `levels=1:2`, two levels of hexadecimal digits.
const ZONES = ['blobs', 'manifests'];
const DIGITS = '0123456789abcdef';

// Most headers are shorter; none is longer than the second.
const HEADER_BYTES = 4096;
const LONGEST_HEADER_BYTES = 65536;

// Where a walk is before its first file: the number of its first folder, in it the folders that are left (two digits each,
// null before they are listed), and in the first of these the last file that was visited. A list for each turn of 200 ms
// would cost more than what the turn does.
function start() {
    return { folder: 0, left: null, file: '' };
}

// Calls `visit` with the path of each file of the cache from a cursor on, which it moves. After each file and each folder it
// stops unless `goesOn` returns true. Returns whether the walk is complete.
function walk(cursor, goesOn, visit) {
    for (; cursor.folder < ZONES.length * DIGITS.length; cursor.folder += 1) {
        const folder = `${ZONES[cursor.folder >> 4]}/${DIGITS[cursor.folder & 15]}`;
        if (cursor.left === null) {
            cursor.left = names(folder).filter(name => name.length === 2).join('');
        }
        while (cursor.left !== '') {
            if (!walkFolder(`${folder}/${cursor.left.slice(0, 2)}`, cursor, goesOn, visit)) {
                return false;
            }
            cursor.left = cursor.left.slice(2);
            cursor.file = '';
            if (!goesOn()) {
                return false;
            }
        }
        cursor.left = null;
    }
    return true;
}

function walkFolder(folder, cursor, goesOn, visit) {
    return names(folder).every(name => {
        // The names of files that nginx is still writing are longer.
        if (name <= cursor.file || !/^[0-9a-f]{32}$/.test(name)) {
            return true;
        }
        cursor.file = name;
        visit(`${folder}/${name}`);
        return goesOn();
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
        // The disk cannot read it, or there is a mistake in this program, for which no file is removed.
        found.damage = e.code ? 'unreadable' : '';
        ngx.log(ngx.ERR, `the scrub could not check ${path}: ${e.message}`);
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

export default { inspect, namesBeside, remove, start, stat, walk };
