// Answers the page: whether everything can be pulled, or only what is cached. It names no registry, since clients read it.

import ecr_upstream from './ecr_upstream.js';

function status(r) {
    r.headersOut['Content-Type'] = 'application/json';
    r.return(200, JSON.stringify(summary(ecr_upstream.failures(r))));
}

// All registries in one. What is since an unknown time counts as the longest; what a replica answers for counts least.
function summary(failures) {
    const rank = failure => [failure.isReplaced ? 1 : 0, failure.since || 0];
    const found = failures.filter(Boolean).sort((a, b) => rank(a)[0] - rank(b)[0] || rank(a)[1] - rank(b)[1]);
    const unserved = found.filter(failure => !failure.isReplaced).length;
    return {
        schema: 1,
        state: stateOf(failures.length, found.length, unserved),
        reason: found.length ? found[0].reason : null,
        since: found.length && found[0].since ? new Date(found[0].since).toISOString() : null,
    };
}

//   unserved  how many registries fail while no replica answers
function stateOf(all, failed, unserved) {
    if (unserved > 0) {
        return unserved < all ? 'partial' : 'cached_only';
    }
    return failed > 0 ? 'replica' : 'serving';
}

export default { status, summary };
