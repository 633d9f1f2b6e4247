// Knows what ECR last said of an image that clients get from the cache, and asks ECR for it again about once a day: by a GET,
// which ECR counts as a pull. docs/decisions/0026-manifests-are-revalidated.md has the reasons.
//
// An image is the path of its manifest, /<ECR host>/v2/<repository>/manifests/<digest>. nginx caches the answers of
// `image_state`, so no code runs for most cache hits.

import hints from './hints.js';
import request_counts from './request_counts.js';

// How many images may wait to be asked for. A client can name a cached digest in any repository that is allowed: images that
// ECR has never sent to this pod get half of the places.
const LARGEST_QUEUE = 1000;

// How long the last state is cached while ECR is asked: most answers come within this time.
const PENDING_SECONDS = 5;

// How long it is cached that an image is gone: a line of the hints that is lifted counts after this time.
const GONE_SECONDS = 5;

// Notes that ECR has sent the manifest of an image. Called for every answer of ECR.
function notePull(r) {
    const digest = r.headersOut['Docker-Content-Digest'];
    if (r.method === 'GET' && r.status === 200 && digest) {
        const image = `/${r.variables.ecr_host}${r.variables.ecr_path.replace(/[^/]+$/, digest)}`;
        ngx.shared.image_pulls.set(image, Date.now());
        ngx.shared.images_missing.delete(image);
        ngx.shared.images_denied.delete(image);
    }
}

// The answer for an image: '' when ECR has it, or does not answer; 'missing' when ECR does not have it, for the time that it
// is still served; then 'deleted'.
function state(missingSince, nowMs, servedMs) {
    if (missingSince === undefined) {
        return '';
    }
    return Math.max(0, nowMs - missingSince) < servedMs ? 'missing' : 'deleted';
}

// Whether ECR has sent an image to this pod.
function isKnown(image) {
    return ngx.shared.image_pulls.has(image) || ngx.shared.images_missing.has(image);
}

// Answers with the seconds for which nginx may cache the answer, and notes that it is time to ask ECR. 401 refuses the image.
// A manifest that is not cached has no other state: a client could make up any number of them.
async function image_state(r) {
    const image = r.uri;
    if (hints.isGone(image)) {
        r.headersOut['X-Accel-Expires'] = String(GONE_SECONDS);
        r.return(401, 'gone');
        return;
    }
    const cached = await r.subrequest(`/-/cached/${image.slice(image.lastIndexOf('/') + 1)}`, { method: 'HEAD' });
    if (cached.status !== 200) {
        r.return(404);
        return;
    }
    const pulled = past(ngx.shared.image_pulls.get(image));
    const asked = past(ngx.shared.images_asked.get(image));
    const now = Date.now();
    const freshSeconds = Number(r.variables.revalidate_seconds) - Math.floor((now - pulled) / 1000);
    if (freshSeconds > 0) {
        answer(r, '', freshSeconds);
        return;
    }
    if (asked === undefined) {
        enqueue(image, now);
    }
    const servedMs = Number(r.variables.deleted_seconds) * 1000;
    const found = ngx.shared.images_denied.has(image)
        ? 'deleted' : state(ngx.shared.images_missing.get(image), now, servedMs);
    answer(r, found, cachedSeconds(now - (asked || now), Number(r.variables.retry_seconds)));
}

// A time that was noted, or undefined when it is in the future: then the clock was set back.
function past(notedMs) {
    return notedMs <= Date.now() ? notedMs : undefined;
}

// How long an answer is cached that was given so long after ECR was asked; 0 for an image that waits.
function cachedSeconds(askedMsAgo, retrySeconds) {
    const rest = Math.max(1, retrySeconds - Math.floor(askedMsAgo / 1000));
    return askedMsAgo < PENDING_SECONDS * 1000 ? Math.min(PENDING_SECONDS, rest) : rest;
}

function answer(r, found, seconds) {
    r.headersOut['X-Accel-Expires'] = String(seconds);
    r.headersOut['X-Image-State'] = found;
    r.return(200);
}

function enqueue(image, nowMs) {
    if (ngx.shared.images_due.size() < (isKnown(image) ? LARGEST_QUEUE : LARGEST_QUEUE / 2)) {
        ngx.shared.images_due.add(image, nowMs);
    }
}

// Starts the next pull in a request of its own, since nginx ends a periodic function at its next turn.
async function ask_for_images(s) {
    request_counts.countTurn();
    if (ngx.shared.images_due.size() === 0 || ngx.shared.images_running.has('pull')) {
        return;
    }
    try {
        await ngx.fetch(`${s.variables.fetch_url}/-/ask-for-image`);
    } catch (e) {
        ngx.log(ngx.WARN, `the next revalidation could not start: ${e.message}`);
    }
}

// Answers at once, and then asks for the image that has waited longest. One pull runs at a time in this pod.
async function ask_for_image(r) {
    r.return(204);
    const waiting = ngx.shared.images_due.items(LARGEST_QUEUE);
    if (waiting.length === 0 || !ngx.shared.images_running.add('pull', 1)) {
        return;
    }
    const image = waiting.reduce((first, item) => item[1] < first[1] ? item : first)[0];
    // In this order: else a request in the other worker would let it wait again.
    ngx.shared.images_asked.set(image, Date.now());
    ngx.shared.images_due.delete(image);
    if (!hints.isGone(image)) {
        await askEcr(image, r.variables.fetch_url);
    }
    ngx.shared.images_running.delete('pull');
}

// Asks ECR. Only its 404 says anything about the image; `notePull` has noted a 200.
async function askEcr(image, url) {
    try {
        const reply = await ngx.fetch(`${url}/-/revalidate${image}`, { method: 'HEAD' });
        if (reply.status === 404) {
            noteMissing(image);
        }
    } catch (e) {
        ngx.log(ngx.WARN, `the revalidation of ${image} failed: ${e.message}`);
    }
}

// An image that ECR has never sent to this pod is refused at once, without a word: a client may have made up its repository.
function noteMissing(image) {
    if (hints.isGone(image)) {
        return;
    }
    if (!isKnown(image)) {
        ngx.shared.images_denied.set(image, 1);
        return;
    }
    const since = ngx.shared.images_missing.get(image);
    if (since === undefined) {
        ngx.shared.counters.incr('missing_images_found', 1, 0);
    }
    ngx.shared.images_missing.set(image, past(since) || Date.now());
    ngx.log(ngx.ERR, `image_missing ${image}: ECR no longer has this image, which clients get from the cache`);
}

export default { ask_for_image, ask_for_images, cachedSeconds, image_state, notePull, state };
