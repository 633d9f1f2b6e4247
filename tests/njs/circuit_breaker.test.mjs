// The circuit breaker over a store in memory and a clock that the test moves.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import breaker from '../../k8s_manifests/nginx/njs/circuit_breaker.js';
import { Store } from './store.mjs';

const DEADLINE_MS = 24_000;

let now;
let store;
let circuit;

beforeEach(() => {
    now = 1_000_000;
    store = new Store(() => now);
    circuit = { name: 'ecr', store, now: () => now, deadlineMs: DEADLINE_MS, pauseSeconds: 5, failuresToOpen: 3 };
});

function finish(outcome, throttledSeconds) {
    const permit = breaker.tryAcquire(circuit);
    assert.ok(permit.allowed);
    breaker.record(circuit, permit.opening, outcome, throttledSeconds);
}

function openByFailures() {
    ['failed', 'failed', 'failed'].forEach(outcome => finish(outcome));
}

test('a new circuit is closed and allows every request', () => {
    assert.equal(breaker.state(circuit), 'closed');
    assert.ok(breaker.tryAcquire(circuit).allowed);
    assert.ok(breaker.tryAcquire(circuit).allowed);
});

test('three failures in a row open the circuit for the pause, with 503', () => {
    finish('failed');
    finish('failed');
    assert.equal(breaker.state(circuit), 'closed');
    finish('failed');
    assert.equal(breaker.state(circuit), 'open');
    const { allowed, status } = breaker.tryAcquire(circuit);
    assert.deepEqual({ allowed, status }, { allowed: false, status: 503 });
    assert.equal(breaker.secondsUntilHalfOpen(circuit), 5);
});

test('where one failure is enough, the first one opens the circuit', () => {
    circuit.failuresToOpen = 1;
    finish('failed');
    assert.equal(breaker.state(circuit), 'open');
});

test('a circuit is not closed since it opened first, through all probes that fail', () => {
    assert.equal(breaker.openSince(circuit), undefined);
    openByFailures();
    const first = now;
    for (let probes = 0; probes < 1000; probes++) {
        now += 6000;
        finish('failed');
        assert.equal(breaker.openSince(circuit), first);
    }
    now += 6000;
    finish('succeeded');
    assert.equal(breaker.openSince(circuit), undefined);
    openByFailures();
    assert.equal(breaker.openSince(circuit), now);
});

test('a circuit without a probe is closed again, and opens anew', () => {
    openByFailures();
    now += 5000 + 2 * DEADLINE_MS;
    assert.equal(breaker.openSince(circuit), undefined);
    openByFailures();
    assert.equal(breaker.openSince(circuit), now);
});

test('a success between failures starts the count again', () => {
    ['failed', 'failed', 'succeeded', 'failed', 'failed'].forEach(outcome => finish(outcome));
    assert.equal(breaker.state(circuit), 'closed');
});

test('failures that lie further apart than twice the deadline are not in a row', () => {
    finish('failed');
    finish('failed');
    now += 2 * DEADLINE_MS;
    finish('failed');
    assert.equal(breaker.state(circuit), 'closed');
});

for (const [asked, seconds, pauseSeconds] of [[7, 7, 5], [3600, 60, 5], [NaN, 1, 5], [0, 0.5, 0.5]]) {
    test(`throttling with Retry-After ${asked} opens the circuit for ${seconds} s, with 429`, () => {
        circuit.pauseSeconds = pauseSeconds;
        finish('throttled', asked);
        assert.equal(breaker.tryAcquire(circuit).status, 429);
        now += seconds * 1000 - 1;
        assert.equal(breaker.state(circuit), 'open');
        now += 1;
        assert.equal(breaker.state(circuit), 'half-open');
    });
}

test('a circuit is half-open after the clock was set back, and closes by its probe', () => {
    openByFailures();
    now -= 3_600_000;
    assert.equal(breaker.state(circuit), 'half-open');
    assert.equal(breaker.secondsUntilHalfOpen(circuit), 0);
    finish('succeeded');
    assert.equal(breaker.state(circuit), 'closed');
});

test('a half-open circuit allows one probe', () => {
    openByFailures();
    now += 5000;
    assert.ok(breaker.tryAcquire(circuit).allowed);
    assert.ok(!breaker.tryAcquire(circuit).allowed);
});

for (const [pauseSeconds, afterMs] of [[5, 5000], [60, DEADLINE_MS]]) {
    test(`a probe without an outcome makes room for another after ${afterMs} ms`, () => {
        circuit.pauseSeconds = pauseSeconds;
        openByFailures();
        now += pauseSeconds * 1000;
        assert.ok(breaker.tryAcquire(circuit).allowed);
        now += afterMs - 1;
        assert.ok(!breaker.tryAcquire(circuit).allowed);
        now += 1;
        assert.ok(breaker.tryAcquire(circuit).allowed);
    });
}

test('probes that an upstream left without an answer do not count when it answers again', () => {
    openByFailures();
    const lost = [1, 2, 3].map(() => {
        now += 5000;
        return breaker.tryAcquire(circuit);
    });
    now += 5000;
    finish('succeeded');
    lost.forEach(permit => {
        assert.ok(permit.allowed);
        breaker.record(circuit, permit.opening, 'failed');
    });
    assert.equal(breaker.state(circuit), 'closed');
});

test('a probe that was not used makes room for another at once', () => {
    openByFailures();
    now += 5000;
    finish('unused');
    assert.ok(breaker.tryAcquire(circuit).allowed);
});

test('a successful probe closes the circuit, and older failures no longer count', () => {
    openByFailures();
    now += 5000;
    finish('succeeded');
    assert.equal(breaker.state(circuit), 'closed');
    finish('failed');
    finish('failed');
    assert.equal(breaker.state(circuit), 'closed');
});

test('one failed probe opens the circuit again', () => {
    openByFailures();
    now += 5000;
    finish('failed');
    assert.equal(breaker.state(circuit), 'open');
    assert.equal(breaker.secondsUntilHalfOpen(circuit), 5);
});

for (const outcome of ['succeeded', 'failed', 'throttled', 'unused']) {
    test(`an outcome (${outcome}) of a request from before the opening changes nothing`, () => {
        const early = breaker.tryAcquire(circuit);
        openByFailures();
        now += 5000;
        assert.ok(breaker.tryAcquire(circuit).allowed);
        breaker.record(circuit, early.opening, outcome, 30);
        assert.equal(breaker.state(circuit), 'half-open');
        assert.ok(!breaker.tryAcquire(circuit).allowed, 'the probe keeps its place');
    });
}

test('a half-open circuit without a probe closes after twice the deadline', () => {
    openByFailures();
    now += 5000 + 2 * DEADLINE_MS;
    assert.equal(breaker.state(circuit), 'closed');
});

test('a circuit is open to a request that reads between the two writes of its first opening', () => {
    const set = store.set.bind(store);
    const seen = [];
    store.set = (key, ...rest) => {
        if (key === 'ecr until') {
            seen.push(breaker.state(circuit), breaker.tryAcquire(circuit).allowed);
        }
        return set(key, ...rest);
    };
    openByFailures();
    assert.deepEqual(seen, ['open', false]);
});

test('the circuits of two upstreams are separate', () => {
    openByFailures();
    assert.equal(breaker.state({ ...circuit, name: 'other' }), 'closed');
});
