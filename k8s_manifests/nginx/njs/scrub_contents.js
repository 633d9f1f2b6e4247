// Reads the cached files, in rounds and in short turns, and compares them with their digests or with the checksums that were
// noted when they were new. docs/decisions/0025-scrub.md has the reasons and the measurements.

import cache_body from './cache_body.js';
import cache_files from './cache_files.js';
import cache_walk from './cache_walk.js';
import damaged_files from './damaged_files.js';
import request_counts from './request_counts.js';
import scrub_blobs from './scrub_blobs.js';

// How long a turn works, beyond one chunk or one small file, and the shortest time from the start of one round to the next.
const TURN_MS = 2;
const ROUND_MS = 30_000;

// What a turn reads: of changed files; of a cache up to this size; of a larger one less, down to one step.
const STEP_BYTES = 256 << 10;
const STEPS_OF_CHANGED = 8;
const STEPS_OF_SMALL_CACHE = 5;
const SMALL_CACHE_BYTES = 1 << 30;

// A cache above this size has many files to look at as well: its round skips turns, to last about as long as this.
const LARGE_CACHE_BYTES = 32 * SMALL_CACHE_BYTES;
const LARGE_ROUND_SECONDS = 18 * 3600;
const TURNS_A_SECOND = 20;

// What a file costs a turn beside its bytes.
const COST_BYTES = 8 << 10;

// Every second turn begins with the changed files, so that these cannot stop the round.
function scrub_contents() {
    request_counts.countTurn();
    const stored = ngx.shared.scrub.get('contents');
    // `cursor`: null between two rounds. `file`: what is left of a file, { path, version, offset, sum }.
    const round = stored ? JSON.parse(stored) : { startedAtMs: 0, cursor: null, file: null, turn: 0 };
    const isForChanged = round.turn % 2 === 0 && ngx.shared.scrub_changed.size() > 0;
    const isForRound = round.turn % turnsForOne() === 1 % turnsForOne();
    round.turn += 1;
    if (isForChanged || isForRound) {
        work(round, isForChanged, isForRound);
    }
    ngx.shared.scrub.set('contents', JSON.stringify(round));
}

function work(round, isForChanged, isForRound) {
    const turn = {
        bytes: STEP_BYTES * (isForChanged ? STEPS_OF_CHANGED : steps()),
        endsAtMs: Date.now() + TURN_MS,
        hasWorked: false,
        buffer: null,
        hasTime: () => hasTime(turn),
    };
    if (round.file) {
        checkContent(round, turn, round.file);
    }
    if (isForChanged) {
        checkChanged(round, turn);
    }
    if (isForRound) {
        continueRound(round, turn);
    }
}

// The size of the cache, or of what the first pass over the sizes has seen so far.
function cachedBytes() {
    return ngx.shared.scrub_counts.get('bytes') || SMALL_CACHE_BYTES;
}

// The round goes on in one of so many turns; these are not always those of the changed files.
function turnsForOne() {
    const bytes = cachedBytes();
    return bytes > LARGE_CACHE_BYTES
        ? Math.max(1, Math.round(LARGE_ROUND_SECONDS * TURNS_A_SECOND * STEP_BYTES / bytes)) : 1;
}

// A cache of 1 GiB is read within a minute. A larger one does not fit into memory, and its disk has other users.
function steps() {
    const bytes = cachedBytes();
    return Math.max(1, Math.min(STEPS_OF_SMALL_CACHE, Math.round(STEPS_OF_SMALL_CACHE * SMALL_CACHE_BYTES / bytes)));
}

// Every turn reads something, however slow the disk is.
function hasTime(turn) {
    return !turn.hasWorked || (turn.bytes > 0 && Date.now() < turn.endsAtMs);
}

function checkChanged(round, turn) {
    while (!round.file && hasTime(turn)) {
        const path = ngx.shared.scrub_changed.keys(1)[0];
        if (path === undefined) {
            return;
        }
        ngx.shared.scrub_changed.delete(path);
        checkContent(round, turn, { path });
    }
}

function continueRound(round, turn) {
    if (round.file || !hasTime(turn)) {
        return;
    }
    if (round.cursor === null) {
        // After the clock was set back the difference is negative, and may be large.
        if (Math.abs(Date.now() - round.startedAtMs) < ROUND_MS) {
            return;
        }
        round.startedAtMs = Date.now();
        round.cursor = cache_walk.start();
    }
    const goesOn = () => !round.file && turn.bytes > 0 && Date.now() < turn.endsAtMs;
    const isDone = cache_walk.walk(round.cursor, goesOn, path => {
        checkContent(round, turn, { path });
    });
    if (isDone) {
        round.cursor = null;
        ngx.shared.scrub_counts.incr('rounds', 1, 0);
        ngx.shared.scrub_counts.set('round_seconds', Math.max(0, Math.round((Date.now() - round.startedAtMs) / 1000)));
    }
}

// Checks a file, from where an earlier turn stopped unless it has changed; `round.file` is then what is left of it.
function checkContent(round, turn, progress) {
    round.file = null;
    turn.hasWorked = true;
    turn.bytes -= COST_BYTES;
    const found = cache_files.inspect(progress.path, (file, found) => {
        if (!found.entry.digest || found.entry.status >= 300) {
            return;
        }
        const version = cache_files.version(found.stat);
        const begun = progress.version === version ? progress : { path: progress.path, version, offset: 0, sum: '' };
        const offset = begun.offset;
        const isRead = cache_body.read(file, found, begun, turn);
        ngx.shared.scrub_counts.incr('read_bytes', begun.offset - offset, 0);
        if (!isRead) {
            round.file = begun;
            return;
        }
        found.damage = cache_body.damage(found, begun.sum);
        if (!found.damage) {
            scrub_blobs.queueIfCached(found.entry);
        }
    });
    if (found && found.damage) {
        damaged_files.removeDamaged(found);
    }
}

export default { scrub_contents };
