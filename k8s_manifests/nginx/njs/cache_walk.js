// Visits the files of the cache, in turns.

import cache_files from './cache_files.js';

// The folders that nginx makes for its `levels=1:2`, two levels of hexadecimal digits.
const ZONES = ['blobs', 'manifests', 'tags', 'images'];
const DIGITS = '0123456789abcdef';

// Where a walk is before its first file: the number of its first folder and of the one after its last, in it the folders that
// are left (two digits each, null before they are listed), and in the first of these the last file that was visited. A list for
// each turn of 200 ms would cost more than what the turn does.
//   zone  the one to walk; without it, all of them
function start(zone) {
    const first = zone ? ZONES.indexOf(zone) * DIGITS.length : 0;
    return { folder: first, end: zone ? first + DIGITS.length : ZONES.length * DIGITS.length, left: null, file: '' };
}

// Calls `visit` with the path of each file of the cache from a cursor on, which it moves. After each file and each folder it
// stops unless `goesOn` returns true. Returns whether the walk is complete.
function walk(cursor, goesOn, visit) {
    for (; cursor.folder < cursor.end; cursor.folder += 1) {
        const folder = `${ZONES[cursor.folder >> 4]}/${DIGITS[cursor.folder & 15]}`;
        if (cursor.left === null) {
            cursor.left = cache_files.names(folder).filter(name => name.length === 2).join('');
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
    return cache_files.names(folder).every(name => {
        // The names of files that nginx is still writing are longer.
        if (name <= cursor.file || !/^[0-9a-f]{32}$/.test(name)) {
            return true;
        }
        cursor.file = name;
        visit(`${folder}/${name}`);
        return goesOn();
    });
}

export default { start, walk };
