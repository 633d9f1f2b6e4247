// Reads the bodies of cached content, and compares them with their digests or checksums.

import crypto from 'crypto';
import fs from 'fs';
import cache_entry from './cache_entry.js';
import checksums from './checksums.js';

// What is read at once: from 128 KiB on, each turn would get a new buffer from the kernel, which costs as much as the hash.
const CHUNK_BYTES = 64 << 10;

// A body that has a digest is read in one turn if it is not longer, or a manifest's.
const WHOLE_BYTES = 1 << 20;

// Reads what is left of a body into `progress`, { offset, sum }. Returns false when the turn ends before the body does.
//   turn  { bytes, buffer, hasTime }: what it may still read, its buffer or null, and whether it goes on after a chunk
function read(file, found, progress, turn) {
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
        if (size === 0 || (!isWhole && !turn.hasTime())) {
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
    return digest !== null && (found.entry.first === null || found.stat.size - found.entry.bodyStart <= WHOLE_BYTES);
}

// How a file whose body was read is damaged, or ''.
function damage(found, sumOfBody) {
    if (isReadInOneTurn(found) && `sha256:${sumOfBody}` !== cache_entry.digestOfBody(found.entry)) {
        return 'content';
    }
    const sums = { storedAtMs: found.stat.mtimeMs, header: sum('', found.header), body: sumOfBody.slice(0, 32) };
    return checksums.compare(found.path, sums);
}

// The checksum of what comes before a chunk, and of the chunk. Against accidents 128 bits are plenty.
function sum(before, chunk) {
    return crypto.createHash('sha256').update(before).update(chunk).digest('hex').slice(0, 32);
}

export default { damage, read };
