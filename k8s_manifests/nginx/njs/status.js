// Answers the page: whether everything can be pulled, or only what is cached. It names no registry, since clients read it.

import credential from './credential.js';
import ecr_upstream from './ecr_upstream.js';

function status(r) {
    const failures = r.variables.ecr_hosts.split(' ').map(host => failure(r, host));
    r.headersOut['Content-Type'] = 'application/json';
    r.return(200, JSON.stringify(summary(failures)));
}

// Why this pod has nothing new from a registry, and since when in milliseconds; undefined when it has.
function failure(r, host) {
    const expired = credential.expiry(host, Date.now());
    return expired ? { reason: 'credential', since: expired.since } : ecr_upstream.failure(r, host);
}

// All registries in one. What is since an unknown time counts as the longest.
function summary(failures) {
    const found = failures.filter(Boolean).sort((a, b) => (a.since || 0) - (b.since || 0));
    return {
        schema: 1,
        state: found.length === 0 ? 'serving' : found.length < failures.length ? 'partial' : 'cached_only',
        reason: found.length ? found[0].reason : null,
        since: found.length && found[0].since ? new Date(found[0].since).toISOString() : null,
    };
}

export default { status, summary };
