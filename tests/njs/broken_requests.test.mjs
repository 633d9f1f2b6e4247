// One request that a registry fails, again and again, over a circuit breaker that the first failure opens.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import broken_requests from '../../k8s_manifests/nginx/njs/broken_requests.js';
import breaker from '../../k8s_manifests/nginx/njs/circuit_breaker.js';
import { Store } from './store.mjs';

const [BROKEN, GOOD] = ['broken', 'good'].map(name => `/host/v2/team/app/manifests/${name}`);
const BLOB = `/host/v2/team/app/blobs/sha256:${'a'.repeat(64)}`;

// In a full zone, njs may free the entry whose text it overwrites.
class StoreWithoutUpdates extends Store {
    set(key, value, ttlMs) {
        assert.ok(!this.has(key), `${key} is overwritten`);
        return super.set(key, value, ttlMs);
    }
}

let now;
let circuit;

beforeEach(() => {
    now = 1_000_000;
    const store = () => new Store(() => now);
    globalThis.ngx = { shared: { circuit_requests: new StoreWithoutUpdates(() => now) } };
    circuit = { name: 'host', store: store(), now: () => now, deadlineMs: 24_000, pauseSeconds: 0.5, failuresToOpen: 1 };
});

function finish(outcome, path) {
    const permit = breaker.tryAcquire(circuit);
    assert.ok(permit.allowed);
    broken_requests.recordForPath(circuit, permit.opening, outcome, path);
}

// The circuit opens by a failure of one path, and closes by a probe of another one.
function openAndClose(opener, probe) {
    finish('failed', opener);
    assert.equal(breaker.state(circuit), 'open');
    now += 500;
    finish('succeeded', probe);
    assert.equal(breaker.state(circuit), 'closed');
}

test('a path that fails while another one is answered does not open the circuit again for a minute', () => {
    openAndClose(BROKEN, GOOD);
    for (let second = 0; second < 59; second += 1) {
        finish('failed', BROKEN);
        assert.equal(breaker.state(circuit), 'closed');
        now += 1000;
    }
    now += 1000;
    finish('failed', BROKEN);
    assert.equal(breaker.state(circuit), 'open');
});

test('a registry that is back after an outage is asked for the path that failed first', () => {
    openAndClose(BROKEN, GOOD);
    assert.ok(!broken_requests.isShut(circuit, BROKEN));
});

test('the registry is not asked for a path that fails again for a minute, and for others it is', () => {
    openAndClose(BROKEN, GOOD);
    finish('failed', BROKEN);
    assert.ok(!broken_requests.isShut(circuit, GOOD));
    now += 59_999;
    assert.ok(broken_requests.isShut(circuit, BROKEN));
    now += 1;
    assert.ok(!broken_requests.isShut(circuit, BROKEN));
});

test('of the requests for such a path one in a pause is copied', () => {
    openAndClose(BROKEN, GOOD);
    const taken = [0, 0, 499, 1].map(passed => {
        now += passed;
        return broken_requests.takeCopy(circuit, BROKEN);
    });
    assert.deepEqual(taken, [true, false, false, true]);
    assert.ok(broken_requests.takeCopy(circuit, BLOB));
});

test('the registry is asked for such a path while it answers copies, and each failure ends that without opening the circuit', () => {
    openAndClose(BROKEN, GOOD);
    for (let time = 0; time < 3; time += 1) {
        finish('failed', BROKEN);
        assert.ok(broken_requests.isShut(circuit, BROKEN));
        assert.equal(breaker.state(circuit), 'closed');
        finish('succeeded', BROKEN);
        assert.ok(!broken_requests.isShut(circuit, BROKEN));
    }
});

test('many such paths are each ignored', () => {
    const paths = Array.from({ length: 80 }, (_, number) => `${BROKEN}${number}`);
    paths.forEach(path => openAndClose(path, GOOD));
    paths.forEach(path => finish('failed', path));
    assert.equal(breaker.state(circuit), 'closed');
});

