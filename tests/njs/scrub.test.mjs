// The scrub over a folder of files in nginx's format, with objects in place of `ngx`.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';

import cache_entry from '../../k8s_manifests/nginx/njs/cache_entry.js';
import cache_walk from '../../k8s_manifests/nginx/njs/cache_walk.js';
import scrub_blobs from '../../k8s_manifests/nginx/njs/scrub_blobs.js';
import scrub_contents from '../../k8s_manifests/nginx/njs/scrub_contents.js';
import scrub_sizes from '../../k8s_manifests/nginx/njs/scrub_sizes.js';
import { bytesOf, digestOf, slice, storeFile } from './cached_file.mjs';
import { Store } from './store.mjs';

const HOUR_SECONDS = 3600;
const MIB = 1 << 20;
const FETCH_URL = 'http://127.0.0.1:8081';

let folder;

beforeEach(() => {
    mock.restoreAll();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scrub-'));
    globalThis.ngx = {
        ERR: 3, log: mock.fn(), prefix: `${folder}/`,
        shared: Object.fromEntries(['scrub', 'scrub_blobs', 'scrub_changed', 'scrub_counts', 'scrub_running', 'counters'].map(
            name => [name, new Store(Date.now)]
        )),
    };
});

afterEach(() => fs.rmSync(folder, { recursive: true }));

function store(key, head, body, options) {
    return storeFile(folder, key, head, body, options);
}

function storeSlice(body, first, last, bytes = body.length) {
    return store(`${digestOf(body)} bytes=${first}-${last}`, slice(digestOf(body), first, Math.min(last, bytes - 1), bytes),
        body.subarray(first, last + 1));
}

function storeManifest(text, headers = '') {
    return store(digestOf(text), `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n${headers}\r\n`, Buffer.from(text),
        { zone: 'manifests' });
}

// Changes one bit, and no time of the file that the scrub could see.
function flip(file, at) {
    const { atime, mtime } = fs.statSync(`${folder}/${file}`);
    const content = fs.readFileSync(`${folder}/${file}`);
    content[at < 0 ? content.length + at : at] ^= 4;
    fs.writeFileSync(`${folder}/${file}`, content);
    fs.utimesSync(`${folder}/${file}`, atime, mtime);
}

// Turns of the round until it is complete, from its beginning.
function round() {
    ngx.shared.scrub.delete('contents');
    finishRound();
}

function finishRound() {
    const rounds = ngx.shared.scrub_counts.get('rounds') || 0;
    for (let turns = 0; (ngx.shared.scrub_counts.get('rounds') || 0) === rounds; turns += 1) {
        assert.ok(turns < 1000, 'the round ends');
        scrub_contents.scrub_contents();
    }
}

function pass() {
    const sizes = JSON.parse(ngx.shared.scrub.get('sizes') || '{"since":0,"bytes":0,"found":0,"cursor":null}');
    ngx.shared.scrub.set('sizes', JSON.stringify({ ...sizes, startedAtMs: 0, nextAtMs: 0 }));
    const passes = ngx.shared.scrub_counts.get('passes') || 0;
    while ((ngx.shared.scrub_counts.get('passes') || 0) === passes) {
        scrub_sizes.scrub_sizes();
    }
}

function remaining() {
    const found = [];
    cache_walk.walk(cache_walk.start(), () => true, file => found.push(file));
    return found;
}

function damaged(kind) {
    return ngx.shared.scrub_counts.get(`damaged_${kind}`) || 0;
}

function someFiles() {
    return [1, 2, 3, 4].map(number => storeManifest(`{"number":${number}}`)).sort();
}

test('every file is found, but not those that nginx still writes', () => {
    const files = someFiles();
    fs.writeFileSync(`${folder}/${files[0]}.0000000001`, 'half');
    assert.deepEqual(remaining().sort(), files);
});

test('a walk that is continued finds every file once', () => {
    const files = someFiles();
    const found = [];
    let cursor = cache_walk.start();
    for (let isDone = false; !isDone; cursor = JSON.parse(JSON.stringify(cursor))) {
        isDone = cache_walk.walk(cursor, () => false, file => found.push(file));
    }
    assert.deepEqual(found.sort(), files);
});

