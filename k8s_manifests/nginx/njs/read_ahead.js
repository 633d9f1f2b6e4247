// Reads ahead: fetches the next slices of a large blob into the cache, in parallel, before its reader comes to them.
// docs/decisions/0019-read-ahead.md has the reasons and the measurements.
//
// The reader itself shows how far it is: it finds most slices in the cache, where no code of this proxy runs, and misses
// the few that are left out on purpose. The first of these in a window starts the next window.

import cache_disk from './cache_disk.js';

// Slices of the first window, and of the largest. A window doubles while its reader is quick, and halves when it is slow.
const FIRST_WINDOW = 8;
const LARGEST_WINDOW = 64;
const QUICK_MS = 2000;
const SLOW_MS = 8000;

// A reader that comes to a slice while it is fetched waits for nginx's next look at the lock, up to 500 ms. So it reads slices
// itself while the first ones of a window are fetched: this many, with the missed one, when it has just begun, ...
const LEFT_TO_NEW_READER = 3;
// ... and in each window, before the next.
const LEFT_IN_WINDOW = 2;

// Fetches at the same time: for one window, and in this pod. Each takes five connections of nginx.
const PARALLEL = 12;
const LARGEST_IN_FLIGHT = 48;
const WAIT_MS = 20;

// Notes the size of a blob that S3 has answered for. Called for every slice that is fetched.
function noteSize(r) {
    const range = /^bytes \d+-\d+\/(\d+)$/.exec(r.variables.upstream_http_content_range || '');
    if (range) {
        ngx.shared.read_ahead.set(`${r.variables.digest} bytes`, Number(range[1]));
    }
}

// The slices to fetch when a reader has missed one: { from, to, left, ... }, or null.
// `left` is the first of those that are not fetched: its miss shows how far the reader is.
//   missed    the number of the missed slice
//   last      the number of the blob's last slice
//   previous  what this function returned at the reader's previous miss, with `atMs`; or null
//   ended     whether the previous window has ended early: this reader comes to slices that it lacks
//   nowMs     the time
function plan(missed, last, previous, ended, nowMs) {
    let size = FIRST_WINDOW;
    let from = missed + LEFT_TO_NEW_READER;
    const follows = previous && missed > previous.to - previous.size && missed <= previous.to + LEFT_TO_NEW_READER;
    if (follows && ended) {
        size = previous.size;
    } else if (follows) {
        if (missed < previous.left) {
            return null;
        }
        const elapsed = nowMs - previous.atMs;
        size = previous.size;
        if (elapsed < QUICK_MS) {
            size = Math.min(size * 2, LARGEST_WINDOW);
        } else if (elapsed > SLOW_MS) {
            size = Math.max(size / 2, FIRST_WINDOW);
        }
        from = Math.max(from, previous.to + 1);
    }
    const to = Math.min(missed + size, last);
    return from > to ? null : { from, to, size, left: missed + size * 3 / 4, atMs: nowMs };
}

// Answers at once, and then fetches the window that a miss starts. The request comes from the server `layers`, with the
// missed slice in `Range`.
async function read_ahead(r) {
    r.return(204);
    // What cannot be stored would be fetched for nothing.
    if (cache_disk.cache_disk_failed()) {
        return;
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(r.headersIn.Range || '');
    const path = r.uri.slice('/-/read-ahead'.length);
    const digest = path.slice(path.lastIndexOf('/') + 1);
    const bytes = ngx.shared.read_ahead.get(`${digest} bytes`);
    if (!range || bytes === undefined) {
        return;
    }
    const slice = {
        bytes: range[2] - range[1] + 1, path, blob: bytes, url: `${r.variables.fetch_url}${path}`,
    };
    const missed = range[1] / slice.bytes;
    const previous = lastWindow(digest);
    const ended = previous !== null && readerHasLeft(previous);
    const window = plan(missed, Math.ceil(bytes / slice.bytes) - 1, previous, ended, Date.now());
    if (window) {
        window.reader = r.headersIn['X-Request-Id'];
        ngx.shared.read_ahead_windows.set(digest, JSON.stringify(window));
        await fetchWindow(slice, window, digest);
    }
}

// The window that was started last for a blob, or null.
function lastWindow(digest) {
    const window = ngx.shared.read_ahead_windows.get(digest);
    return window ? JSON.parse(window) : null;
}

function readerHasLeft(window) {
    return ngx.shared.read_ahead_left.has(window.reader);
}

// Notes that a client has left before it had all of a blob. The last window of its blob ends, unless another reader has
// started it.
function reader_left(r) {
    if (r.variables.digest) {
        ngx.shared.read_ahead_left.set(r.variables.request_id, 1);
    }
    return '';
}

async function fetchWindow(slice, window, digest) {
    let next = window.from;
    async function fetchInTurn() {
        while (next <= window.to && !readerHasLeft(lastWindow(digest) || window)) {
            if (ngx.shared.read_ahead_in_flight.size() >= LARGEST_IN_FLIGHT) {
                await new Promise(resolve => setTimeout(resolve, WAIT_MS));
                continue;
            }
            const number = next;
            next += 1;
            if (number < window.left || number >= window.left + LEFT_IN_WINDOW) {
                await fetchSlice(slice, number);
            }
        }
    }
    await Promise.all(Array(PARALLEL).fill(0).map(fetchInTurn));
}

// Fetches one slice into the cache, by asking for its last byte.
async function fetchSlice(slice, number) {
    const last = Math.min((number + 1) * slice.bytes, slice.blob) - 1;
    const key = `${slice.path} ${number}`;
    ngx.shared.read_ahead_in_flight.set(key, 1);
    try {
        const reply = await ngx.fetch(slice.url, { headers: { Range: `bytes=${last}-${last}` } });
        await reply.arrayBuffer();
    } catch (e) {
        ngx.log(ngx.WARN, `read-ahead of slice ${number} of ${slice.path} failed: ${e.message}`);
    }
    ngx.shared.read_ahead_in_flight.delete(key);
}

export default { noteSize, plan, read_ahead, reader_left };
