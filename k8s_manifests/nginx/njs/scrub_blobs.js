// Checks whole blobs whose slices are all cached against their digests, once until a slice is removed: a checksum that was noted for a slice which
// was damaged before cannot show it. docs/decisions/0025-scrub.md has the reasons.

import crypto from 'crypto';
import fs from 'fs';
import cache_entry from './cache_entry.js';
import cache_files from './cache_files.js';
import damaged_files from './damaged_files.js';

// A hash cannot be continued in another request, and the engine frees memory only at a request's end: some MiB for each GiB.
const LARGEST_BYTES = 2 * (1 << 30);
const MOST_SLICES = 512;

// A worker that stops no longer writes its id: then the check ends, so that nginx does not wait for it.
const ID_LASTS_MS = 3000;

const TURN_MS = 2;
const TURN_BYTES = 1 << 20;
const PAUSE_MS = 50;
const CHUNK_BYTES = 64 << 10;

// Notes that a slice was found intact: its blob is checked next if all slices are cached, unless it was.
function consider(entry) {
    if (entry.first === null || entry.status !== 206) {
        return;
    }
    const blob = { digest: entry.digest, sliceBytes: entry.last - entry.first + 1, bytes: Number(entry.range[3]) };
    const slices = Math.ceil(blob.bytes / blob.sliceBytes);
    if (slices === 1 || slices > MOST_SLICES || blob.bytes > LARGEST_BYTES || ngx.shared.scrub_intact.has(blob.digest)) {
        return;
    }
    // The queue has no order: what cannot be checked would keep others from their turn.
    if (pathsOf(blob)) {
        ngx.shared.scrub_blobs.set(`${blob.digest} ${blob.sliceBytes} ${blob.bytes}`, 1);
    }
}

function pathOf(blob, number) {
    const first = number * blob.sliceBytes;
    return cache_entry.pathOf('blobs', `${blob.digest} bytes=${first}-${first + blob.sliceBytes - 1}`);
}

// Starts the check of the next blob in a request of its own, which may last for minutes.
async function scrub_blobs(s) {
    ngx.shared.scrub_running.set('worker', process.pid, ID_LASTS_MS);
    if (ngx.shared.scrub_blobs.size() === 0 || ngx.shared.scrub_running.has('blob')) {
        return;
    }
    try {
        await ngx.fetch(`${s.variables.fetch_url}/-/scrub-blob`);
    } catch (e) {
        ngx.log(ngx.WARN, `the scrub could not start the check of a blob: ${e.message}`);
    }
}

// Answers at once, and then checks a blob.
async function scrub_blob(r) {
    r.return(204);
    const key = ngx.shared.scrub_blobs.keys(1)[0];
    if (key === undefined || !ngx.shared.scrub_running.add('blob', 1)) {
        return;
    }
    ngx.shared.scrub_blobs.delete(key);
    const words = key.split(' ');
    // A slice that was found intact during the check of its blob has queued the blob again.
    const isKnown = ngx.shared.scrub_intact.has(words[0]);
    const paths = isKnown ? null : pathsOf({ digest: words[0], sliceBytes: Number(words[1]), bytes: Number(words[2]) });
    const sum = paths ? await sumOf(paths) : null;
    if (sum === words[0]) {
        ngx.shared.scrub_intact.set(words[0], 1);
        ngx.shared.scrub_counts.incr('blobs', 1, 0);
    } else if (sum !== null) {
        await removeSlices(paths);
    }
    ngx.shared.scrub_running.delete('blob');
}

// The files of all slices; null when one is not cached, most often the last.
function pathsOf(blob) {
    const paths = [];
    for (let number = Math.ceil(blob.bytes / blob.sliceBytes) - 1; number >= 0; number -= 1) {
        const path = pathOf(blob, number);
        if (!cache_files.stat(path)) {
            return null;
        }
        paths.unshift(path);
    }
    return paths;
}

// The digest of the bodies of files in a row; null when one of them is gone or damaged, or the worker stops.
async function sumOf(paths) {
    const worker = ngx.shared.scrub_running.get('worker');
    const hash = crypto.createHash('sha256');
    const buffer = Buffer.alloc(CHUNK_BYTES);
    for (let number = 0; number < paths.length; number += 1) {
        let progress = { version: null, at: 0, isDone: false };
        while (!progress.isDone) {
            progress = readTurn(paths[number], progress, hash, buffer);
            if (progress === null || ngx.shared.scrub_running.get('worker') !== worker) {
                return null;
            }
            // It expires when this request ends early.
            ngx.shared.scrub_running.set('blob', 1);
            await pause(PAUSE_MS);
        }
    }
    return `sha256:${hash.digest('hex')}`;
}

function pause(ms) {
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

export default { consider, scrub_blob, scrub_blobs };