test('other paths still open the circuit at once', () => {
    openAndClose(BROKEN, GOOD);
    finish('failed', GOOD);
    assert.equal(breaker.state(circuit), 'open');
});

test('a path that is answered itself once the registry is back is not ignored', () => {
    openAndClose(GOOD, GOOD);
    finish('failed', GOOD);
    assert.equal(breaker.state(circuit), 'open');
});

test('a path that was ignored is not the one that opened the circuit later', () => {
    openAndClose(BROKEN, GOOD);
    finish('failed', BROKEN);
    finish('throttled', BLOB);
    now += 500;
    finish('succeeded', GOOD);
    now += 60_000;
    finish('failed', BROKEN);
    assert.equal(breaker.state(circuit), 'open');
});

test('as a probe, an ignored path neither opens nor closes the circuit, and makes room for another', () => {
    openAndClose(BROKEN, GOOD);
    finish('failed', GOOD);
    now += 500;
    finish('failed', BROKEN);
    assert.equal(breaker.state(circuit), 'half-open');
    finish('succeeded', GOOD);
    assert.equal(breaker.state(circuit), 'closed');
});

test('an outcome that comes after the circuit has opened and closed changes nothing', () => {
    const early = breaker.tryAcquire(circuit);
    openAndClose(BROKEN, GOOD);
    broken_requests.recordForPath(circuit, early.opening, 'failed', BLOB);
    assert.equal(breaker.state(circuit), 'closed');
});

// The paths of the next four probes.
const probed = path => [1, 2, 3, 4].map(() => broken_requests.pathOfProbe(circuit, path));

test('every second probe is of what the registry has served', () => {
    assert.deepEqual(probed(BROKEN), [BROKEN, BROKEN, BROKEN, BROKEN]);
    broken_requests.noteServed(circuit, GOOD);
    assert.deepEqual(probed(BROKEN), [GOOD, BROKEN, GOOD, BROKEN]);
});

test('a probe of an image is not of /v2/', () => {
    broken_requests.noteServed(circuit, '/host/v2/');
    assert.deepEqual(probed(BLOB), [BLOB, BLOB, BLOB, BLOB]);
});

test('what was served is of the same kind, if such a thing was served', () => {
    broken_requests.noteServed(circuit, GOOD);
    assert.deepEqual(probed(BLOB), [GOOD, BLOB, GOOD, BLOB]);
    broken_requests.noteServed(circuit, `${BLOB}b`);
    assert.deepEqual(probed(BLOB), [`${BLOB}b`, BLOB, `${BLOB}b`, BLOB]);
    assert.deepEqual(probed(BROKEN), [GOOD, BROKEN, GOOD, BROKEN]);
});

test('what was served before is not asked for again when it fails now', () => {
    broken_requests.noteServed(circuit, BLOB);
    broken_requests.noteServed(circuit, BROKEN);
    assert.deepEqual(probed(BROKEN), [BROKEN, BROKEN, BROKEN, BROKEN]);
    broken_requests.noteServed(circuit, GOOD);
    assert.deepEqual(probed(BROKEN), [GOOD, BROKEN, GOOD, BROKEN]);
});

test('a path that is served again is not written again', () => {
    const written = mock.method(ngx.shared.circuit_requests, 'set');
    [1, 2, 3].forEach(() => broken_requests.noteServed(circuit, GOOD));
    assert.equal(written.mock.callCount(), 2);
});

test('registries do not share what is known', () => {
    broken_requests.noteServed(circuit, GOOD);
    openAndClose(BROKEN, GOOD);
    circuit.name = 'other';
    assert.equal(broken_requests.pathOfProbe(circuit, BROKEN), BROKEN);
    assert.ok(!broken_requests.isShut(circuit, BROKEN));
    finish('failed', BROKEN);
    assert.equal(breaker.state(circuit), 'open');
});