test('a walk goes on behind a file and a folder that are gone', () => {
    const files = someFiles();
    const cursor = cache_walk.start();
    assert.equal(cache_walk.walk(cursor, () => false, () => {}), false);
    files.slice(0, 2).forEach(file => fs.rmSync(path.dirname(`${folder}/${file}`), { recursive: true }));
    const found = [];
    assert.equal(cache_walk.walk(cursor, () => true, file => found.push(file)), true);
    assert.deepEqual(found.sort(), files.slice(2));
});

test('what agrees with itself stays', () => {
    const body = Buffer.alloc(3 * MIB, 'x');
    [[0, MIB - 1], [MIB, 2 * MIB - 1], [2 * MIB, 4 * MIB - 1]].forEach(([first, last]) => storeSlice(body, first, last));
    storeManifest('{}');
    store('host/v2/team/app/manifests/1', 'HTTP/1.1 200 OK\r\nContent-Length: 417\r\n\r\n', Buffer.alloc(0),
        { zone: 'manifests', ttlSeconds: 10 });
    store('host/team/app:1 application/json', 'HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n', Buffer.from('{}'),
        { zone: 'manifests', ttlSeconds: 3 });
    const before = remaining();
    assert.equal(before.length, 6);
    [pass, round, pass, round].forEach(run => run());
    assert.deepEqual(remaining(), before);
    assert.equal(ngx.log.mock.callCount(), 0);
});

for (const [kind, size] of [['empty', 0], ['cut in its header', 200], ['cut between header and body', 600], ['cut by a byte', -1]]) {
    test(`a pass removes a file that is ${kind}`, () => {
        const file = storeSlice(Buffer.alloc(MIB, 'x'), 0, MIB - 1);
        const { size: before } = fs.statSync(`${folder}/${file}`);
        fs.truncateSync(`${folder}/${file}`, size < 0 ? before + size : size);
        pass();
        assert.deepEqual(remaining(), []);
        assert.equal(damaged('size') + damaged('header'), 1);
    });
}

test('a round finds a flipped bit in a slice whose checksum was noted', () => {
    const body = Buffer.alloc(5 * MIB, 'x');
    const file = storeSlice(body, 0, 4 * MIB - 1);
    round();
    flip(file, -5);
    round();
    assert.deepEqual(remaining(), []);
    assert.equal(damaged('content'), 1);
});

test('a flipped bit in a whole blob or a manifest is found at the first visit', () => {
    const files = [storeSlice(Buffer.from('a small blob'), 0, 4 * MIB - 1), storeManifest('{"a":1}')];
    files.forEach(file => flip(file, -3));
    round();
    assert.deepEqual(remaining(), []);
    assert.equal(damaged('content'), 2);
});

test('a flipped bit in a header whose checksum was noted is found', () => {
    const file = storeManifest('{}', 'Content-Type: application/json\r\n');
    round();
    flip(file, fs.readFileSync(`${folder}/${file}`).indexOf('json'));
    round();
    assert.deepEqual(remaining(), []);
    assert.equal(damaged('header'), 1);
});

test('a file that nginx has stored again, with another header, is the same content', () => {
    const file = storeManifest('{}', 'Date: 1\r\n');
    round();
    const old = new Date(Date.now() - 60_000);
    storeManifest('{}', 'Date: 2\r\n');
    fs.utimesSync(`${folder}/${file}`, old, old);
    round();
    assert.deepEqual(remaining(), [file]);
});

test('a slice that is fetched again after its removal is noted anew', () => {
    const body = Buffer.alloc(5 * MIB, 'x');
    const file = storeSlice(body, 0, 4 * MIB - 1);
    round();
    flip(file, -5);
    round();
    storeSlice(body, 0, 4 * MIB - 1);
    round();
    round();
    assert.deepEqual(remaining(), [file]);
});

