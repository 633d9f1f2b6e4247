// Wakes nginx's cache manager, which otherwise looks at the sizes of the caches every 10 s.
// docs/decisions/0020-the-cache-manager-wakes-every-two-seconds.md has the reasons.

import request_counts from './request_counts.js';

// Renews the one entry of the zone `clock`.
async function wake_cache_manager(s) {
    request_counts.countTurn();
    try {
        await ngx.fetch(`${s.variables.fetch_url}/-/clock`);
    } catch (e) {
        ngx.log(ngx.WARN, `the clock of the cache manager failed, so it looks every 10 s: ${e.message}`);
    }
}

export default { wake_cache_manager };
