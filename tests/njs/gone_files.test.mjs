// Which cached files of images that are gone are removed, over a folder of files in nginx's format.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';

import checksums from '../../k8s_manifests/nginx/njs/checksums.js';
import gone_files from '../../k8s_manifests/nginx/njs/gone_files.js';
import { digestOf, slice, storeFile } from './cached_file.mjs';
import { Store } from './store.mjs';

const MIB = 1 << 20;
const PART_BYTES = 256 << 10;
const SLICE_MIB = 4;
const SETTLED_MS = 2000;

let folder;

beforeEach(() => {
    mock.restoreAll();
    mock.timers.reset();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gone-'));
    globalThis.ngx = {
        ERR: 3, WARN: 4, log: mock.fn(), prefix: `${folder}/`,
        shared: Object.fromEntries(['counters', 'gone_blobs', 'gone_images', 'gone_waiting', 'hints', 'image_pulls'].map(
            name => [name, new Store(() => Date.now())]
        )),
    };
    ngx.shared.hints.set('version', 'ENOENT');
});

afterEach(() => {
    mock.restoreAll();
    fs.rmSync(folder, { recursive: true });
});

const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';

function nameOf(digest, repository = 'team/app') {
    return `${HOST}/${repository}@${digest}`;
}

// A blob that is cached in part: the files of these slices, by the first byte and the size of each.
function storeBlob(name, bytes, slices) {
    const digest = digestOf(name);
    return {
        digest,
        size: bytes,
        files: slices.map(([number, sliceBytes]) => {
            const first = number * sliceBytes;
            const last = Math.min(first + sliceBytes, bytes) - 1;
            return storeFile(folder, `${digest} bytes=${first}-${first + sliceBytes - 1}`, slice(digest, first, last, bytes),
                Buffer.alloc(last - first + 1));
        }),
    };
}

function smallBlob(name) {
    return storeBlob(name, 10, [[0, SLICE_MIB * MIB]]);
}

