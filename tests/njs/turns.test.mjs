// How a pull of a very large blob waits for its turn.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import turns from '../../k8s_manifests/nginx/njs/turns.js';
import { Store } from './store.mjs';

function pull(turnSeconds) {
    return {
        headersOut: {}, return: mock.fn(), uri: '/-/turn/42',
        variables: { fetch_url: 'http://fetch', turn_seconds: turnSeconds },
    };
}

function answers(...statuses) {
    globalThis.ngx.fetch = mock.fn(() => Promise.resolve({ status: statuses.shift() }));
}

beforeEach(() => {
    globalThis.ngx = { shared: { turns: new Store(Date.now) } };
});

test('a free turn leads to the location that sends the blob', async () => {
    answers(204);
    const r = pull('4');
    await turns.wait_for_turn(r);
    assert.equal(r.headersOut['X-Accel-Redirect'], '@large');
    assert.equal(globalThis.ngx.fetch.mock.calls[0].arguments[0], 'http://fetch/-/free-turn/42');
});

test('a pull waits until a turn is free', async () => {
    answers(509, 204);
    const r = pull('4');
    await turns.wait_for_turn(r);
    assert.equal(r.headersOut['X-Accel-Redirect'], '@large');
});

test('a pull without a turn in time is refused', async () => {
    answers(509);
    const r = pull('0');
    await turns.wait_for_turn(r);
    assert.deepEqual(r.return.mock.calls[0].arguments, [503]);
});

test('two pulls do not ask at the same time', async () => {
    answers(204, 204);
    const first = pull('0');
    const second = pull('0');
    await Promise.all([turns.wait_for_turn(first), turns.wait_for_turn(second)]);
    assert.equal(globalThis.ngx.fetch.mock.callCount(), 1);
    assert.deepEqual(second.return.mock.calls[0].arguments, [503]);
});
