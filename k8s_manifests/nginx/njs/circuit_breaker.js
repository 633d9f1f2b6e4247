// A circuit breaker for one upstream. Closed: requests go to the upstream. Open: they are answered at once, until a time.
// Half-open, after that time: one request at a time is the probe, the others are still answered at once.
//
// It depends on nothing but its argument, a circuit: { name, store, now, deadlineMs, pauseSeconds, failuresToOpen }.
//   name          of the upstream, the prefix of its keys in the store
//   store         a shared dictionary of nginx (all workers see the same state), or in tests an object with its methods
//   now           a function that returns the time in milliseconds
//   deadlineMs    the longest time that a request to the upstream takes
//   pauseSeconds  how long the circuit stays open after failures, and how long a probe without an answer keeps others waiting
//   failuresToOpen  failures in a row that open the circuit, counted over all requests to one upstream

// An upstream that throttles may ask for hours. ECR's limits are rates per second, so a minute is enough:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
const LONGEST_OPEN_SECONDS = 60;

function key(circuit, field) {
    return `${circuit.name} ${field}`;
}

function get(circuit, field) {
    return circuit.store.get(key(circuit, field));
}

function forget(circuit, fields) {
    fields.forEach(field => circuit.store.delete(key(circuit, field)));
}

// After this time a failure no longer counts, and a half-open circuit without a probe closes: a registry whose content is
// all in the cache gets few requests. It is longer than one client needs for two failures, one after the other.
function forgetAfterMs(circuit) {
    return 2 * circuit.deadlineMs;
}

// 'closed', 'open' or 'half-open'.
function state(circuit) {
    if (get(circuit, 'status') === undefined) {
        return 'closed';
    }
    // Without `until`, another worker is between the two writes of its first `open`.
    return get(circuit, 'until') === undefined || openMs(circuit) > 0 ? 'open' : 'half-open';
}

// How long the circuit is still open. A time further ahead than any is of a clock that was set back since: it counts as past.
function openMs(circuit) {
    const left = (get(circuit, 'until') || 0) - circuit.now();
    return left > LONGEST_OPEN_SECONDS * 1000 ? 0 : left;
}

// Decides whether a request may go to the upstream: { allowed, status, opening }.
//   status   where it may not: the status to answer with; of the probe, too
//   opening  to be handed to `record` with the outcome: names the last time the circuit opened or closed
function tryAcquire(circuit) {
    // `until` is read before `status`, which `open` writes first. A request that reads between these two writes carries
    // the previous opening, so its outcome does not count as that of the probe.
    const opening = String(get(circuit, 'until'));
    const status = get(circuit, 'status');
    const allowed = status === undefined || (state(circuit) !== 'open' && takeProbe(circuit));
    return { allowed, status, opening };
}

// The probe's place becomes free again after a pause without an outcome: an upstream that was silent may never answer it.
function takeProbe(circuit) {
    return circuit.store.add(key(circuit, 'probe'), 1, Math.min(circuit.pauseSeconds * 1000, circuit.deadlineMs));
}

// Records the outcome of a request that was allowed: 'succeeded', 'failed', 'throttled' (with the seconds that the
// upstream asks for) or 'unused' (the upstream was not asked after all).
function record(circuit, opening, outcome, throttledSeconds) {
    // The circuit has opened since this request was allowed: only the outcome of its own probe may change it.
    if (String(get(circuit, 'until')) !== opening) {
        return;
    }
    if (outcome === 'unused') {
        forget(circuit, ['probe']);
    } else if (outcome === 'succeeded') {
        close(circuit);
    } else if (outcome === 'throttled') {
        open(circuit, 429, throttledFor(circuit, throttledSeconds));
    } else if (state(circuit) !== 'closed' || countFailure(circuit) >= circuit.failuresToOpen) {
        open(circuit, 503, circuit.pauseSeconds);
    }
}

// How long an upstream is left alone that asks for so many seconds, or for none.
function throttledFor(circuit, seconds) {
    return Math.min(seconds || Math.min(circuit.pauseSeconds, 1), LONGEST_OPEN_SECONDS);
}

// Opens the circuit. `until` is never deleted: it names the last opening, or the closing after it.
function open(circuit, status, seconds) {
    const keptMs = seconds * 1000 + forgetAfterMs(circuit);
    circuit.store.set(key(circuit, 'since'), openSince(circuit) || circuit.now(), keptMs);
    circuit.store.set(key(circuit, 'status'), status, keptMs);
    circuit.store.set(key(circuit, 'until'), circuit.now() + seconds * 1000);
    forget(circuit, ['failures', 'probe']);
}

// Closes the circuit. If it was open, earlier probes may still be without an answer: a new `until` keeps them from counting.
function close(circuit) {
    if (get(circuit, 'status') !== undefined) {
        circuit.store.set(key(circuit, 'until'), circuit.now());
    }
    forget(circuit, ['status', 'since', 'failures', 'probe']);
}

// Since when the circuit is not closed, in milliseconds; undefined when it is.
function openSince(circuit) {
    return state(circuit) === 'closed' ? undefined : get(circuit, 'since');
}

// Whether it is the upstream that asks for fewer requests.
function isThrottled(circuit) {
    return get(circuit, 'status') === 429;
}

// Counts a failure, and returns how many there were in a row.
function countFailure(circuit) {
    const failures = key(circuit, 'failures');
    // `incr` alone would continue a count that has expired.
    circuit.store.add(failures, 0, forgetAfterMs(circuit));
    return circuit.store.incr(failures, 1, 0, forgetAfterMs(circuit));
}

// The seconds until the circuit becomes half-open: zero or less when it is not open.
function secondsUntilHalfOpen(circuit) {
    return Math.ceil(openMs(circuit) / 1000);
}

export default { isThrottled, openSince, record, secondsUntilHalfOpen, state, tryAcquire };
