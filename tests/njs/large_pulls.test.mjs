// How pulls of large blobs share the memory that nginx holds for them.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import large_pulls from '../../k8s_manifests/nginx/njs/large_pulls.js';
import { Store } from './store.mjs';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const LARGEST = 52_000 * MIB;
const KILLED_WORKER = '99999999';
const CLIENT = '203.0.113.66';
const OTHER = '2001:db8:1:2::/64';

let count = 0;

function pull(bytes, seconds = 0, headersIn = {}, client = '', mib = 20) {
    count += 1;
    const id = `pull ${count}`;
    const r = { args: { client }, headersIn, headersOut: {}, return: mock.fn(), warn: mock.fn(), variables: {
        upstream_http_content_range: `bytes 0-4194303/${bytes}`, client_network: client, slow_piece_seconds: '600',
        memory_for_large_pulls_mib: String(mib), memory_wait_seconds: String(seconds), request_id: id,
    } };
    r.variables.needed_mib = String(large_pulls.needed_mib(r));
    r.uri = `/-/memory/${r.variables.needed_mib}`;
    r.headersIn['X-Request-Id'] = id;
    return r;
}

function pullOf(client, bytes, mib, seconds = 0) {
    return pull(bytes, seconds, {}, client, mib);
}

function hold(r) {
    return large_pulls.hold_memory(r) !== '';
}

function hasBegun(r) {
    return r.headersOut['X-Accel-Redirect'] === '@bounded';
}

function refusals(r) {
    return r.return.mock.calls.filter(call => call.arguments[0] === 503).length;
}

beforeEach(() => {
    mock.restoreAll();
    globalThis.ngx = { shared: Object.fromEntries(['', '_waiting', '_pieces'].map(
        name => [`large_pulls${name}`, new Store(Date.now)]
    )) };
});

test('memory follows the size', () => {
    assert.equal(large_pulls.needed_mib(pull(10 ** 9)), 2);
    assert.equal(large_pulls.needed_mib(pull(10 * GIB)), 8);
    assert.equal(large_pulls.needed_mib(pull(52_000 * 1024 ** 2)), 37);
});

test('memory follows the length of a part', () => {
    const needed = headers => large_pulls.needed_mib(pull(10 * GIB, 0, headers));
    assert.equal(needed({ Range: `bytes=5-${GIB}` }), 2);
    assert.equal(needed({ Range: `bytes=${9 * GIB}-${99 * GIB}` }), 2);
    assert.equal(needed({ Range: 'bytes=5-' }), 8);
    assert.equal(needed({ Range: 'bytes=5-9', 'If-Range': 'x' }), 8);
});

test('a pull that does not fit beside the others has to wait, and a smaller one has not', () => {
    const first = pull(15 * GIB);
    assert.ok(hold(first));
    assert.ok(!hold(pull(15 * GIB)));
    assert.ok(hold(pull(5 * GIB)));
    large_pulls.free_memory(first);
    assert.ok(hold(pull(15 * GIB)));
});

test('a pull is noted once', () => {
    const r = pull(10 * GIB);
    assert.ok(hold(r));
    assert.ok(hold(r));
    assert.ok(hold(pull(10 * GIB)));
});

test('a pull alone fits, whatever it needs', () => {
    assert.ok(hold(pull(100 * GIB)));
});

test('what a killed worker held is free', () => {
    ngx.shared.large_pulls.set(`${KILLED_WORKER} ${CLIENT}`, 20);
    assert.ok(hold(pullOf(CLIENT, 15 * GIB, 20)));
    assert.deepEqual(ngx.shared.large_pulls.keys(), [`${process.pid} ${CLIENT}`]);
});

test('a pull leaves no note', () => {
    for (const client of ['', CLIENT, OTHER]) {
        const pulls = [pullOf(client, GIB, 20), pullOf(client, GIB, 20)];
        assert.ok(pulls.every(hold));
        pulls.forEach(large_pulls.free_memory);
    }
    assert.deepEqual(['', '_waiting', '_pieces'].map(name => ngx.shared[`large_pulls${name}`].size()), [0, 0, 0]);
});

test('a known client has half, and another one the other half', () => {
    assert.ok(hold(pullOf(CLIENT, 5 * GIB, 20)));
    assert.ok(hold(pullOf(CLIENT, 5 * GIB, 20)));
    assert.ok(!hold(pullOf(CLIENT, 5 * GIB, 20)));
    assert.ok(hold(pullOf(OTHER, 5 * GIB, 20)));
    assert.ok(hold(pullOf(OTHER, 5 * GIB, 20)));
    assert.ok(!hold(pullOf(OTHER, 5 * GIB, 20)));
});

test('what both workers hold for a client counts', () => {
    ngx.shared.large_pulls.set(`${process.ppid} ${CLIENT}`, 8);
    assert.ok(!hold(pullOf(CLIENT, 5 * GIB, 20)));
    assert.ok(hold(pullOf(OTHER, 5 * GIB, 20)));
});

test('unknown clients have no share', () => {
    assert.ok(hold(pull(10 * GIB)));
    assert.ok(hold(pull(10 * GIB)));
});

test('the only pull of a client fits beside others, although it needs more than half', () => {
    assert.ok(hold(pullOf(OTHER, GIB, 50)));
    assert.ok(hold(pullOf(CLIENT, LARGEST, 50)));
    assert.ok(!hold(pullOf(CLIENT, GIB, 50)));
});

