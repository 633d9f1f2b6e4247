// The hints: which images of a file are refused, what is ignored, and when the file is read.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';

import hints from '../../k8s_manifests/nginx/njs/hints.js';
import { pathOf, storeFile } from './cached_file.mjs';
import { Store } from './store.mjs';

const FILE = '/etc/frontdoor/hints/gone';
const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const NAMES = ['a', 'b', 'c'].map(letter => `${HOST}/team/app@sha256:${letter.repeat(64)}`);
const IMAGES = NAMES.map(pathOfImage);

let folder;
let turns;

beforeEach(() => {
    mock.restoreAll();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hints-'));
    turns = 0;
    mock.method(fs, 'statSync', real(fs.statSync));
    mock.method(fs, 'openSync', real(fs.openSync, () => {
        turns += 1;
    }));
    globalThis.ngx = {
        ERR: 3, WARN: 4, log: mock.fn(), prefix: `${folder}/`,
        shared: Object.fromEntries(['counters', 'gone_images', 'gone_waiting', 'hints', 'images_due', 'images_missing'].map(
            name => [name, new Store(() => Date.now())]
        )),
    };
});

afterEach(() => {
    mock.restoreAll();
    fs.rmSync(folder, { recursive: true });
});

// The function of `fs`, with the test's file in place of the pod's.
function real(called, seen = () => {}) {
    return (file, ...others) => {
        seen();
        return called(file === FILE ? `${folder}/gone` : file, ...others);
    };
}

function pathOfImage(name) {
    return `/${name.replace('/', '/v2/').replace('@', '/manifests/')}`;
}

function nameOf(image) {
    return image.slice(1).replace('/v2/', '/').replace('/manifests/', '@');
}

// Names of other images.
function linesOfNothing(count) {
    return Array.from({ length: count }, (_, number) => `${HOST}/team/other@sha256:${String(number).padStart(64, '0')}`);
}

function linesOf(names) {
    return names.map(name => `1700000000 ${name}\n`).join('');
}

// Replaces the file as a kubelet does.
function put(text) {
    fs.writeFileSync(`${folder}/new`, text);
    fs.renameSync(`${folder}/new`, `${folder}/gone`);
}

function give(text) {
    put(text);
    finishReading();
}

function finishReading() {
    do {
        hints.read_hints();
        assert.ok(turns < 5000, 'the reading ends');
    } while (ngx.shared.hints.has('reading'));
}

function refused() {
    return IMAGES.filter(image => hints.isGone(image));
}

