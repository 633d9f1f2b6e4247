// Which slices are fetched when the reader of a blob has missed one.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import read_ahead from '../../k8s_manifests/nginx/njs/read_ahead.js';

const LAST = 1000;

// The windows of a reader that comes to each left-out slice after `pauseMs`.
function windows(count, pauseMs, last = LAST) {
    const found = [];
    let missed = 1;
    for (let i = 0; i < count; i += 1) {
        const window = read_ahead.plan(missed, last, found[i - 1] || null, false, i * pauseMs);
        found.push(window);
        missed = window.left;
    }
    return found;
}

test('the first window leaves the next two slices to the reader, and two on purpose', () => {
    assert.deepEqual(read_ahead.plan(1, LAST, null, false, 5), { from: 4, to: 9, size: 8, left: 7, atMs: 5 });
});

test('the windows of a quick reader double up to the largest', () => {
    assert.deepEqual(windows(6, 100).map(window => window.size), [8, 16, 32, 64, 64, 64]);
});

test('the windows of a slow reader get smaller down to the first', () => {
    let previous = { from: 100, to: 163, size: 64, left: 148, atMs: 0 };
    const sizes = [1, 2, 3, 4].map(i => {
        previous = read_ahead.plan(previous.left, LAST, previous, false, i * 60_000);
        return previous.size;
    });
    assert.deepEqual(sizes, [32, 16, 8, 8]);
});

test('no slice is fetched twice or passed over', () => {
    const found = windows(8, 100);
    found.slice(1).forEach((window, i) => assert.equal(window.from, found[i].to + 1));
});

test('the slice that is left out is in its window', () => {
    windows(8, 100).forEach(window => assert.ok(window.from < window.left && window.left < window.to));
});

test('a miss before the slice that is left out starts nothing', () => {
    const [window] = windows(1, 0);
    assert.equal(read_ahead.plan(2, LAST, window, false, 10), null);
});

test('nothing beyond the end of the blob is fetched', () => {
    assert.equal(read_ahead.plan(990, LAST, null, false, 0).to, 998);
    assert.equal(read_ahead.plan(995, LAST, null, false, 0).to, LAST);
    assert.equal(read_ahead.plan(999, LAST, null, false, 0), null);
});

test('the reader of a window that has ended early gets one of the same size, wherever it is in it', () => {
    const window = windows(4, 100)[3];
    const missed = window.from + 3;
    assert.ok(missed < window.left);
    const { from, size } = read_ahead.plan(missed, LAST, window, true, 10);
    assert.deepEqual({ from, size }, { from: missed + 3, size: 64 });
});

test('a reader at another place of the blob begins with the first window', () => {
    const [window] = windows(1, 0);
    assert.equal(read_ahead.plan(500, LAST, window, false, 10).size, 8);
    assert.equal(read_ahead.plan(500, LAST, window, false, 10).from, 503);
});