test('a changed file is checked before the round comes to it', () => {
    const body = Buffer.alloc(5 * MIB, 'x');
    const file = storeSlice(body, 0, 4 * MIB - 1);
    round();
    pass();
    flip(file, -5);
    pass();
    ngx.shared.scrub.set('contents', JSON.stringify({ startedAtMs: Date.now(), cursor: null, file: null, turn: 0 }));
    for (let turns = 0; turns < 40; turns += 1) {
        scrub_contents.scrub_contents();
    }
    assert.equal(damaged('content'), 1);
});

test('a file that is evicted in the middle of its check is no error', () => {
    const file = storeSlice(Buffer.alloc(60 * MIB, 'x'), 0, 56 * MIB - 1);
    for (let turns = 0; turns < 3; turns += 1) {
        scrub_contents.scrub_contents();
    }
    assert.equal(JSON.parse(ngx.shared.scrub.get('contents')).file.path, file);
    fs.unlinkSync(`${folder}/${file}`);
    scrub_contents.scrub_contents();
    assert.equal(JSON.parse(ngx.shared.scrub.get('contents')).file, null);
    assert.equal(ngx.log.mock.callCount(), 0);
});

test('a file that is replaced in the middle of its check, under the same number, is read from its start', () => {
    const file = storeSlice(Buffer.alloc(60 * MIB, 'x'), 0, 56 * MIB - 1);
    for (let turns = 0; turns < 3; turns += 1) {
        scrub_contents.scrub_contents();
    }
    assert.ok(JSON.parse(ngx.shared.scrub.get('contents')).file.offset > 0);
    flip(file, 1000);
    const later = new Date(Date.now() + 60_000);
    fs.utimesSync(`${folder}/${file}`, later, later);
    finishRound();
    round();
    assert.deepEqual(remaining(), [file], 'the checksum that was noted is not one of two files');
});

test('a body just below the limit has one checksum, whatever the length of its header is', () => {
    const body = Buffer.alloc(MIB - 600, 'x');
    const head = extra => slice(digestOf(body), 0, body.length - 1, body.length).replace(/\r\n$/, `X: ${'y'.repeat(extra)}\r\n\r\n`);
    const key = `${digestOf(body)} bytes=0-${4 * MIB - 1}`;
    for (const extra of [1, 900]) {
        const file = store(key, head(extra), body);
        fs.utimesSync(`${folder}/${file}`, extra, extra);
        round();
        assert.deepEqual(remaining(), [file]);
    }
});

test('files of another version of the format are left alone', () => {
    const file = storeSlice(Buffer.alloc(MIB, 'x'), 0, MIB - 1);
    flip(file, 0);
    flip(file, -1);
    pass();
    round();
    assert.deepEqual(remaining(), [file]);
});

test('a pass goes on after the clock was set back, and finds what has changed since', () => {
    const file = storeSlice(Buffer.alloc(MIB, 'x'), 0, MIB - 1);
    setClock(HOUR_SECONDS);
    pass();
    setClock(0);
    fs.truncateSync(`${folder}/${file}`, 1000);
    for (let turns = 0; turns < 100; turns += 1) {
        scrub_sizes.scrub_sizes();
    }
    assert.deepEqual(remaining(), []);
});

test('a file with a time in the future is new only once', () => {
    storeSlice(Buffer.alloc(MIB, 'x'), 0, MIB - 1);
    setClock(-HOUR_SECONDS);
    [pass, pass, pass].forEach(run => run());
    assert.equal(ngx.shared.scrub_changed.size(), 0);
});

test('a turn ends when the clock is set back in it', () => {
    someFiles();
    let now = Date.now();
    mock.method(Date, 'now', () => {
        now -= 1000 * HOUR_SECONDS;
        return now;
    });
    scrub_sizes.scrub_sizes();
    assert.equal(ngx.shared.scrub_counts.get('passes'), undefined);
});

