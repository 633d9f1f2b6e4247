// Reads the cached files, in rounds and in short turns, and compares them with their digests or with the checksums that were
// noted when they were new. docs/decisions/0025-scrub.md has the reasons and the measurements.

import crypto from 'crypto';
import fs from 'fs';
import cache_entry from './cache_entry.js';
import cache_files from './cache_files.js';
import checksums from './checksums.js';
import damaged_files from './damaged_files.js';

// How long a turn works, beyond one chunk or one small file, and the shortest time from the start of one round to the next.
const TURN_MS = 2;
const ROUND_MS = 30_000;

// What a turn reads: of changed files; of a cache up to this size; of a larger one less, down to one step.
const STEP_BYTES = 256 << 10;
const STEPS_OF_CHANGED = 8;
const STEPS_OF_SMALL_CACHE = 5;
const SMALL_CACHE_BYTES = 1 << 30;

// What is read at once: from 128 KiB on, each turn would get a new buffer from the kernel, which costs as much as the hash.
const CHUNK_BYTES = 64 << 10;

// What a file costs a turn beside its bytes.
const COST_BYTES = 8 << 10;

// A body that has a digest is read in one turn if it is not longer, or a manifest.
const WHOLE_BYTES = 1 << 20;

// Every second turn begins with the changed files, so that these cannot stop the round.
function scrub_contents() {
    const stored = ngx.shared.scrub.get('contents');
    // `cursor`: null between two rounds. `file`: what is left of a file, { path, ino, offset, sum }.
    const round = stored ? JSON.parse(stored) : { startedAtMs: 0, cursor: null, file: null, turn: 0 };
    const isForChanged = round.turn % 2 === 0 && ngx.shared.scrub_changed.size() > 0;
    const turn = {
        bytes: STEP_BYTES * (isForChanged ? STEPS_OF_CHANGED : steps()),
        endsAtMs: Date.now() + TURN_MS,
        hasWorked: false,
        buffer: null,
    };
    round.turn += 1;
    if (round.file) {
        check(round, turn, round.file);
    }
    if (isForChanged) {
        checkChanged(round, turn);
    }
    continueRound(round, turn);
    ngx.shared.scrub.set('contents', JSON.stringify(round));
}

// A cache of 1 GiB is read within a minute. A larger one does not fit into memory, and its disk has other users.
function steps() {
    const bytes = ngx.shared.scrub_counts.get('bytes') || SMALL_CACHE_BYTES;
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
        check(round, turn, { path, ino: 0, offset: 0, sum: '' });
    }
}

function continueRound(round, turn) {
    if (round.file || !hasTime(turn)) {
        return;
    }
    if (round.cursor === null) {
        if (Date.now() - round.startedAtMs < ROUND_MS) {
            return;
        }
        round.startedAtMs = Date.now();
        round.cursor = cache_files.start();
    }
    const goesOn = () => !round.file && turn.bytes > 0 && Date.now() < turn.endsAtMs;
    const isDone = cache_files.walk(round.cursor, goesOn, path => {
        check(round, turn, { path, ino: 0, offset: 0, sum: '' });
    });
    if (isDone) {
        round.cursor = null;
        ngx.shared.scrub_counts.incr('rounds', 1, 0);
        ngx.shared.scrub_counts.set('round_seconds', Math.round((Date.now() - round.startedAtMs) / 1000));
    }
}

// Checks a file, from where an earlier turn stopped; `round.file` is then what is left of it.
function check(round, turn, progress) {
    round.file = null;
    turn.hasWorked = true;
    const found = cache_files.inspect(progress.path, (file, found) => {
        const begun = progress.ino === found.stat.ino
            ? progress : { path: progress.path, ino: found.stat.ino, offset: 0, sum: '' };
        turn.bytes -= COST_BYTES;
        if (readBody(file, found, turn, begun)) {
            found.damage = damageOf(found, begun.sum);
        } else {
            round.file = begun;
        }
    });
    if (found && found.damage) {
        damaged_files.removeDamaged(found);
    }
}

// Reads what is left of a body into `progress.sum`. Returns false when the turn ends before the body does.
function readBody(file, found, turn, progress) {
    const isWhole = isReadInOneTurn(found);
    const hash = crypto.createHash('sha256');
    const end = found.stat.size - found.entry.bodyStart;
    turn.buffer = turn.buffer || Buffer.alloc(CHUNK_BYTES);
    while (progress.offset < end) {
        const size = fs.readSync(
            file, turn.buffer, 0, Math.min(CHUNK_BYTES, end - progress.offset), found.entry.bodyStart + progress.offset
        );
        const chunk = turn.buffer.subarray(0, size);
        if (isWhole) {
            hash.update(chunk);
        } else {
            progress.sum = sum(progress.sum, chunk);
        }
        progress.offset += size;
        turn.bytes -= size;
        if (size === 0 || (!isWhole && !hasTime(turn))) {
            break;
        }
    }
    if (isWhole) {
        progress.sum = hash.digest('hex');
    }
    return progress.offset >= end;
}

// A digest is of the whole body, and a hash cannot be continued in another turn.
function isReadInOneTurn(found) {
    const digest = cache_entry.digestOfBody(found.entry);
    return digest !== null && (found.entry.first === null || found.stat.size <= WHOLE_BYTES);
}

function damageOf(found, sumOfBody) {
    if (isReadInOneTurn(found) && `sha256:${sumOfBody}` !== cache_entry.digestOfBody(found.entry)) {
        return 'content';
    }
    if (!found.entry.digest || found.entry.status >= 300) {
        return '';
    }
    const sums = { storedAtMs: found.stat.mtimeMs, header: sum('', found.header), body: sumOfBody.slice(0, 32) };
    return checksums.compare(found.path, sums, () => cache_files.namesBeside(found.path));
}

// The checksum of what comes before a chunk, and of the chunk. Against accidents 128 bits are plenty.
function sum(before, chunk) {
    return crypto.createHash('sha256').update(before).update(chunk).digest('hex').slice(0, 32);
}

export default { scrub_contents };
