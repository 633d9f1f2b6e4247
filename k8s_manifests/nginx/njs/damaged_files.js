// Removes damaged files of the cache, and counts them: nginx fetches again what it does not find.

import cache_entry from './cache_entry.js';
import cache_files from './cache_files.js';
import checksums from './checksums.js';

// One log line for each file. Its form is fixed: log filters count it (docs/operations.md).
function removeDamaged(found) {
    const key = found.entry ? found.entry.key.replace(/[^ -~]/g, '?').slice(0, 300) : 'unknown';
    const file = `${found.path} (${found.damage}), key: ${key}`;
    const failed = cache_files.remove(found);
    if (failed === null) {
        return;
    }
    if (failed) {
        ngx.log(ngx.ERR, `the scrub could not remove the damaged file ${file}: ${failed}`);
        return;
    }
    checksums.forget(found.path);
    if (found.entry && found.entry.first !== null) {
        const sliceBytes = found.entry.last - found.entry.first + 1;
        checksums.markBlob(cache_entry.pathOfSlice(found.entry.digest, sliceBytes, 0), false);
    }
    ngx.shared.scrub_counts.incr(`damaged_${found.damage}`, 1, 0);
    ngx.log(ngx.ERR, `the scrub removed the damaged file ${file}`);
}

export default { removeDamaged };
