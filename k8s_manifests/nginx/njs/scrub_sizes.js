// Looks at the size and the times of every cached file every few seconds, and at the header of each that has changed. It runs
// in short turns. docs/decisions/0025-scrub.md has the reasons.

import cache_files from './cache_files.js';
import cache_walk from './cache_walk.js';
import damaged_files from './damaged_files.js';

// How long a turn works, and the shortest time from the start of one pass over all files to the next.
const TURN_MS = 2;
const PASS_MS = 2000;

// File systems keep times in steps of some milliseconds.
const CLOCK_MARGIN_MS = 1000;

function scrub_sizes() {
    const stored = ngx.shared.scrub.get('sizes');
    // `since`: what changed after this time is new; at first everything is. `cursor`: null between two passes.
    const pass = stored ? JSON.parse(stored) : { since: 0, startedAtMs: 0, bytes: 0, cursor: null };
    const now = Date.now();
    if (pass.cursor === null) {
        if (now - pass.startedAtMs < PASS_MS) {
            return;
        }
        pass.startedAtMs = now;
        pass.bytes = 0;
        pass.cursor = cache_walk.start();
    }
    const isDone = cache_walk.walk(pass.cursor, () => Date.now() < now + TURN_MS, path => {
        pass.bytes += look(path, pass.since);
    });
    if (isDone) {
        ngx.shared.scrub_counts.set('bytes', pass.bytes);
        ngx.shared.scrub_counts.incr('passes', 1, 0);
        pass.since = pass.startedAtMs;
        pass.cursor = null;
    }
    ngx.shared.scrub.set('sizes', JSON.stringify(pass));
}

// Returns the file's size.
function look(path, since) {
    const stat = cache_files.stat(path);
    if (!stat) {
        return 0;
    }
    if (Math.max(stat.mtimeMs, stat.ctimeMs) > since - CLOCK_MARGIN_MS) {
        const found = cache_files.inspect(path);
        if (found && found.damage) {
            damaged_files.removeDamaged(found);
        } else if (since > 0) {
            // Its content is checked next.
            ngx.shared.scrub_changed.set(path, 1);
        }
    }
    return stat.size;
}

export default { scrub_sizes };
