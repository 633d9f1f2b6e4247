// What is known of an image after ECR's answers.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import image_state from '../../k8s_manifests/nginx/njs/image_state.js';

test('an image that ECR has never denied is there', () => {
    assert.equal(image_state.state(undefined, 5, 0), '');
});

test('an image that ECR lacks is served for a time, and then refused', () => {
    assert.deepEqual([0, 999, 1000].map(age => image_state.state(50, 50 + age, 1000)), ['missing', 'missing', 'deleted']);
});

test('an image that ECR lacks is refused at once where it is not served for a time', () => {
    assert.equal(image_state.state(50, 50, 0), 'deleted');
});

test('the last state is cached for seconds while ECR is asked, and for ten minutes when it has not answered', () => {
    assert.deepEqual([0, 4999, 5000, 9000].map(ms => image_state.cachedSeconds(ms, 600)), [5, 5, 600, 600]);
    assert.equal(image_state.cachedSeconds(0, 2), 2);
});
