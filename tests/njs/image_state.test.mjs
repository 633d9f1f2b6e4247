// What is known of an image after ECR's answers, and which image ECR is asked for next.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import image_state from '../../k8s_manifests/nginx/njs/image_state.js';
import { Store } from './store.mjs';

const LARGEST_QUEUE = 1000;

let asked;
let answered;

beforeEach(() => {
    mock.timers.reset();
    mock.timers.enable({ apis: ['Date'], now: 1_000_000_000 });
    asked = [];
    answered = [];
    const shared = {};
    for (const name of ['counters', 'gone_images', 'hints', 'image_pulls', 'images_denied', 'images_due', 'images_missing', 'images_running']) {
        shared[name] = new Store(Date.now);
    }
    shared.images_asked = new Store(Date.now, 600_000);
    shared.hints.set('version', 'ENOENT');
    globalThis.ngx = { ERR: 3, fetch: url => fetch(url), log: () => null, shared };
});

// ECR lacks every image.
async function fetch(url) {
    asked.push(url);
    return { status: 404 };
}

// The answer for an image that is cached: its state and the seconds for which nginx keeps it.
async function stateOf(image) {
    const variables = { deleted_seconds: '86400', retry_seconds: '600', revalidate_seconds: '72000' };
    const r = {
        headersOut: {}, return: status => answered.push(status), subrequest: async () => ({ status: 200 }), uri: image, variables,
    };
    await image_state.image_state(r);
    return [r.headersOut['X-Image-State'], r.headersOut['X-Accel-Expires']];
}

function ask() {
    return image_state.ask_for_image({ return: () => null, variables: { fetch_url: '' } });
}

function know(image, agoMs) {
    ngx.shared.image_pulls.set(image, Date.now() - agoMs, 1e12);
}

test('an image that ECR has never denied is there', () => {
    assert.equal(image_state.state(undefined, 5, 0), '');
});

test('an image that ECR lacks is served for a time, and then refused', () => {
    assert.deepEqual([0, 999, 1000].map(age => image_state.state(50, 50 + age, 1000)), ['missing', 'missing', 'deleted']);
});

test('an image that ECR lacks is refused at once where it is not served for a time', () => {
    assert.equal(image_state.state(50, 50, 0), 'deleted');
});

test('the last state is cached for seconds while ECR is asked, and then until it is asked again', () => {
    assert.deepEqual([0, 4999, 5000, 9000, 599_999].map(ms => image_state.cachedSeconds(ms, 600)), [5, 5, 595, 591, 1]);
    assert.equal(image_state.cachedSeconds(0, 2), 2);
});

test('an image has its state until it is time to ask ECR again', async () => {
    know('/a', 71_000_000);
    assert.deepEqual(await stateOf('/a'), ['', '1000']);
    assert.equal(ngx.shared.images_due.size(), 0);
    know('/a', 72_000_000);
    assert.deepEqual(await stateOf('/a'), ['', '5']);
    assert.equal(ngx.shared.images_due.size(), 1);
});

test('ECR is asked for the image that has waited longest, one at a time', async () => {
    for (const image of ['/b', '/c', '/a']) {
        await stateOf(image);
        mock.timers.tick(1);
    }
    await Promise.all([ask(), ask()]);
    assert.deepEqual(asked, ['/-/revalidate/b']);
    await ask();
    await ask();
    await ask();
    assert.deepEqual(asked, ['/-/revalidate/b', '/-/revalidate/c', '/-/revalidate/a']);
});

test('an image is asked for again after the pause', async () => {
    await stateOf('/a');
    await ask();
    mock.timers.tick(5000);
    assert.deepEqual(await stateOf('/a'), ['deleted', '595']);
    mock.timers.tick(594_999);
    assert.deepEqual(await stateOf('/a'), ['deleted', '1']);
    assert.equal(ngx.shared.images_due.size(), 0);
    mock.timers.tick(1);
    assert.deepEqual(await stateOf('/a'), ['deleted', '5']);
    await ask();
    assert.deepEqual(asked, ['/-/revalidate/a', '/-/revalidate/a']);
});