for (const [tookSeconds, pauseSeconds] of [[1, 1], [20, 0], [60, 60], [3600, 600]]) {
    test(`after a pass of ${tookSeconds} s comes a pause of ${pauseSeconds} s`, () => {
        let now = Date.now();
        mock.method(Date, 'now', () => now);
        someFiles();
        scrub_sizes.scrub_sizes();
        ngx.shared.scrub_counts.delete('passes');
        const begun = { since: 1, startedAtMs: now, nextAtMs: 0, turnAtMs: now, bytes: 0, cursor: cache_walk.start() };
        ngx.shared.scrub.set('sizes', JSON.stringify(begun));
        now += 1000 * tookSeconds;
        scrub_sizes.scrub_sizes();
        now += 1000 * pauseSeconds - 1;
        scrub_sizes.scrub_sizes();
        assert.equal(ngx.shared.scrub_counts.get('passes'), pauseSeconds ? 1 : 2);
        now += 1;
        scrub_sizes.scrub_sizes();
        assert.equal(ngx.shared.scrub_counts.get('passes'), 2);
    });
}

test('the next round begins after the clock was set back', () => {
    storeManifest('{}');
    setClock(HOUR_SECONDS);
    round();
    setClock(0);
    finishRound();
    assert.equal(ngx.shared.scrub_counts.get('rounds'), 2);
});

test('a round during which the clock was set back has no negative length', () => {
    storeSlice(Buffer.alloc(60 * MIB, 'x'), 0, 56 * MIB - 1);
    setClock(HOUR_SECONDS);
    scrub_contents.scrub_contents();
    setClock(0);
    finishRound();
    assert.equal(ngx.shared.scrub_counts.get('round_seconds'), 0);
});

// The clock is as far ahead of that of the file system.
function setClock(aheadSeconds) {
    const now = performance.timeOrigin;
    mock.restoreAll();
    mock.method(Date, 'now', () => now + performance.now() + 1000 * aheadSeconds);
}

// How much of a large file some turns read, beside what `bytes` says the cache holds.
function bytesReadIn(turns, bytes) {
    storeSlice(Buffer.alloc(60 * MIB, 'x'), 0, 56 * MIB - 1);
    ngx.shared.scrub_counts.set('bytes', bytes);
    for (let turn = 0; turn < turns; turn += 1) {
        scrub_contents.scrub_contents();
    }
    return ngx.shared.scrub_counts.get('read_bytes');
}

for (const [gib, steps] of [[20, 48], [50, 8], [100, 16], [200, 24], [300, 48], [1600, 48]]) {
    test(`a cache of ${gib} GiB is read by at most ${steps} steps of 256 KiB in 48 turns`, () => {
        const read = bytesReadIn(48, gib * 1024 * MIB);
        assert.ok(read > 0 && read <= steps * MIB / 4, `${read}`);
    });
}

test('what the cache holds is known in part before its first pass is complete', () => {
    someFiles();
    let now = Date.now();
    mock.method(Date, 'now', () => {
        now += 2;
        return now;
    });
    scrub_sizes.scrub_sizes();
    assert.ok(ngx.shared.scrub_counts.get('bytes') > 0);
    assert.equal(ngx.shared.scrub_counts.get('passes'), undefined);
});

test('a turn that the round of a large cache skips is one for changed files', () => {
    const file = storeManifest('{"a":1}');
    ngx.shared.scrub_counts.set('bytes', 100 * 1024 * MIB);
    flip(file, -2);
    ngx.shared.scrub_changed.set(file, 1);
    scrub_contents.scrub_contents();
    assert.equal(ngx.shared.scrub_counts.get('rounds'), undefined);
    assert.equal(damaged('content'), 1);
});

test('a damaged file that cannot be removed is reported', () => {
    const file = storeSlice(Buffer.alloc(MIB, 'x'), 0, MIB - 1);
    fs.truncateSync(`${folder}/${file}`, 0);
    mock.method(fs, 'unlinkSync', () => {
        throw Object.assign(new Error('read-only'), { code: 'EROFS' });
    });
    pass();
    assert.match(ngx.log.mock.calls[0].arguments[1], new RegExp(`could not remove.*${file}.*EROFS`));
    assert.equal(damaged('size'), 0);
});

// Two slices, the second of 1 MiB, as if both were cached for the first time.
function storeBlob() {
    return [storeSlice(blobBody(), 0, MIB - 1), storeSecondSlice()];
}

