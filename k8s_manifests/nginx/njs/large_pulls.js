// Bounds the memory that nginx holds for pulls of large blobs: a pull whose memory would not fit beside that of the others
// waits. docs/decisions/0022-large-blobs-in-pieces.md has the measurements.
//
// What is held is noted for each worker, by its process id: a worker that is killed takes its pulls with it.

const GIB = 1024 ** 3;

// A pull's memory grows by 0.57 to 0.63 MiB for each GiB, beside what it has from its begin, and is free when it ends.
const MIB_FOR_EACH_GIB = 0.7;
const MIB_AT_FIRST = 0.5;

const STEP_MS = 500;

// Each pull that waits holds 182 KiB and four files. Its note is renewed in each step, and expires when its client has left.
const MOST_WAITING = 100;
const NOTE_LASTS_MS = 2000;

// What the pull of a blob, or of a part with both ends, holds at its end, in MiB. The range of its first slice names the size.
function needed_mib(r) {
    const bytes = Number(r.variables.upstream_http_content_range.split('/')[1]);
    const part = /^bytes=([0-9]+)-([0-9]+)$/.exec(r.headersIn['If-Range'] ? '' : r.headersIn.Range);
    const asked = part ? Math.min(bytes, Number(part[2]) + 1) - Number(part[1]) : bytes;
    return Math.ceil(MIB_AT_FIRST + asked / GIB * MIB_FOR_EACH_GIB);
}

// Notes what a pull needs until it ends, in MiB; '' when it does not fit, and has to wait. nginx may ask several times.
function hold_memory(r) {
    if (r.variables.held_mib) {
        return r.variables.held_mib;
    }
    const needed = Number(r.variables.needed_mib);
    if (!fits(r, needed)) {
        return '';
    }
    ngx.shared.large_pulls.incr(String(process.pid), needed, 0);
    r.variables.held_mib = String(needed);
    return r.variables.held_mib;
}

// Called when nginx logs a pull for which memory was held.
function free_memory(r) {
    ngx.shared.large_pulls.incr(String(process.pid), -Number(r.variables.held_mib), 0);
    return '';
}

// Answers with the way to the location that holds the memory, as soon as what the path names fits; with 503 when it does not in
// time, or when too many wait.
async function wait_for_memory(r) {
    const waiting = ngx.shared.large_pulls_waiting;
    const needed = Number(r.uri.slice('/-/memory/'.length));
    const endsAtMs = Date.now() + r.variables.memory_wait_seconds * 1000;
    if (!fits(r, needed)) {
        r.warn(`a pull waits: it needs ${needed} MiB, and pulls of large blobs hold ${held_mib()} of ` +
            `${r.variables.memory_for_large_pulls_mib} MiB`);
    }
    while (!fits(r, needed)) {
        const isCounted = waiting.has(r.variables.request_id);
        if (Date.now() >= endsAtMs || (!isCounted && waiting.size() >= MOST_WAITING)) {
            waiting.delete(r.variables.request_id);
            r.return(503);
            return;
        }
        waiting.set(r.variables.request_id, 1, NOTE_LASTS_MS);
        await new Promise(resolve => setTimeout(resolve, STEP_MS));
    }
    waiting.delete(r.variables.request_id);
    r.headersOut['X-Accel-Redirect'] = '@bounded';
    r.return(200);
}

// A pull without another beside it always fits, however small the memory limit is.
function fits(r, needed) {
    const held = held_mib();
    return held === 0 || held + needed <= Number(r.variables.memory_for_large_pulls_mib);
}

function held_mib() {
    const held = ngx.shared.large_pulls;
    return held.keys().reduce((sum, worker) => {
        if (!lives(Number(worker))) {
            held.delete(worker);
        }
        return sum + (held.get(worker) || 0);
    }, 0);
}

function lives(worker) {
    try {
        process.kill(worker, 0);
        return true;
    } catch (_e) {
        return false;
    }
}

export default { needed_mib, hold_memory, free_memory, wait_for_memory };