test('an image that stops waiting already counts as asked, also for the other worker', async () => {
    await stateOf('/a');
    const { images_asked, images_due } = ngx.shared;
    const seen = [];
    const remove = images_due.delete.bind(images_due);
    images_due.delete = image => {
        remove(image);
        seen.push(images_asked.has(image));
    };
    await ask();
    assert.deepEqual(seen, [true]);
});

test('a clock that was set back stops no pull, and serves no image again that is refused at once', async () => {
    know('/pulled', -86_400_000);
    ngx.shared.images_asked.set('/asked', Date.now() + 86_400_000);
    for (const image of ['/pulled', '/asked']) {
        assert.deepEqual(await stateOf(image), ['', '5']);
        await ask();
    }
    assert.deepEqual(asked, ['/-/revalidate/pulled', '/-/revalidate/asked']);
    assert.equal(image_state.state(Date.now() + 86_400_000, Date.now(), 0), 'deleted');
});

test('the time for which a missing image is served begins again when the clock was set back', async () => {
    know('/a', 72_000_000);
    ngx.shared.images_missing.set('/a', Date.now() + 86_400_000);
    await stateOf('/a');
    await ask();
    assert.equal(ngx.shared.images_missing.get('/a'), Date.now());
});

test('an image that is missing stays known after its last pull is forgotten', async () => {
    know('/a', 72_000_000);
    await stateOf('/a');
    await ask();
    ngx.shared.image_pulls.delete('/a');
    mock.timers.tick(600_000);
    assert.equal((await stateOf('/a'))[0], 'missing');
    await ask();
    assert.equal(asked.length, 2);
    assert.equal((await stateOf('/a'))[0], 'missing');
    assert.equal(ngx.shared.images_denied.size(), 0);
});

test('images that ECR has never sent get half of the places, and one without a place counts as not asked', async () => {
    for (let number = 0; number < LARGEST_QUEUE; number += 1) {
        await stateOf(`/made-up-${number}`);
    }
    assert.equal(ngx.shared.images_due.size(), LARGEST_QUEUE / 2);
    for (let number = 0; number < LARGEST_QUEUE; number += 1) {
        know(`/known-${number}`, 72_000_000);
        assert.deepEqual(await stateOf(`/known-${number}`), ['', '5']);
    }
    assert.equal(ngx.shared.images_due.size(), LARGEST_QUEUE);
    assert.equal(ngx.shared.images_asked.size(), 0);
});

test('an image that ECR has sent is served with a warning; one that it never sent is refused, and takes no place', async () => {
    know('/known', 72_000_000);
    for (const image of ['/known', '/made-up']) {
        await stateOf(image);
        await ask();
    }
    assert.deepEqual([(await stateOf('/known'))[0], (await stateOf('/made-up'))[0]], ['missing', 'deleted']);
    assert.deepEqual(ngx.shared.images_missing.keys(), ['/known']);
    assert.equal(ngx.shared.counters.get('missing_images_found'), 1);
});

test('an image that is gone is refused, whatever is known of it, and ECR is not asked for it', async () => {
    know('/a', 0);
    ngx.shared.gone_images.set('a', 1);
    assert.deepEqual(await stateOf('/a'), [undefined, '5']);
    assert.deepEqual(answered, [401]);
    assert.equal(ngx.shared.images_due.size(), 0);
});

test('an image that is gone when ECR says that it lacks it raises no alarm', async () => {
    know('/a', 72_000_000);
    await stateOf('/a');
    ngx.fetch = async () => {
        ngx.shared.gone_images.set('a', 1);
        return { status: 404 };
    };
    await ask();
    assert.equal(ngx.shared.images_missing.size(), 0);
});

test('an image that waits for ECR and is gone meanwhile is not asked for', async () => {
    await stateOf('/a');
    ngx.shared.gone_images.set('a', 1);
    await ask();
    assert.deepEqual([asked, ngx.shared.images_due.size()], [[], 0]);
});
