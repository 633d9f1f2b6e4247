// Knows what ECR last said of an image that clients get from the cache, and asks ECR for it again about once a day: by a GET,
// which ECR counts as a pull. docs/decisions/0026-manifests-are-revalidated.md has the reasons.
//
// An image is the path of its manifest, /<ECR host>/v2/<repository>/manifests/<digest>. nginx caches the answers of
// `image_state`, so no code runs for most cache hits.

// Requests at the same time in this pod, and how many images may wait for their turn: a client can name a cached digest in
// any repository that is allowed, and each of these images is asked for.
const PARALLEL = 1;
const LARGEST_QUEUE = 1000;
const WAIT_MS = 50;

// How long the last state is cached while ECR is asked: most answers come within this time.
const PENDING_SECONDS = 5;

// Notes that ECR has sent the manifest of an image. Called for every answer of ECR.
function note_pull(r) {
    const digest = r.headersOut['Docker-Content-Digest'];
    if (r.method === 'GET' && r.status === 200 && digest) {
        const image = `/${r.variables.ecr_host}${r.variables.ecr_path.replace(/[^/]+$/, digest)}`;
        ngx.shared.image_pulls.set(image, Date.now());
        ngx.shared.images_missing.delete(image);
    }
}

// The answer for an image: '' when ECR has it, or does not answer; 'missing' when ECR does not have it, for the time that it
// is still served; then 'deleted'.
function state(missing_since, now_ms, served_ms) {
    if (missing_since === undefined) {
        return '';
    }
    return now_ms - missing_since < served_ms ? 'missing' : 'deleted';
}

// Answers at once, with the seconds for which nginx may cache the answer, and then asks ECR if it is time.
// A manifest that is not cached has no state: a client could make up any number of them.
async function image_state(r) {
    const image = r.uri;
    const cached = await r.subrequest(`/-/cached/${image.slice(image.lastIndexOf('/') + 1)}`, { method: 'HEAD' });
    if (cached.status !== 200) {
        r.return(404);
        return;
    }
    const pulled = ngx.shared.image_pulls.get(image);
    if (pulled !== undefined) {
        const age = Math.floor((Date.now() - pulled) / 1000);
        answer(r, '', Math.max(1, Number(r.variables.revalidate_seconds) - age));
        return;
    }
    const now = Date.now();
    const due = ngx.shared.images_asked.add(image, now);
    const served_ms = Number(r.variables.deleted_seconds) * 1000;
    const seconds = cachedSeconds(now - ngx.shared.images_asked.get(image), Number(r.variables.retry_seconds));
    answer(r, state(ngx.shared.images_missing.get(image), now, served_ms), seconds);
    if (due) {
        await askInTurn(image, r.variables.fetch_url);
    }
}

// How long an answer is cached that was given so long after ECR was asked.
function cachedSeconds(asked_ms_ago, retry_seconds) {
    return asked_ms_ago < PENDING_SECONDS * 1000 ? Math.min(PENDING_SECONDS, retry_seconds) : retry_seconds;
}

function answer(r, found, seconds) {
    r.headersOut['X-Accel-Expires'] = String(seconds);
    r.headersOut['X-Image-State'] = found;
    r.return(200);
}

async function askInTurn(image, url) {
    const waiting = ngx.shared.images_waiting;
    if (waiting.size() >= LARGEST_QUEUE) {
        return;
    }
    waiting.set(image, 1);
    while (ngx.shared.images_in_flight.size() >= PARALLEL) {
        await new Promise(resolve => setTimeout(resolve, WAIT_MS));
    }
    waiting.delete(image);
    ngx.shared.images_in_flight.set(image, 1);
    await askEcr(image, url);
    ngx.shared.images_in_flight.delete(image);
}

// Asks ECR. Only its 404 says anything about the image; `note_pull` has noted a 200.
async function askEcr(image, url) {
    try {
        const reply = await ngx.fetch(`${url}/-/revalidate${image}`, { method: 'HEAD' });
        if (reply.status === 404) {
            const since = ngx.shared.images_missing.get(image);
            if (since === undefined) {
                ngx.shared.counters.incr('missing_images_found', 1, 0);
            }
            ngx.shared.images_missing.set(image, since || Date.now());
            ngx.log(ngx.ERR, `image_missing ${image}: ECR no longer has this image, which clients get from the cache`);
        }
    } catch (e) {
        ngx.log(ngx.WARN, `the revalidation of ${image} failed: ${e.message}`);
    }
}

export default { cachedSeconds, image_state, note_pull, state };
