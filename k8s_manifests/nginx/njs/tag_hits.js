// Counts the tags that `tags` has answered from its cache, without njs: nginx appends a byte for each to one of two files, for
// ten seconds to one and then to the other (conf/server_tags.conf.j2), and their sizes are the count.

import fs from 'fs';
import request_counts from './request_counts.js';

// Of even and of odd periods.
const EVEN = '/run/frontdoor/even_tag_hits.count';
const ODD = '/run/frontdoor/odd_tag_hits.count';
const PERIOD_SECONDS = 10;

// After the end of a period, when its file is surely not written any more.
const QUIET_AFTER_SECONDS = 3;

// Adds the file of the last period to the count, and empties it: a file never has more than ten seconds' bytes.
function fold_tag_hits() {
    request_counts.countTurn();
    const seconds = Date.now() / 1000;
    const quiet = Math.floor(seconds / PERIOD_SECONDS) % 2 === 0 ? ODD : EVEN;
    const size = bytes(quiet);
    if (size === 0 || seconds % PERIOD_SECONDS < QUIET_AFTER_SECONDS) {
        return;
    }
    const counters = ngx.shared.counters;
    // Odd in between, for `count` in another worker.
    counters.incr('tag_hits folds', 1, 0);
    counters.incr('tag_hits', size, 0);
    fs.writeFileSync(quiet, '');
    counters.incr('tag_hits folds', 1, 0);
}

function count() {
    const counters = ngx.shared.counters;
    // A worker that was killed in between leaves it odd.
    for (let attempt = 0; attempt < 1000; attempt += 1) {
        const folds = counters.get('tag_hits folds') || 0;
        const found = (counters.get('tag_hits') || 0) + bytes(EVEN) + bytes(ODD);
        if (folds % 2 === 0 && folds === (counters.get('tag_hits folds') || 0)) {
            return found;
        }
    }
    return counters.get('tag_hits');
}

// An edited template may write none.
function bytes(file) {
    try {
        return fs.statSync(file).size;
    } catch (_) {
        return 0;
    }
}

export default { count, fold_tag_hits };
