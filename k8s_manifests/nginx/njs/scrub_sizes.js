// Looks at the size and the times of every cached file every few seconds, and at the header of each that has changed. It runs
// in short turns. docs/decisions/0025-scrub.md has the reasons.

import cache_files from './cache_files.js';
import cache_walk from './cache_walk.js';
import damaged_files from './damaged_files.js';
import request_counts from './request_counts.js';

// How long a turn works, and the shortest time from the start of one pass over all files to the next.
const TURN_MS = 2;
const PASS_MS = 2000;

// A pass that takes longer is of a large cache: after it comes a pause of the same length, but not of a clock's step.
const LONG_PASS_MS = 30_000;
const LONGEST_PAUSE_MS = 600_000;

// File systems keep times in steps of some milliseconds, and clocks are corrected by as much.
const CLOCK_MARGIN_MS = 1000;

function scrub_sizes() {
    request_counts.countTurn();
    const now = Date.now();
    const pass = storedPass(now);
    pass.turnAtMs = now;
    if (pass.cursor === null) {
        if (now < pass.nextAtMs) {
            return;
        }
        pass.startedAtMs = now;
        pass.bytes = 0;
        pass.older = 0;
        pass.left = 0;
        pass.cursor = cache_walk.start();
    }
    const isDone = cache_walk.walk(pass.cursor, () => Math.abs(Date.now() - now) < TURN_MS, path => {
        pass.bytes += checkSize(path, pass, now);
    });
    // The first pass over a large cache takes minutes, and the round has to know that it is large.
    if (isDone || pass.bytes > (ngx.shared.scrub_counts.get('bytes') || 0)) {
        ngx.shared.scrub_counts.set('bytes', pass.bytes);
    }
    if (isDone) {
        ngx.shared.scrub_counts.incr('passes', 1, 0);
        ngx.shared.scrub_counts.incr('evicted', Math.max(0, pass.found - pass.left), 0);
        pass.found = pass.older;
        pass.nextAtMs = nextAtMs(pass, now);
        pass.since = pass.startedAtMs;
        pass.cursor = null;
    }
    ngx.shared.scrub.set('sizes', JSON.stringify(pass));
}

// When the next pass begins. What was changed during the first pass is found at once.
function nextAtMs(pass, now) {
    const tookMs = now - pass.startedAtMs;
    return pass.since > 0 && tookMs > LONG_PASS_MS
        ? now + Math.min(tookMs, LONGEST_PAUSE_MS) : pass.startedAtMs + PASS_MS;
}

// Where the last turn stopped. After the clock was set back nothing says what has changed: it starts as at first.
function storedPass(now) {
    const stored = ngx.shared.scrub.get('sizes');
    const pass = stored ? JSON.parse(stored) : null;
    // `since`: what changed after this time is new; at first everything is. `cursor`: null between two passes.
    return pass && now > pass.turnAtMs - CLOCK_MARGIN_MS
        ? pass : { since: 0, startedAtMs: 0, nextAtMs: 0, turnAtMs: 0, bytes: 0, found: 0, cursor: null };
}

// Checks a file's size, and its header if it has changed. Returns the size.
function checkSize(path, pass, now) {
    const stat = cache_files.stat(path);
    if (!stat) {
        return 0;
    }
    if (path.startsWith('blobs/')) {
        noteSlice(stat, pass);
    }
    if (hasChanged(stat, pass.since, now)) {
        const found = cache_files.inspect(path);
        if (found && found.damage) {
            damaged_files.removeDamaged(found);
        } else if (pass.since > 0) {
            // Its content is checked next.
            ngx.shared.scrub_changed.set(path, 1);
        }
    }
    return stat.size;
}

// Counts the slices that the next pass has to find again, and those of the pass before that are still there: the others were
// evicted. A slice is never written twice, and its `ctime` is when it got its name.
function noteSlice(stat, pass) {
    pass.older += stat.ctimeMs < pass.startedAtMs ? 1 : 0;
    pass.left += stat.ctimeMs < pass.since ? 1 : 0;
}

// Every change sets the time `ctime`. One in the future is of before the clock was set back, and would last.
function hasChanged(stat, since, now) {
    return since === 0 || (stat.ctimeMs > since - CLOCK_MARGIN_MS && stat.ctimeMs < now + CLOCK_MARGIN_MS);
}

export default { scrub_sizes };
