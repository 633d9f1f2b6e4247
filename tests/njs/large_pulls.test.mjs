// How pulls of large blobs share the memory that nginx holds for them.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import large_pulls from '../../k8s_manifests/nginx/njs/large_pulls.js';
import { Store } from './store.mjs';

const GIB = 1024 ** 3;
const KILLED_WORKER = '99999999';

function pull(bytes, seconds = 0, headersIn = {}) {
    const r = { headersIn, headersOut: {}, return: mock.fn(), warn: mock.fn(), variables: {
        upstream_http_content_range: `bytes 0-4194303/${bytes}`,
        memory_for_large_pulls_mib: '20', memory_wait_seconds: String(seconds), request_id: `${bytes}`,
    } };
    r.variables.needed_mib = String(large_pulls.needed_mib(r));
    r.uri = `/-/memory/${r.variables.needed_mib}`;
    return r;
}

function hold(r) {
    return large_pulls.hold_memory(r) !== '';
}

beforeEach(() => {
    globalThis.ngx = { shared: { large_pulls: new Store(Date.now), large_pulls_waiting: new Store(Date.now) } };
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
    globalThis.ngx.shared.large_pulls.set(KILLED_WORKER, 20);
    assert.ok(hold(pull(15 * GIB)));
    assert.ok(!globalThis.ngx.shared.large_pulls.has(KILLED_WORKER));
});

test('memory that is free leads to the location that holds it', async () => {
    const r = pull(15 * GIB);
    await large_pulls.wait_for_memory(r);
    assert.equal(r.headersOut['X-Accel-Redirect'], '@bounded');
    assert.equal(r.warn.mock.callCount(), 0);
});

test('a pull waits until another ends', async () => {
    const first = pull(15 * GIB);
    hold(first);
    const second = pull(15 * GIB, 4);
    const waiting = large_pulls.wait_for_memory(second);
    large_pulls.free_memory(first);
    await waiting;
    assert.equal(second.headersOut['X-Accel-Redirect'], '@bounded');
    assert.equal(second.warn.mock.callCount(), 1);
});

test('a pull without memory in time is refused', async () => {
    hold(pull(15 * GIB));
    const r = pull(15 * GIB);
    await large_pulls.wait_for_memory(r);
    assert.deepEqual(r.return.mock.calls[0].arguments, [503]);
});

test('a pull is refused at once when a hundred wait, and one that waits is not', async () => {
    hold(pull(15 * GIB));
    const last = pull(16 * GIB, 1);
    const waits = large_pulls.wait_for_memory(last);
    for (let number = 1; number < 100; number += 1) {
        ngx.shared.large_pulls_waiting.set(`other ${number}`, 1, 60_000);
    }
    const refused = pull(17 * GIB, 60);
    await large_pulls.wait_for_memory(refused);
    assert.deepEqual(refused.return.mock.calls[0].arguments, [503]);
    assert.equal(last.return.mock.callCount(), 0);
    await waits;
    assert.equal(ngx.shared.large_pulls_waiting.size(), 99, 'it no longer waits');
});
