// Compares whole blobs whose slices are all cached with their digests, once until a slice is removed: a checksum that was
// noted for a slice which was damaged before cannot show it. docs/decisions/0025-scrub.md has the reasons.

import crypto from 'crypto';
import fs from 'fs';
import cache_entry from './cache_entry.js';
import cache_files from './cache_files.js';
import checksums from './checksums.js';
import damaged_files from './damaged_files.js';
import request_counts from './request_counts.js';

// A hash cannot be continued in another request, and the engine frees memory only at a request's end: some MiB for each GiB.
const LARGEST_BYTES = 2 * (1 << 30);
const MOST_SLICES = 512;

// A worker that stops no longer writes its id: then the check ends, so that nginx does not wait for it.
const ID_LASTS_MS = 3000;

const TURN_MS = 2;
const TURN_BYTES = 1 << 20;
const PAUSE_MS = 50;
const CHUNK_BYTES = 64 << 10;

// Queues the blob of a slice that was found intact, if its first and last slices are cached and it was not compared before.
// Only these two slices queue it: each would cost the look at others, and as often as it has slices.
function queueIfCached(entry) {
    if (entry.first === null || entry.status !== 206) {
        return;
    }
    const sliceBytes = entry.last - entry.first + 1;
    const bytes = Number(entry.range[3]);
    const slices = Math.ceil(bytes / sliceBytes);
    const isAtAnEnd = entry.first === 0 || entry.last >= bytes - 1;
    if (slices === 1 || slices > MOST_SLICES || bytes > LARGEST_BYTES || !isAtAnEnd) {
        return;
    }
    const first = cache_entry.pathOfSlice(entry.digest, sliceBytes, 0);
    const other = entry.first === 0 ? cache_entry.pathOfSlice(entry.digest, sliceBytes, slices - 1) : first;
    if (cache_files.stat(other) && checksums.awaitsComparison(first)) {
        ngx.shared.scrub_blobs.set(`${entry.digest} ${sliceBytes} ${slices}`, 1);
    }
}

// Starts the comparison of the next blob, unless one runs.
async function scrub_blobs(s) {
    request_counts.countTurn();
    ngx.shared.scrub_running.set('worker', process.pid, ID_LASTS_MS);
    if (!ngx.shared.scrub_running.has('blob')) {
        await startNext(s.variables.fetch_url);
    }
}

// In a request of its own, which may last for minutes.
async function startNext(fetchUrl) {
    if (ngx.shared.scrub_blobs.size() === 0) {
        return;
    }
    try {
        await ngx.fetch(`${fetchUrl}/-/scrub-blob`);
    } catch (e) {
        ngx.log(ngx.WARN, `the scrub could not start the comparison of a blob: ${e.message}`);
    }
}

// Answers at once, and then compares a blob.
async function scrub_blob(r) {
    const fetchUrl = r.variables.fetch_url;
    const worker = ngx.shared.scrub_running.get('worker');
    r.return(204);
    const key = ngx.shared.scrub_blobs.keys(1)[0];
    if (key === undefined || !ngx.shared.scrub_running.add('blob', 1)) {
        return;
    }
    ngx.shared.scrub_blobs.delete(key);
    const words = key.split(' ');
    const paths = await pathsOf(words[0], Number(words[1]), Number(words[2]));
    const sum = paths ? await sumOf(paths, worker) : null;
    if (sum === words[0]) {
        checksums.markBlob(paths[0], true);
        ngx.shared.scrub_counts.incr('blobs', 1, 0);
    } else if (sum !== null) {
        await removeSlices(paths);
    }
    ngx.shared.scrub_running.delete('blob');
    if (!paths) {
        // The queue has no order: blobs that lack a slice would keep others from their turn.
        await startNext(fetchUrl);
    }
}

// The files of all slices, looked at in turns; null when one is not cached, or a slice that was found intact during the
// comparison of its blob has queued the blob again.
async function pathsOf(digest, sliceBytes, slices) {
    const paths = [];
    let turnAtMs = 0;
    for (let number = 0; number < slices; number += 1) {
        if (Math.abs(Date.now() - turnAtMs) >= TURN_MS) {
            await pause(PAUSE_MS);
            turnAtMs = Date.now();
        }
        const path = cache_entry.pathOfSlice(digest, sliceBytes, number);
        if (!cache_files.stat(path) || (number === 0 && !checksums.awaitsComparison(path))) {
            return null;
        }
        paths.push(path);
    }
    return paths;
}

// The digest of the bodies of files in a row; null when one of them is gone or damaged, or the worker stops.
async function sumOf(paths, worker) {
    const hash = crypto.createHash('sha256');
    const buffer = Buffer.alloc(CHUNK_BYTES);
    for (let number = 0; number < paths.length; number += 1) {
        let progress = { version: null, at: 0, isDone: false };
        while (!progress.isDone) {
            progress = readTurn(paths[number], progress, hash, buffer);
            if (progress === null || ngx.shared.scrub_running.get('worker') !== worker) {
                return null;
            }
            await pause(PAUSE_MS);
        }
    }
    return `sha256:${hash.digest('hex')}`;
}

function pause(ms) {
    // It expires when this request ends early.
    ngx.shared.scrub_running.set('blob', 1);
    return new Promise(resolve => setTimeout(resolve, ms));
}

// Reads on in a file for a turn. Returns where it stopped; null when the file is gone, damaged, or another one now.
function readTurn(path, progress, hash, buffer) {
    const until = Date.now() + TURN_MS;
    let reached = null;
    cache_files.inspect(path, (file, found) => {
        const version = cache_files.version(found.stat);
        if (progress.version !== null && progress.version !== version) {
            return;
        }
        const start = progress.at || found.entry.bodyStart;
        const end = Math.min(found.stat.size, start + TURN_BYTES);
        let at = start;
        while (at < end && (at === start || Date.now() < until)) {
            const size = fs.readSync(file, buffer, 0, Math.min(CHUNK_BYTES, end - at), at);
            if (size === 0) {
                return;
            }
            hash.update(buffer.subarray(0, size));
            at += size;
        }
        ngx.shared.scrub_counts.incr('read_bytes', at - start, 0);
        reached = { version, at, isDone: at === found.stat.size };
    });
    return reached;
}

// Which slice is damaged is not known, so all of them are removed, one in a turn.
async function removeSlices(paths) {
    for (let number = 0; number < paths.length; number += 1) {
        const found = cache_files.inspect(paths[number]);
        if (found) {
            found.damage = found.damage || 'content';
            damaged_files.removeDamaged(found);
        }
        await pause(1);
    }
}

export default { queueIfCached, scrub_blob, scrub_blobs };
