// Bounds the memory that nginx holds for pulls of large blobs: a pull whose memory would not fit beside that of the others
// waits. Known clients have a share. docs/decisions/0022-large-blobs-in-pieces.md has the measurements.
//
// What is held is noted for each client and worker, by its process id: a worker that is killed takes its pulls with it.

const GIB = 1024 ** 3;

// A pull's memory grows by 0.57 to 0.63 MiB for each GiB, beside what it has from its beginning, and is free when it ends.
const MIB_FOR_EACH_GIB = 0.7;
const MIB_AT_FIRST = 0.5;

// Of the memory, and of the places for pulls that wait.
const SHARE = 1 / 2;

const STEP_MS = 500;

// Each pull that waits holds 182 KiB and four files. Its note is renewed in each step: a killed worker leaves it.
const MOST_WAITING = 100;
const NOTE_LASTS_MS = 5000;

// More than the zone holds.
const ALL = 10_000;

// What the pull of a blob, or of a part with both ends, holds at its end, in MiB. The range of its first slice names the size.
function needed_mib(r) {
    const bytes = Number(r.variables.upstream_http_content_range.split('/')[1]);
    const part = /^bytes=([0-9]+)-([0-9]+)$/.exec(r.headersIn['If-Range'] ? '' : r.headersIn.Range);
    const asked = part ? Math.min(bytes, Number(part[2]) + 1) - Number(part[1]) : bytes;
    return Math.ceil(MIB_AT_FIRST + asked / GIB * MIB_FOR_EACH_GIB);
}

// Notes what a pull needs until it ends, in MiB; '' when it has to wait. nginx may ask several times.
function hold_memory(r) {
    if (Number(r.variables.held_mib) > 0) {
        return r.variables.held_mib;
    }
    r.variables.held_mib = '0';
    const id = r.variables.request_id;
    const pull = waitingPull(id) || newPull(r.variables.client_network, r.variables.needed_mib);
    if (!mayBegin(r, pull)) {
        return '';
    }
    ngx.shared.large_pulls.incr(noteOf(pull.client), pull.mib, 0);
    ngx.shared.large_pulls_waiting.delete(id);
    ngx.shared.large_pulls_pieces.set(id, Date.now());
    r.variables.held_mib = String(pull.mib);
    return r.variables.held_mib;
}

// Called when nginx logs a pull that held memory, or waited for it: its client may have left.
function free_memory(r) {
    const note = noteOf(r.variables.client_network);
    if (ngx.shared.large_pulls.incr(note, -Number(r.variables.held_mib), 0) === 0) {
        ngx.shared.large_pulls.delete(note);
    }
    ngx.shared.large_pulls_waiting.delete(r.variables.request_id);
    ngx.shared.large_pulls_pieces.delete(r.variables.request_id);
    return '';
}

// Answers with the way to the location that holds the memory, as soon as it is the turn of this pull; with 503 when it is not in
// time, or when too many wait. njs does not notice that a client has left; then the note is missing.
async function wait_for_memory(r) {
    const waiting = ngx.shared.large_pulls_waiting;
    const id = r.headersIn['X-Request-Id'];
    let pull = waitingPull(id);
    if (!pull) {
        pull = newPull(r.args.client, r.uri.slice('/-/memory/'.length));
        if (!hasPlace(pull)) {
            r.return(503);
            return;
        }
        const held = heldMib();
        r.warn(`a pull waits: it needs ${pull.mib} MiB, and pulls of large blobs hold ${held.all} of ` +
            `${r.variables.memory_for_large_pulls_mib} MiB, those of its client ${held.byClient[pull.client] || 0} MiB`);
    }
    do {
        waiting.set(id, JSON.stringify(pull), NOTE_LASTS_MS);
        await new Promise(resolve => setTimeout(resolve, STEP_MS));
        if (!waiting.has(id) || Date.now() >= pull.sinceMs + r.variables.memory_wait_seconds * 1000) {
            r.return(503);
            return;
        }
    } while (!mayBegin(r, pull));
    r.headersOut['X-Accel-Redirect'] = '@bounded';
    r.return(200);
}

// '1' when a client that pulls a large blob has taken too long for its last piece, and the memory is needed: the pull then ends
// here, and its client may continue it. `pieces` asks once for each piece.
function is_too_slow(r) {
    const pieces = ngx.shared.large_pulls_pieces;
    const id = r.headersIn['X-Request-Id'];
    const previousMs = pieces.get(id);
    if (previousMs === undefined) {
        return '';
    }
    const nowMs = Date.now();
    pieces.set(id, nowMs);
    const isSlow = nowMs - previousMs > r.variables.slow_piece_seconds * 1000;
    return isSlow && heldMib().all > limitMib(r) / 2 ? '1' : '';
}

// A pull's client is '' where it is unknown.
function newPull(client, mib) {
    return { client: client || '', mib: Number(mib), sinceMs: Date.now() };
}

function waitingPull(id) {
    const note = ngx.shared.large_pulls_waiting.get(id);
    return note ? JSON.parse(note) : null;
}

function waitingPulls() {
    return ngx.shared.large_pulls_waiting.items(ALL).map(item => JSON.parse(item[1]));
}

function hasPlace(pull) {
    const others = waitingPulls();
    const own = others.filter(other => other.client !== '' && other.client === pull.client);
    return others.length < MOST_WAITING && own.length < MOST_WAITING * SHARE;
}

// Whether a pull fits, and none that waits for longer has the first claim: those that wait only for their client's share do not
// hold up others. A pull without another beside it always fits, however small the memory limit is.
function mayBegin(r, pull) {
    const limit = limitMib(r);
    const held = heldMib();
    return (held.all === 0 || held.all + pull.mib <= limit) && isInShare(pull, held, limit) &&
        !waitingPulls().some(other => other.sinceMs < pull.sinceMs && isInShare(other, held, limit));
}

// A client's only pull is, whatever it needs.
function isInShare(pull, held, limit) {
    const own = held.byClient[pull.client] || 0;
    return pull.client === '' || own === 0 || own + pull.mib <= limit * SHARE;
}

function limitMib(r) {
    return Number(r.variables.memory_for_large_pulls_mib);
}

// What pulls of large blobs hold, in MiB: all of them, and those of each client.
function heldMib() {
    const held = { all: 0, byClient: {} };
    ngx.shared.large_pulls.items(ALL).forEach(note => {
        const words = note[0].split(' ');
        if (!lives(Number(words[0]))) {
            ngx.shared.large_pulls.delete(note[0]);
            return;
        }
        held.all += note[1];
        held.byClient[words[1]] = (held.byClient[words[1]] || 0) + note[1];
    });
    return held;
}

function noteOf(client) {
    return `${process.pid} ${client || ''}`;
}

function lives(worker) {
    try {
        process.kill(worker, 0);
        return true;
    } catch (_e) {
        return false;
    }
}

export default { needed_mib, hold_memory, free_memory, is_too_slow, wait_for_memory };