// A cached manifest: its digest and its file.
function storeManifest(content) {
    const text = JSON.stringify(content);
    const digest = digestOf(text);
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n`;
    return { digest, file: storeFile(folder, digest, head, Buffer.from(text), { zone: 'manifests' }) };
}

function imageOf(config, ...layers) {
    const described = blob => ({ digest: blob.digest, size: blob.size });
    return storeManifest({ config: described(config), layers: layers.map(described) });
}

// The hints name images, as hints.js notes them.
function forget(...images) {
    for (const image of images) {
        ngx.shared.gone_images.set(image, 1);
        ngx.shared.gone_waiting.set(image, Date.now() - SETTLED_MS);
    }
}

function turn() {
    gone_files.remove_gone_files({ variables: { slice_mib: String(SLICE_MIB) } });
}

function isWorking() {
    return ngx.shared.hints.has('files') || ngx.shared.gone_waiting.size() > 0;
}

function work() {
    for (let turns = 0; isWorking(); turns += 1) {
        assert.ok(turns < 1000, 'the work ends');
        turn();
    }
}

function isThere(file) {
    return fs.existsSync(`${folder}/${file}`);
}

function assertRemoved(...files) {
    assert.deepEqual(files.filter(isThere), []);
}

function assertKept(...files) {
    assert.deepEqual(files.filter(file => !isThere(file)), []);
}

test('the manifest, the configuration and every slice and part of the layers of an image are removed', () => {
    const config = smallBlob('config');
    const layer = storeBlob('layer', 10 * MIB, [[0, 4 * MIB], [2, 4 * MIB], [0, PART_BYTES], [39, PART_BYTES]]);
    const other = smallBlob('other');
    const image = imageOf(config, layer);
    checksums.compare(layer.files[0], { header: 'x', body: 'y', storedAtMs: 1 });
    assert.ok(checksums.awaitsComparison(layer.files[0]));
    forget(nameOf(image.digest));
    work();
    assertRemoved(image.file, ...config.files, ...layer.files);
    assertKept(...other.files);
    assert.equal(checksums.awaitsComparison(layer.files[0]), false);
    assert.equal(ngx.shared.counters.get('gone_files'), 6);
    assert.deepEqual(ngx.shared.gone_images.keys(), [nameOf(image.digest)]);
    assert.equal(ngx.log.mock.calls[0].arguments[1], 'removed 6 files of 1 images that are gone from the cache');
});

test('a blob that another cached manifest names stays', () => {
    const [shared, own, otherConfig] = ['shared', 'own', 'other'].map(smallBlob);
    const gone = imageOf(own, shared);
    const other = imageOf(otherConfig, shared);
    forget(nameOf(gone.digest));
    work();
    assertRemoved(gone.file, ...own.files);
    assertKept(other.file, ...shared.files, ...otherConfig.files);
});

test('images that are gone keep no blobs of each other', () => {
    const [shared, one, other] = ['shared', 'one', 'other'].map(smallBlob);
    const images = [imageOf(one, shared), imageOf(other, shared)];
    forget(...images.map(image => nameOf(image.digest)));
    work();
    assertRemoved(...images.map(image => image.file), ...shared.files, ...one.files, ...other.files);
});

test('an image that ECR has sent from another repository stays, until it is gone there, too', () => {
    const layer = smallBlob('layer');
    const image = imageOf(layer);
    ngx.shared.image_pulls.set(`/${HOST}/v2/team/app/manifests/${image.digest}`, Date.now());
    ngx.shared.image_pulls.set(`/${HOST}/v2/team/other/manifests/${image.digest}`, Date.now());
    forget(nameOf(image.digest));
    work();
    assertKept(image.file, ...layer.files);
    forget(nameOf(image.digest, 'team/other'));
    work();
    assertRemoved(image.file, ...layer.files);
});

test('however many images the pod knows, the one that stays is found among them', () => {
    const layer = smallBlob('layer');
    const image = imageOf(layer);
    // What the zone of 4 MiB holds.
    for (let number = 1; number < 16_240; number += 1) {
        ngx.shared.image_pulls.set(`/${HOST}/v2/team/app/manifests/${digestOf(String(number))}`, Date.now());
    }
    ngx.shared.image_pulls.set(`/${HOST}/v2/team/other/manifests/${image.digest}`, Date.now());
    forget(nameOf(image.digest));
    work();
    assertKept(image.file, ...layer.files);
});

test('an index takes none of the images that it names with it', () => {
    const layer = smallBlob('layer');
    const image = imageOf(layer);
    const index = storeManifest({ manifests: [{ digest: image.digest, size: 500 }] });
    forget(nameOf(index.digest));
    work();
    assertRemoved(index.file);
    assertKept(image.file, ...layer.files);
});

test('blobs of the oldest type of manifest, which names no sizes, have the size that the cache knows', () => {
    const whole = storeBlob('whole', 9 * MIB, [[0, 4 * MIB], [2, 4 * MIB]]);
    const read = storeBlob('read', 600_000, [[0, PART_BYTES], [2, PART_BYTES]]);
    const image = storeManifest({ fsLayers: [whole, read].map(blob => ({ blobSum: blob.digest })) });
    forget(nameOf(image.digest));
    work();
    assertRemoved(image.file, ...whole.files, ...read.files);
});

for (const [name, content] of Object.entries({
    'nothing': null, 'a list': [], 'text': 'x', 'no blobs': {}, 'no lists': { config: 1, layers: 'x', blobs: { digest: 2 } },
    'no digests': { config: {}, layers: [null, { digest: '../../x' }, { digest: `sha256:${'A'.repeat(64)}` }] },
    'sizes of nothing': { layers: [{ digest: digestOf('a'), size: -1 }, { digest: digestOf('b'), size: 'x' }, { digest: digestOf('c') }] },
})) {
    test(`a manifest with ${name} is removed, too`, () => {
        const image = storeManifest(content);
        forget(nameOf(image.digest));
        work();
        assertRemoved(image.file);
        assert.equal(ngx.shared.counters.get('gone_files'), 1);
    });
}

test('a manifest that states a smaller size than a blob has leaves none of its slices', () => {
    const layer = storeBlob('layer', 10 * MIB, [[0, 4 * MIB], [2, 4 * MIB]]);
    const read = storeBlob('read', 3 * MIB, [[0, PART_BYTES], [11, PART_BYTES]]);
    const image = imageOf({ ...layer, size: 10 }, { ...read, size: 0 });
    forget(nameOf(image.digest));
    work();
    assertRemoved(image.file, ...layer.files, ...read.files);
});

test('a manifest that states ECR’s largest size for all of its blobs costs 20,000 names and a walk, and removes what there is', () => {
    const parts = [storeBlob('lazy', 60_000 * MIB, [[1, PART_BYTES], [7000, 4 * MIB]]), storeBlob('layer', 9 * MIB, [[0, 4 * MIB], [2, 4 * MIB]])];
    const kept = smallBlob('kept');
    const lies = Array.from({ length: 400 }, (_, number) => ({ digest: digestOf(`lie ${number}`), size: 1e30 }));
    const image = imageOf(lies[0], ...parts.map(part => ({ ...part, size: 52_000 * MIB })), ...lies);
    forget(nameOf(image.digest));
    const tried = mock.method(fs, 'unlinkSync', fs.unlinkSync);
    work();
    assertRemoved(image.file, ...parts.flatMap(part => part.files));
    assertKept(...kept.files);
    assert.ok(tried.mock.callCount() < 20_100, `${tried.mock.callCount()} names`);
    assert.equal(ngx.shared.gone_blobs.size(), 0);
});

test('a manifest with more blobs than fit into the memory loses the first ones', () => {
    // The clock stands still: no turn ends early.
    mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const layers = Array.from({ length: 1500 }, (_, number) => ({ digest: digestOf(String(number)), size: 0 }));
    const image = storeManifest({ layers });
    forget(nameOf(image.digest));
    turn();
    assert.equal(ngx.shared.gone_blobs.size(), 500);
    work();
    assertRemoved(image.file);
});

test('a request that came before the hint has two seconds to store the state that it got', () => {
    const image = imageOf(smallBlob('layer'));
    forget(nameOf(image.digest));
    const name = nameOf(image.digest);
    ngx.shared.gone_waiting.set(name, Date.now());
    const state = storeFile(folder, name, 'HTTP/1.1 200 OK\r\n\r\n', Buffer.alloc(0), { zone: 'images' });
    turn();
    assertKept(state, image.file);
    ngx.shared.gone_waiting.set(name, Date.now() - SETTLED_MS);
    work();
    assertRemoved(state, image.file);
});

test('an image whose line is lifted before its turn keeps its files', () => {
    const image = imageOf(smallBlob('layer'));
    forget(nameOf(image.digest));
    ngx.shared.gone_images.delete(nameOf(image.digest));
    work();
    assertKept(image.file);
});

test('many images are removed after one look at the other manifests', () => {
    const images = Array.from({ length: 49 }, (_, number) => imageOf(smallBlob(`layer ${number}`)));
    forget(...images.map(image => nameOf(image.digest)));
    work();
    assertRemoved(...images.map(image => image.file));
    assert.equal(ngx.log.mock.callCount(), 1);
});

test('each turn is short, and the next one goes on', () => {
    const layers = Array.from({ length: 20 }, (_, number) => smallBlob(`layer ${number}`));
    const images = layers.map(layer => imageOf(layer));
    const others = Array.from({ length: 20 }, (_, number) => imageOf(smallBlob(`other ${number}`)));
    forget(...images.map(image => nameOf(image.digest)));
    // A clock that goes on by a turn at each look at it: a turn does one thing.
    let now = Date.now();
    mock.method(Date, 'now', () => {
        now += 2;
        return now;
    });
    const left = [];
    for (let turns = 0; isWorking(); turns += 1) {
        assert.ok(turns < 5000, 'the work ends');
        turn();
        left.push(layers.filter(layer => isThere(layer.files[0])).length);
    }
    assert.ok(left.every((number, index) => index === 0 || left[index - 1] - number <= 1));
    assertRemoved(...images.map(image => image.file), ...layers.flatMap(layer => layer.files));
    assertKept(...others.map(image => image.file));
});

test('a file that cannot be removed is reported and not counted, and stops nothing', () => {
    const image = imageOf(smallBlob('layer'));
    forget(nameOf(image.digest));
    mock.method(fs, 'unlinkSync', () => {
        throw Object.assign(new Error(), { code: 'EROFS' });
    });
    work();
    assert.equal(ngx.shared.counters.get('gone_files'), undefined);
    const errors = ngx.log.mock.calls.filter(call => call.arguments[0] === ngx.ERR);
    assert.match(errors[1].arguments[1], /^the file blobs\/.* of an image that is gone could not be removed: EROFS$/);
});

test('without images that are gone, a turn does nothing', () => {
    mock.method(ngx.shared.gone_waiting, 'items', () => assert.fail('nothing waits'));
    turn();
});
