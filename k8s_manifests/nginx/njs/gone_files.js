// Removes what the cache has of images that are gone (hints.js): the manifest, and the blobs that no other cached manifest
// names. It works in short turns. docs/decisions/0038-images-that-are-gone.md has the reasons.

import fs from 'fs';
import cache_entry from './cache_entry.js';
import cache_files from './cache_files.js';
import cache_walk from './cache_walk.js';
import checksums from './checksums.js';
import hints from './hints.js';
import request_counts from './request_counts.js';

const MIB = 1 << 20;

// How long a turn works, beyond one step.
const TURN_MS = 2;

// A request that came before the hint may still store what it got, within this time.
const SETTLED_MS = 2000;

// What is removed together: each time, every cached manifest is read.
const MOST_IMAGES = 50;
const MOST_BLOBS = 500;

// ECR takes no larger manifest, and no larger layer.
const LARGEST_MANIFEST_BYTES = 4 * MIB;
const LARGEST_BLOB_BYTES = 52_000 * MIB;

// How many names of files are tried for blobs that are removed together, about 5 GB: then a walk over the cache finds the
// rest. A blob may have hundreds of thousands, and a manifest may say that of any blob.
const MOST_NAMES = 20_000;

// The slices of short reads (conf/front_blobs.conf.j2).
const PART_BYTES = 256 << 10;

// More than the zone `image_pulls` holds: 16,240 names of up to 144 bytes, or 8,112 longer ones (measured).
const ALL = 17_000;

const STEPS = { find: findContent, keep: keepNamed, remove: removeContent, walk: removeRest };

// What is done is in shared memory, { step, manifests, ... }, with the paths of manifests: it goes on in the next turn.
function remove_gone_files(s) {
    request_counts.countTurn();
    const stored = ngx.shared.hints.get('files');
    if (!stored && ngx.shared.gone_waiting.size() === 0) {
        return;
    }
    const work = stored ? JSON.parse(stored) : { step: 'find', manifests: [] };
    const startedAtMs = Date.now();
    STEPS[work.step](work, () => Math.abs(Date.now() - startedAtMs) < TURN_MS, Number(s.variables.slice_mib) * MIB);
    if (work.step === 'find' && work.manifests.length === 0) {
        ngx.shared.hints.delete('files');
    } else {
        ngx.shared.hints.set('files', JSON.stringify(work));
    }
}

// Notes the cached manifests of images that wait, and their blobs, until none waits or these are enough.
function findContent(work, hasTime) {
    const settled = ngx.shared.gone_waiting.items(MOST_IMAGES)
        .filter(item => Math.abs(Date.now() - item[1]) >= SETTLED_MS).map(item => item[0]);
    const hasEnough = () => work.manifests.length >= MOST_IMAGES || ngx.shared.gone_blobs.size() >= MOST_BLOBS;
    settled.every(name => {
        // Its line may be lifted meanwhile.
        if (hints.isNamed(name)) {
            hints.removeState(name);
            noteContent(hints.digestOf(name), work.manifests);
        }
        ngx.shared.gone_waiting.delete(name);
        return hasTime() && !hasEnough();
    });
    if (work.manifests.length > 0 && (settled.length === 0 || hasEnough())) {
        work.step = 'keep';
        work.cursor = cache_walk.start('manifests');
    }
}

// An image that another repository has, too, stays in the cache.
function noteContent(digest, manifests) {
    const path = cache_entry.pathOf('manifests', digest);
    const text = textOf(path);
    if (text === '' || manifests.includes(path) || isUsedElsewhere(digest)) {
        return;
    }
    manifests.push(path);
    blobsOf(text).forEach(blob => ngx.shared.gone_blobs.set(blob.digest, blob.bytes));
}

function isUsedElsewhere(digest) {
    return ngx.shared.image_pulls.keys(ALL).some(image => image.endsWith(`/${digest}`) && !hints.isGone(image));
}

// The body of a cached manifest; '' when there is none.
function textOf(path) {
    let text = '';
    cache_files.inspect(path, (file, found) => {
        if (found.entry.status === 200) {
            const bytes = Buffer.alloc(Math.min(found.stat.size - found.entry.bodyStart, LARGEST_MANIFEST_BYTES));
            const size = fs.readSync(file, bytes, 0, bytes.length, found.entry.bodyStart);
            text = bytes.toString('utf8', 0, size);
        }
    });
    return text;
}