function versionOfFile() {
    const stat = fs.statSync(FILE);
    return `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
}

function logged(level) {
    return ngx.log.mock.calls.filter(call => call.arguments[0] === level).map(call => call.arguments[1]);
}

test('an image of the hints is gone while its line is there', () => {
    give(linesOf(NAMES.slice(0, 2)));
    assert.deepEqual(refused(), IMAGES.slice(0, 2));
    give(linesOf(NAMES.slice(1)));
    assert.deepEqual(refused(), IMAGES.slice(1));
    fs.unlinkSync(`${folder}/gone`);
    hints.read_hints();
    assert.deepEqual(refused(), []);
    assert.equal(logged(ngx.ERR).length, 0);
    assert.match(logged(ngx.WARN)[1], /1 more images and 1 no longer: 2 in all/);
});

test('a repository may have any name', () => {
    const name = NAMES[0].replace('team/app', 'v2/manifests/v2/manifests');
    give(linesOf([name]));
    assert.ok(hints.isGone(`/${HOST}/v2/v2/manifests/v2/manifests/manifests/sha256:${'a'.repeat(64)}`));
});

test('the names of repositories are those of ECR', () => {
    const names = JSON.parse(fs.readFileSync(new URL('../fakes/repository_names.json', import.meta.url), 'utf8'));
    const isRefused = name => {
        const image = NAMES[0].replace('team/app', name);
        give(linesOf([image]));
        return hints.isGone(pathOfImage(image));
    };
    names.valid.forEach(name => assert.ok(isRefused(name), name));
    names.invalid.forEach(name => assert.ok(!isRefused(name), name));
});

test('another registry or repository keeps its image of the same digest', () => {
    give(linesOf([NAMES[0]]));
    for (const other of [NAMES[0].replace('123456789012', '210987654321'), NAMES[0].replace('/app', '/app2')]) {
        assert.equal(hints.isGone(pathOfImage(other)), false);
    }
});

test('the file is read only when it has changed', () => {
    give(linesOf(NAMES.slice(0, 1)));
    hints.read_hints();
    refused();
    assert.equal(turns, 1);
    give(linesOf(NAMES.slice(0, 1)));
    assert.equal(turns, 2);
});

test('the first question comes with a reading', () => {
    put(linesOf([...linesOfNothing(3000), ...NAMES]));
    assert.deepEqual(refused(), IMAGES);
    put('');
    hints.read_hints();
    assert.deepEqual(refused(), []);
});

test('without a file, no image is gone, and nothing is logged', () => {
    hints.read_hints();
    assert.deepEqual([refused(), ngx.log.mock.callCount()], [[], 0]);
});

test('a state that nginx has cached is removed, and an image that is gone counts neither as missing nor as waiting', () => {
    const state = storeFile(folder, NAMES[0], 'HTTP/1.1 200 OK\r\n\r\n', Buffer.alloc(0), { zone: 'images' });
    const other = storeFile(folder, NAMES[1], 'HTTP/1.1 200 OK\r\n\r\n', Buffer.alloc(0), { zone: 'images' });
    for (const store of [ngx.shared.images_missing, ngx.shared.images_due]) {
        store.set(IMAGES[0], 1);
        store.set(IMAGES[1], 1);
    }
    assert.equal(state, pathOf('images', NAMES[0]));
    give(linesOf([NAMES[0]]));
    assert.deepEqual([fs.existsSync(`${folder}/${state}`), fs.existsSync(`${folder}/${other}`)], [false, true]);
    assert.deepEqual([ngx.shared.images_missing.keys(), ngx.shared.images_due.keys()], [[IMAGES[1]], [IMAGES[1]]]);
});

for (const line of [
    'x', NAMES[0], `1 ${NAMES[0]}`, `170000000x ${NAMES[0]}`, `1700000000  ${NAMES[0]}`, `1700000000 ${NAMES[0]} `, `1700000000 ${NAMES[0]}\r`,
    `1700000000 ${NAMES[0].toUpperCase()}`, `1700000000 ${NAMES[0].slice(0, -1)}`, `1700000000 ${NAMES[0]}0`, '\0'.repeat(100),
    `1700000000 /team/app@sha256:${'a'.repeat(64)}`, `1700000000\n${NAMES[0]}`,
    `1700000000 ${HOST}/${'r'.repeat(400)}@sha256:${'a'.repeat(64)}`, `1700000000 ${HOST}/../x@sha256:${'a'.repeat(64)}`,
]) {
    test(`a line ${JSON.stringify(line).slice(0, 60)} is ignored, counted and reported, and the others count`, () => {
        const wrong = line.split('\n').length;
        give(`${linesOf([NAMES[1]])}${line}\n${linesOf([NAMES[2]])}`);
        assert.deepEqual(refused(), [IMAGES[1], IMAGES[2]]);
        assert.equal(ngx.shared.gone_images.size(), 2);
        assert.equal(ngx.shared.counters.get('hints_ignored'), wrong);
        assert.equal(logged(ngx.ERR).length, 1);
        assert.match(logged(ngx.ERR)[0], new RegExp(`^${wrong} lines .* such as '[ -~]{1,100}': a line is <10 digits> `));
    });
}

test('a turn reads a part of the file, and the newest lines come first', () => {
    put(linesOf([NAMES[0], ...linesOfNothing(1000), NAMES[1], NAMES[2]]));
    hints.read_hints();
    assert.ok(ngx.shared.hints.has('reading'));
    assert.deepEqual(IMAGES.map(image => ngx.shared.gone_images.has(nameOf(image))), [false, true, true]);
    finishReading();
    assert.deepEqual(refused(), IMAGES);
    assert.equal(ngx.shared.gone_images.size(), 1003);
    assert.equal(turns, Math.ceil(1003 * 136 / (16 << 10)));
});

test('a line that is lifted counts until the file is read to its end, and a file that is replaced meanwhile is read anew', () => {
    give(linesOf([NAMES[0], NAMES[1]]));
    put(linesOf([NAMES[1], ...linesOfNothing(1000)]));
    hints.read_hints();
    assert.deepEqual(refused(), IMAGES.slice(0, 2));
    put(linesOf([NAMES[0], ...linesOfNothing(1000)]));
    finishReading();
    assert.deepEqual(refused(), IMAGES.slice(0, 1));
    assert.equal(ngx.shared.gone_images.size(), 1001);
});

test('a line that is longer than a turn reads is ignored, too', () => {
    give(`${linesOf([NAMES[0]])}${'x'.repeat(40_000)}\n${linesOf([NAMES[1]])}`);
    assert.deepEqual(refused(), IMAGES.slice(0, 2));
    assert.ok(ngx.shared.counters.get('hints_ignored') > 0);
});

test('of more lines than the watcher writes, the newest 5,000 count', () => {
    give(linesOf([NAMES[0], ...linesOfNothing(4999), NAMES[1]]));
    assert.deepEqual([refused(), ngx.shared.gone_images.size()], [[IMAGES[1]], 5000]);
    assert.equal(ngx.shared.counters.get('hints_ignored'), 1);
    give('x\n'.repeat(500_000));
    assert.deepEqual(refused(), []);
});

test('a file that replaces most lines of the last one is refused whole, although the zone cannot hold both', () => {
    const zone = ngx.shared.gone_images;
    const set = zone.set.bind(zone);
    zone.set = (name, value) => {
        // A tenth of what 3 MiB hold, 6,088 names, as are the lines of 5,000.
        if (!zone.has(name) && zone.size() >= 608) {
            throw Object.assign(new Error(''), { name: 'SharedMemoryError' });
        }
        return set(name, value);
    };
    const lines = linesOfNothing(800);
    give(linesOf(lines.slice(0, 500)));
    put(linesOf([...NAMES, ...lines.slice(303)]));
    let least = Infinity;
    do {
        hints.read_hints();
        least = Math.min(least, lines.slice(303, 500).filter(name => zone.has(name)).length);
    } while (ngx.shared.hints.has('reading') || ngx.shared.hints.get('version') !== versionOfFile());
    assert.deepEqual([refused(), zone.size(), least], [IMAGES, 500, 197]);
    assert.equal(logged(ngx.ERR).length, 0);
});

test('only an image whose manifest is cached waits for the removal of its files', () => {
    storeFile(folder, `sha256:${'a'.repeat(64)}`, 'HTTP/1.1 200 OK\r\n\r\n', Buffer.alloc(0), { zone: 'manifests' });
    give(linesOf(NAMES));
    assert.deepEqual(ngx.shared.gone_waiting.keys(), [NAMES[0]]);
});

test('a file that is too large changes nothing, and is looked at again after a minute', () => {
    mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
    give(linesOf(NAMES.slice(0, 1)));
    give('x'.repeat((1 << 20) + 1));
    assert.deepEqual(refused(), IMAGES.slice(0, 1));
    hints.read_hints();
    assert.equal(logged(ngx.ERR).length, 1);
    assert.match(logged(ngx.ERR)[0], /gone has 1048577 bytes, and at most 1048576 are allowed/);
    mock.timers.tick(60_000);
    hints.read_hints();
    assert.equal(logged(ngx.ERR).length, 2);
    mock.timers.reset();
});

test('a file that cannot be read changes nothing', () => {
    give(linesOf(NAMES.slice(0, 1)));
    fs.unlinkSync(`${folder}/gone`);
    fs.mkdirSync(`${folder}/gone`);
    finishReading();
    assert.deepEqual(refused(), IMAGES.slice(0, 1));
    assert.match(logged(ngx.ERR)[0], /the hints cannot be read, so those of the last reading hold/);
    assert.equal(ngx.shared.counters.get('hints_unreadable'), 1);
});

test('hints that can be read again count as readable, and so does a file that does not exist', () => {
    fs.mkdirSync(`${folder}/gone`);
    finishReading();
    assert.equal(ngx.shared.counters.get('hints_unreadable'), 1);
    fs.rmdirSync(`${folder}/gone`);
    give(linesOf(NAMES.slice(0, 1)));
    assert.equal(ngx.shared.counters.get('hints_unreadable'), 0);
    fs.unlinkSync(`${folder}/gone`);
    finishReading();
    assert.equal(ngx.shared.counters.get('hints_unreadable'), 0);
});

test('a state that cannot be removed is reported', () => {
    mock.method(fs, 'unlinkSync', () => {
        throw Object.assign(new Error(), { code: 'EROFS' });
    });
    give(linesOf([NAMES[0]]));
    mock.restoreAll();
    assert.match(ngx.log.mock.calls[0].arguments[1], /team\/app@sha256:a+ may be served until .* cannot be removed: EROFS$/);
});