function storeSecondSlice() {
    return storeSlice(blobBody(), MIB, 2 * MIB - 1);
}

function blobBody() {
    const body = Buffer.alloc(2 * MIB, 'x');
    body[3] = 1;
    return body;
}

// Every blob that waits is checked, beside a worker that lives.
async function checkBlobs(starts = 100) {
    ngx.fetch = mock.fn(() => scrub_blobs.scrub_blob({ return: () => {}, variables: { fetch_url: FETCH_URL } }));
    for (let start = 0; start < starts && ngx.shared.scrub_blobs.size() > 0; start += 1) {
        await scrub_blobs.scrub_blobs({ variables: { fetch_url: FETCH_URL } });
    }
}

test('a blob whose slice was damaged before it was noted is removed', async () => {
    const files = storeBlob();
    flip(files[1], -3);
    round();
    assert.equal(remaining().length, 2, 'the checksum is that of the damage');
    await checkBlobs();
    assert.deepEqual(remaining(), []);
});

test('an intact blob is compared with its digest once', async () => {
    storeBlob();
    round();
    await checkBlobs();
    assert.equal(remaining().length, 2);
    assert.equal(ngx.shared.scrub_counts.get('blobs'), 1);
    round();
    assert.equal(ngx.shared.scrub_blobs.size(), 0);
});

test('a blob is not compared again for slices that are found intact during its check', async () => {
    storeBlob();
    round();
    const check = checkBlobs();
    round();
    await check;
    await checkBlobs();
    assert.equal(ngx.shared.scrub_counts.get('blobs'), 1);
});

test('a blob is compared with its digest again after one of its slices was removed', async () => {
    const files = storeBlob();
    round();
    await checkBlobs();
    flip(files[1], -3);
    round();
    assert.deepEqual(remaining(), [files[0]]);
    storeSecondSlice();
    flip(files[1], -3);
    round();
    assert.equal(remaining().length, 2, 'the checksum is that of the damage');
    await checkBlobs();
    assert.deepEqual(remaining(), []);
});

test('a blob that is cached in part is not compared with its digest', async () => {
    const files = storeBlob();
    fs.unlinkSync(`${folder}/${files[0]}`);
    round();
    assert.equal(ngx.shared.scrub_blobs.size(), 0, 'it does not keep others from their turn');
    await checkBlobs();
    assert.deepEqual(remaining(), [files[1]]);
    assert.equal(ngx.shared.scrub_counts.get('blobs'), undefined);
});

test('a blob that was found intact is not compared again after a restart, which empties the shared memory', async () => {
    storeBlob();
    round();
    await checkBlobs();
    Object.keys(ngx.shared).forEach(name => {
        ngx.shared[name] = new Store(Date.now);
    });
    round();
    assert.equal(ngx.shared.scrub_blobs.size(), 0);
    assert.equal(remaining().length, 2);
});

test('a blob is compared with its digest again when its first slice was stored again', async () => {
    const files = storeBlob();
    round();
    await checkBlobs();
    const later = new Date(Date.now() + 60_000);
    fs.utimesSync(`${folder}/${files[0]}`, later, later);
    round();
    await checkBlobs();
    assert.equal(ngx.shared.scrub_counts.get('blobs'), 2);
});

// Slices of 1 MiB, of which some are not cached.
function storeInPart(slices, missing, first) {
    const body = Buffer.alloc(slices * MIB, first);
    const cached = Array.from({ length: slices }, (_, number) => number).filter(number => !missing.includes(number));
    return cached.map(number => storeSlice(body, number * MIB, (number + 1) * MIB - 1));
}

for (const missing of [[0], [7], [3], [0, 7]]) {
    test(`of a blob without the slices ${missing} at most two others are looked at in a round`, () => {
        storeInPart(8, missing, 'x');
        const looks = mock.method(fs, 'statSync');
        round();
        assert.ok(looks.mock.callCount() <= 2, `${looks.mock.callCount()}`);
    });
}