// The blobs that a manifest of any type names, { digest, bytes }, with the size that it states: 0 where it states none.
function blobsOf(text) {
    let manifest;
    try {
        manifest = JSON.parse(text) || {};
    } catch (_) {
        return [];
    }
    return [].concat(manifest.config, manifest.layers, manifest.blobs, manifest.fsLayers)
        .map(blob => ({ digest: String(blob && (blob.digest || blob.blobSum)), bytes: Number(blob && blob.size) || 0 }))
        .filter(blob => /^sha256:[0-9a-f]{64}$/.test(blob.digest))
        .slice(0, MOST_BLOBS);
}

// The size of a blob, as its first slice in the cache has it from S3; 0 without one.
function cachedBytes(digest, sliceBytes) {
    return [sliceBytes, PART_BYTES].reduce((bytes, size) => {
        const found = cache_files.inspect(cache_entry.pathOfSlice(digest, size, 0));
        return found && found.entry && found.entry.range ? Number(found.entry.range[3]) : bytes;
    }, 0);
}

// Takes what other cached manifests name from the blobs.
function keepNamed(work, hasTime) {
    const isDone = cache_walk.walk(work.cursor, hasTime, path => {
        if (!work.manifests.includes(path)) {
            (textOf(path).match(/sha256:[0-9a-f]{64}/g) || []).forEach(digest => ngx.shared.gone_blobs.delete(digest));
        }
    });
    if (isDone) {
        work.step = 'remove';
        work.slice = 0;
        work.tried = 0;
        work.removed = 0;
    }
}

// Removes the blobs, and last the manifests: after a restart, what is left of an image is found by its manifest.
function removeContent(work, hasTime, sliceBytes) {
    do {
        const digest = ngx.shared.gone_blobs.keys(1)[0];
        if (digest === undefined) {
            work.manifests.forEach(path => removeFile(path, work));
            ngx.log(ngx.WARN, `removed ${work.removed} files of ${work.manifests.length} images that are gone from the cache`);
            work.step = 'find';
            work.manifests = [];
            return;
        }
        if (removeBlob(digest, work, hasTime, sliceBytes)) {
            ngx.shared.gone_blobs.delete(digest);
            work.slice = 0;
        }
    } while (work.tried < MOST_NAMES && hasTime());
    if (work.tried >= MOST_NAMES) {
        work.step = 'walk';
        work.cursor = cache_walk.start('blobs');
    }
}

// Removes the files of all blobs that are left, which it finds by what each file says about itself.
function removeRest(work, hasTime) {
    const isDone = cache_walk.walk(work.cursor, hasTime, path => {
        const found = cache_files.inspect(path);
        if (found && found.entry && ngx.shared.gone_blobs.has(String(found.entry.digest))) {
            removeFile(path, work);
        }
    });
    if (isDone) {
        ngx.shared.gone_blobs.clear();
        work.step = 'remove';
        work.tried = 0;
    }
}

// Removes the slices of a blob from `work.slice` on, of both sizes. Returns whether these were all. What the cache knows of the
// size counts: a manifest may state any.
function removeBlob(digest, work, hasTime, sliceBytes) {
    if (work.slice === 0) {
        ngx.shared.gone_blobs.set(digest, cachedBytes(digest, sliceBytes) || ngx.shared.gone_blobs.get(digest));
    }
    const bytes = Math.min(ngx.shared.gone_blobs.get(digest), LARGEST_BLOB_BYTES);
    const parts = Math.max(1, Math.ceil(bytes / PART_BYTES));
    const slices = Math.max(1, Math.ceil(bytes / sliceBytes));
    do {
        removeFile(work.slice < parts
            ? cache_entry.pathOfSlice(digest, PART_BYTES, work.slice)
            : cache_entry.pathOfSlice(digest, sliceBytes, work.slice - parts), work);
        work.slice += 1;
        work.tried += 1;
    } while (work.slice < parts + slices && work.tried < MOST_NAMES && hasTime());
    return work.slice >= parts + slices;
}

function removeFile(path, work) {
    const failed = cache_files.unlink(path);
    if (failed === '') {
        checksums.forget(path);
        work.removed += 1;
        ngx.shared.counters.incr('gone_files', 1, 0);
    } else if (failed !== null) {
        ngx.log(ngx.ERR, `the file ${path} of an image that is gone could not be removed: ${failed}`);
    }
}

export default { remove_gone_files };
