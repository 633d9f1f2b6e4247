// Watches whether the cache's disk can be written. nginx itself notices only after it has begun to answer, and then cuts
// the answer off.

import fs from 'fs';
import request_counts from './request_counts.js';

const CACHE = '/var/cache/frontdoor/';
const PROBE = `${CACHE}probe`;

// As large as a slice of the default size.
const PROBE_BYTES = 4 << 20;

// '1' when the cache could not be written at nginx's start or at the last probe, otherwise ''. A start script that cannot
// write the cache gives nginx another prefix.
function cache_disk_failed() {
    return ngx.prefix !== CACHE || ngx.shared.cache_disk.has('error') ? '1' : '';
}

// Writes a file where the cache is, and removes it before the kernel would write it to the disk.
function probe_cache_disk() {
    request_counts.countTurn();
    try {
        // `repeat` copies byte by byte, for 20 ms in which the worker serves no other request.
        fs.writeFileSync(PROBE, Buffer.alloc(PROBE_BYTES));
        ngx.shared.cache_disk.delete('error');
    } catch (e) {
        ngx.log(ngx.ERR, `the cache cannot be written (${e.code}): a cache miss is served without being cached`);
        ngx.shared.cache_disk.set('error', e.code);
    }
    try {
        fs.unlinkSync(PROBE);
    } catch (_) {
        // It was not created.
    }
}

export default { cache_disk_failed, probe_cache_disk };
