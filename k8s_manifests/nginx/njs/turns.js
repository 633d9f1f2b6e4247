// Lets the pulls of very large blobs wait, so that what nginx holds for them stays bounded
// (docs/decisions/0022-large-blobs-in-pieces.md).
//
// nginx counts these pulls itself (`limit_conn`), so a client that goes away frees its turn. Each worker counts its own, by its
// process id: a worker that is killed takes its count with it. njs cannot read a count, so it asks a location with the same limit.

const STEP_MS = 500;

// Answers with the way to the location that sends the blob, as soon as the worker whose process id ends the path has a free
// turn; with 503 when none gets free in time.
async function wait_for_turn(r) {
    const worker = r.uri.slice('/-/turn/'.length);
    const endsAtMs = Date.now() + r.variables.turn_seconds * 1000;
    while (!(await isFree(r, worker))) {
        if (Date.now() >= endsAtMs) {
            r.return(503);
            return;
        }
        await new Promise(resolve => setTimeout(resolve, STEP_MS));
    }
    r.headersOut['X-Accel-Redirect'] = '@large';
    r.return(200);
}

// One pull at a time asks. Before the next may ask, nginx has counted it.
async function isFree(r, worker) {
    if (!ngx.shared.turns.add(worker, 1, STEP_MS)) {
        return false;
    }
    const reply = await ngx.fetch(`${r.variables.fetch_url}/-/free-turn/${worker}`);
    return reply.status === 204;
}

export default { wait_for_turn };