test('blobs that lack a slice between their ends do not keep others from their turn', async () => {
    ['a', 'b', 'c'].forEach(first => storeInPart(3, [1], first));
    round();
    storeBlob();
    round();
    assert.equal(ngx.shared.scrub_blobs.size(), 4);
    await checkBlobs(1);
    assert.equal(ngx.shared.scrub_counts.get('blobs'), 1);
    assert.equal(remaining().length, 8);
});

test('the check of a blob ends with its worker', async () => {
    const files = storeBlob();
    flip(files[1], -3);
    round();
    ngx.shared.scrub_running.set('worker', 1);
    const check = scrub_blobs.scrub_blob({ return: () => {}, variables: { fetch_url: FETCH_URL } });
    ngx.shared.scrub_running.set('worker', 2);
    await check;
    assert.equal(remaining().length, 2);
    assert.ok(!ngx.shared.scrub_running.has('blob'));
});

function parsed(key, head, body, ttlSeconds) {
    const bytes = bytesOf(key, head, body, ttlSeconds);
    const name = createHash('md5').update(key).digest('hex');
    return { entry: cache_entry.parse(name, bytes.subarray(0, cache_entry.bodyStart(bytes))), bytes };
}

const DIGEST = digestOf('x');
const HEADS = {
    'another range': slice(DIGEST, 10, 19, 100),
    'another digest': slice(digestOf('y'), 0, 9, 100),
    'no length': slice(DIGEST, 0, 9, 100).replace('Content-Length', 'Content-Lengti'),
    'no range': slice(DIGEST, 0, 9, 100).replace('Content-Range', 'Content-Rangf'),
};
for (const [what, head] of Object.entries(HEADS)) {
    test(`a header of a slice with ${what} is damaged`, () => {
        const { entry, bytes } = parsed(`${DIGEST} bytes=0-9`, head, Buffer.alloc(10));
        assert.equal(cache_entry.damage(entry, bytes.length, Date.now()), 'header');
    });
}

test('an error and a tag that would last for a day are damaged', () => {
    for (const [key, status] of [[`${DIGEST} bytes=0-9`, '503 x'], ['host/v2/a/b/manifests/1', '200 OK']]) {
        const { entry, bytes } = parsed(key, `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`, Buffer.alloc(0), 24 * HOUR_SECONDS);
        assert.equal(cache_entry.damage(entry, bytes.length, Date.now()), 'header');
    }
});

// What ECR last said of an image, which is asked for again after 20 hours.
function storeState(ttlSeconds) {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Accel-Expires: 72000\r\nX-Image-State: \r\n\r\n';
    return store(`registry/team/app@${DIGEST}`, head, Buffer.alloc(0), { zone: 'images', ttlSeconds });
}

test('the state of an image that lasts for as long as it says stays', () => {
    for (const seconds of [0, 71_999, 72_000]) {
        const file = storeState(seconds);
        pass();
        assert.deepEqual([remaining(), damaged('header')], [[file], 0]);
    }
});

test('the state of an image that would last for longer than it says is removed, so that ECR is asked again', () => {
    for (const ttlSeconds of [72_010, 72_000 + 2 ** 17, 72_000 + 2 ** 31]) {
        storeState(ttlSeconds);
        pass();
        assert.deepEqual(remaining(), []);
    }
    assert.equal(damaged('header'), 3);
});

test('each bit of a header can flip without an exception, and in most places it is found', () => {
    const { bytes } = parsed(`${DIGEST} bytes=0-9`, slice(DIGEST, 0, 9, 100), Buffer.alloc(10));
    const name = createHash('md5').update(`${DIGEST} bytes=0-9`).digest('hex');
    let found = 0;
    const bits = (bytes.length - 10 - 342) * 8;
    for (let bit = 342 * 8; bit < 342 * 8 + bits; bit += 1) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] ^= 1 << (bit & 7);
        const start = cache_entry.bodyStart(flipped);
        found += cache_entry.damage(cache_entry.parse(name, flipped.subarray(0, start)), bytes.length, Date.now()) ? 1 : 0;
    }
    assert.ok(found > bits * 0.7, `${found} of ${bits}`);
});