test('with the default memory limit a node pulls three of the largest layers at once, or 32 of 5 GB', () => {
    const largest = Array.from({ length: 4 }, () => pullOf(CLIENT, LARGEST, 256));
    assert.deepEqual(largest.map(hold), [true, true, true, false]);
    largest.slice(0, 3).forEach(large_pulls.free_memory);
    const others = Array.from({ length: 33 }, () => pullOf(CLIENT, 5e9, 256));
    assert.deepEqual(others.map(hold), [...Array(32).fill(true), false]);
});

test('memory that is free leads to the location that holds it', async () => {
    const r = pull(15 * GIB, 1);
    await large_pulls.wait_for_memory(r);
    assert.ok(hasBegun(r));
});

test('a pull waits until another ends', async () => {
    const first = pull(15 * GIB);
    hold(first);
    const second = pull(15 * GIB, 4);
    const waiting = large_pulls.wait_for_memory(second);
    large_pulls.free_memory(first);
    await waiting;
    assert.ok(hasBegun(second));
    assert.equal(second.warn.mock.callCount(), 1);
});

test('a pull without memory in time is refused', async () => {
    hold(pull(15 * GIB));
    const r = pull(15 * GIB);
    await large_pulls.wait_for_memory(r);
    assert.equal(refusals(r), 1);
    end(r);
    assert.equal(ngx.shared.large_pulls_waiting.size(), 0);
});

test('pulls begin in the order in which they came, also a larger one', async () => {
    const first = pull(5 * GIB);
    hold(first);
    const larger = pull(26 * GIB, 4);
    const waiting = large_pulls.wait_for_memory(larger);
    await later();
    const small = pull(GIB, 4);
    assert.ok(!hold(small), 'it would fit');
    large_pulls.free_memory(first);
    await waiting;
    assert.ok(hasBegun(larger));
    assert.ok(!hold(small), 'it is the turn of the larger one');
    assert.ok(hold(larger));
    assert.ok(!hold(small));
    large_pulls.free_memory(larger);
    assert.ok(hold(small));
});

test('a pull that waits for the share of its client holds up no other', async () => {
    hold(pullOf(CLIENT, 14 * GIB, 20));
    const own = pullOf(CLIENT, 2 * GIB, 20, 1);
    const waiting = large_pulls.wait_for_memory(own);
    await later();
    assert.ok(hold(pullOf(OTHER, 2 * GIB, 20)));
    await waiting;
    assert.equal(refusals(own), 1);
});

test('a pull that has to wait again keeps its place and its end', async () => {
    const first = pull(15 * GIB);
    hold(first);
    const r = pull(15 * GIB, 1);
    ngx.shared.large_pulls_waiting.set(r.variables.request_id, JSON.stringify({ client: '', mib: 11, sinceMs: Date.now() - 5000 }));
    await large_pulls.wait_for_memory(r);
    assert.deepEqual([refusals(r), r.warn.mock.callCount()], [1, 0]);
});

test('a pull is refused at once when a hundred wait, and one that waits is not', async () => {
    hold(pull(15 * GIB));
    const last = pull(16 * GIB, 1);
    const waits = large_pulls.wait_for_memory(last);
    waitBeside(99, '');
    const refused = pull(17 * GIB, 60);
    await large_pulls.wait_for_memory(refused);
    assert.equal(refusals(refused), 1);
    assert.equal(last.return.mock.callCount(), 0);
    await waits;
    assert.equal(refusals(last), 1);
});

test('a pull whose client leaves no longer waits', async () => {
    const first = pull(15 * GIB);
    hold(first);
    const left = pull(15 * GIB, 60);
    assert.ok(!hold(left));
    const waits = large_pulls.wait_for_memory(left);
    end(left);
    await waits;
    assert.ok(!hasBegun(left));
    assert.equal(ngx.shared.large_pulls_waiting.size(), 0);
    end(first);
    assert.ok(hold(pull(15 * GIB)));
});

test('a known client has half of the places', async () => {
    hold(pull(15 * GIB));
    waitBeside(50, CLIENT);
    const refused = pullOf(CLIENT, 16 * GIB, 20, 60);
    await large_pulls.wait_for_memory(refused);
    assert.equal(refusals(refused), 1);
    const other = pullOf(OTHER, 16 * GIB, 20, 1);
    const waits = large_pulls.wait_for_memory(other);
    assert.equal(other.return.mock.callCount(), 0);
    await waits;
});

test('a slow pull ends while more than half of the memory is held', () => {
    const slow = pull(10 * GIB);
    hold(slow);
    assert.equal(pieceAfter(slow, 601), '', 'there is enough memory');
    hold(pull(5 * GIB));
    assert.equal(pieceAfter(slow, 599), '');
    assert.equal(pieceAfter(slow, 601), '1');
});

test('a slow pull that holds no memory does not end', () => {
    hold(pull(20 * GIB));
    assert.equal(pieceAfter(pull(GIB), 601), '');
});

// nginx logs a pull.
function end(r) {
    large_pulls.free_memory(r);
}

function later() {
    return new Promise(resolve => setTimeout(resolve, 5));
}

function waitBeside(others, client) {
    for (let number = 0; number < others; number += 1) {
        const note = JSON.stringify({ client, mib: 12, sinceMs: Date.now() });
        ngx.shared.large_pulls_waiting.set(`other ${number}`, note, 60_000);
    }
}

// Whether a pull is too slow whose next piece begins so many seconds after the last one.
function pieceAfter(r, seconds) {
    const now = Date.now();
    const clock = mock.method(Date, 'now', () => now + seconds * 1000);
    const answer = large_pulls.is_too_slow(r);
    clock.mock.restore();
    if (ngx.shared.large_pulls_pieces.has(r.variables.request_id)) {
        ngx.shared.large_pulls_pieces.set(r.variables.request_id, now);
    }
    return answer;
}
