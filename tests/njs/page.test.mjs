// The status that the page shows, and the files of the page as nginx serves them.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';

import frontdoor from '../../k8s_manifests/nginx/njs/frontdoor.js';
import status from '../../k8s_manifests/nginx/njs/status.js';
import { Store } from './store.mjs';

let folder;

beforeEach(() => {
    mock.restoreAll();
    globalThis.ngx = { shared: { page_etags: new Store(Date.now), circuit: new Store(Date.now) } };
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'page-'));
});

afterEach(() => fs.rmSync(folder, { recursive: true }));

const file = name => path.join(folder, name);
const etag = name => frontdoor.page_etag({ variables: { page_file: file(name) } });

test('without a failure everything is served', () => {
    assert.deepEqual(status.summary([undefined, undefined]), { schema: 1, state: 'serving', reason: null, since: null });
});

test('the longest failure is the reason', () => {
    const found = status.summary([{ reason: 'throttled', since: 2000 }, undefined, { reason: 'unavailable', since: 1000 }]);
    assert.deepEqual(found, { schema: 1, state: 'partial', reason: 'unavailable', since: '1970-01-01T00:00:01.000Z' });
});

test('a failure of every registry leaves the cache alone', () => {
    const found = status.summary([{ reason: 'unavailable', since: 1000 }, { reason: 'credential', since: 0 }]);
    assert.deepEqual(found, { schema: 1, state: 'cached_only', reason: 'credential', since: null });
});

test('registries whose replicas answer are served, and a failure without a replica counts more', () => {
    const replaced = { reason: 'unavailable', since: 1000, isReplaced: true };
    assert.deepEqual(
        status.summary([replaced, undefined]),
        { schema: 1, state: 'replica', reason: 'unavailable', since: '1970-01-01T00:00:01.000Z' }
    );
    const found = status.summary([replaced, { reason: 'throttled', since: 2000, isReplaced: false }]);
    assert.deepEqual([found.state, found.reason], ['partial', 'throttled']);
});

test('a file is read once while it stays, and again in a new folder of the kubelet', () => {
    const read = mock.method(fs, 'readFileSync');
    for (const [number, text] of ['one', 'two', 'one'].entries()) {
        fs.mkdirSync(file(String(number)));
        fs.writeFileSync(path.join(folder, String(number), 'index.html'), text);
        fs.rmSync(file('..data'), { force: true });
        fs.symlinkSync(String(number), file('..data'));
        fs.rmSync(file('index.html'), { force: true });
        fs.symlinkSync('..data/index.html', file('index.html'));
        assert.equal(etag('index.html'), etag('index.html'));
        assert.equal(read.mock.callCount(), number + 1);
    }
});

test('the ETag is of the content alone', () => {
    fs.writeFileSync(file('a'), 'text');
    fs.writeFileSync(file('b'), 'text');
    fs.utimesSync(file('b'), 1, 1);
    assert.match(etag('a'), /^"[0-9a-f]{32}"$/);
    assert.equal(etag('a'), etag('b'));
    assert.equal(etag('missing'), '');
});

for (const [known, expected] of [['"x"', '1'], ['W/"x"', '1'], ['"y", "x"', '1'], ['"xx"', ''], [undefined, ''], ['', '']]) {
    test(`a client that has ${known} gets ${expected ? '304' : 'the file'}`, () => {
        const r = { variables: { page_etag: '"x"' }, headersIn: { 'If-None-Match': known } };
        assert.equal(frontdoor.page_is_known(r), expected);
        assert.equal(frontdoor.page_is_known({ ...r, variables: { page_etag: '' } }), '');
    });
}
