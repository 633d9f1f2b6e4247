// What Prometheus gets from a pod, with a folder in place of its files.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { beforeEach, mock, test } from 'node:test';

import pod_state from '../../k8s_manifests/nginx/njs/pod_state.js';
import prometheus_text from '../../k8s_manifests/nginx/njs/prometheus_text.js';
import request_metrics from '../../k8s_manifests/nginx/njs/request_metrics.js';
import tag_hits from '../../k8s_manifests/nginx/njs/tag_hits.js';
import version from '../../k8s_manifests/nginx/njs/version.js';
import { Store } from './store.mjs';

const V1 = '/sys/fs/cgroup/memory';
const V2 = '/sys/fs/cgroup';
const CREDENTIAL = '/etc/frontdoor/credential';
const RUN = '/run/frontdoor';
const EVEN = `${RUN}/even_tag_hits.count`;
const ODD = `${RUN}/odd_tag_hits.count`;
const NOW = Date.parse('2026-11-27T02:00:04Z');

let files;
let now;

beforeEach(() => {
    mock.restoreAll();
    now = NOW;
    files = { [EVEN]: '', [ODD]: '' };
    globalThis.njs = { version: '1.2.3' };
    globalThis.ngx = { shared: { counters: new Store(() => 0) } };
    mock.method(Date, 'now', () => now);
    mock.method(fs, 'readFileSync', path => {
        if (!(path in files)) {
            throw new Error('ENOENT');
        }
        return files[path];
    });
    mock.method(fs, 'readdirSync', () => ['b.js', 'nginx.conf', 'a.js']);
    mock.method(fs, 'statSync', path => ({ size: files[path].length }));
    mock.method(fs, 'writeFileSync', (path, text) => {
        files[path] = text;
    });
});

function sample(text, name) {
    const found = text.split('\n').find(line => line.startsWith(`frontdoor_${name} `));
    return found && Number(found.split(' ')[1]);
}

function state() {
    files[`${RUN}/nginx.conf`] = 'the configuration';
    files[`${RUN}/a.js`] = 'first';
    files[`${RUN}/b.js`] = 'second';
    return pod_state.families({ variables: { nginx_version: '1.30.6' } }).join('');
}

function ofRequests(requests, unfinished = 1) {
    return request_metrics.families(requests, unfinished).join('');
}

test('the page cache does not count as used memory, and shared memory does', () => {
    files[`${V2}/memory.current`] = '1000\n';
    files[`${V2}/memory.max`] = '5000\n';
    files[`${V2}/memory.stat`] = 'anon 250\nfile 700\nshmem 100\nfile_dirty 3\n';
    assert.equal(sample(state(), 'memory_used_bytes'), 400);
    assert.equal(sample(state(), 'memory_limit_bytes'), 5000);
});

test('a node with the first version of cgroups has other files', () => {
    files[`${V1}/memory.usage_in_bytes`] = '1000\n';
    files[`${V1}/memory.limit_in_bytes`] = '6000\n';
    files[`${V1}/memory.stat`] = 'cache 1\nshmem 1\ntotal_cache 700\ntotal_shmem 100\n';
    assert.equal(sample(state(), 'memory_used_bytes'), 400);
    assert.equal(sample(state(), 'memory_limit_bytes'), 6000);
});

test('what is not known has no sample', () => {
    files[`${V2}/memory.current`] = '1000\n';
    files[`${V2}/memory.max`] = 'max\n';
    const text = state();
    for (const name of ['memory_limit_bytes', 'token_seconds_left', 'last_refresh_seconds']) {
        assert.doesNotMatch(text, new RegExp(name));
    }
    assert.equal(sample(text, 'memory_used_bytes'), 1000);
    delete files[`${V2}/memory.current`];
    assert.doesNotMatch(state(), /memory/);
});

test('the token and the last refresh have the age that the Secret says', () => {
    files[`${CREDENTIAL}/expires_at`] = '2026-11-27T01:00:04Z';
    files[`${CREDENTIAL}/refreshed_at`] = '2026-11-27T01:59:04Z';
    assert.equal(sample(state(), 'token_seconds_left'), -3600);
    assert.equal(sample(state(), 'last_refresh_seconds'), 60);
});

test('the digests are of the configuration, and of all modules with their names', () => {
    const digest = text => createHash('sha256').update(text).digest('hex');
    const labels = `njs="1.2.3",config_sha256="${digest('the configuration')}",scripts_sha256="${digest('a.js\nfirstb.js\nsecond')}"`;
    assert.equal(sample(state(), `build_info{version="${version.VERSION}",nginx="1.30.6",${labels}}`), 1);
});

test('hits are what nothing else has counted', () => {
    ngx.shared.counters.set('internal ecr', 20).set('requests miss', 3).set('requests none', 2);
    files[EVEN] = '\n'.repeat(4);
    const text = ofRequests(101, 1);
    assert.equal(sample(text, 'requests_total{cache="hit"}'), 71);
    assert.equal(sample(text, 'internal_requests_total{server="tags"}'), 4);
    assert.equal(sample(text, 'requests_in_progress'), 1);
});

test('hits never fall, also when a request has ended and is not counted yet', () => {
    assert.equal(sample(ofRequests(101), 'requests_total{cache="hit"}'), 100);
    ngx.shared.counters.incr('requests miss', 1, 0);
    assert.equal(sample(ofRequests(101), 'requests_total{cache="hit"}'), 100);
    assert.equal(sample(ofRequests(103), 'requests_total{cache="hit"}'), 101);
});

test('the file of the last ten seconds is folded into the count once nothing writes it, and the other is left', () => {
    files[EVEN] = '\n'.repeat(7);
    files[ODD] = '\n'.repeat(5);
    now = NOW - 2000;  // in an even period, two seconds old
    tag_hits.fold_tag_hits();
    assert.deepEqual([files[ODD].length, tag_hits.count()], [5, 12]);
    now = NOW;
    tag_hits.fold_tag_hits();
    assert.deepEqual([files[EVEN].length, files[ODD].length, tag_hits.count()], [7, 0, 12]);
    now = NOW + 10_000;
    tag_hits.fold_tag_hits();
    assert.deepEqual([files[EVEN].length, files[ODD].length, tag_hits.count()], [0, 0, 12]);
});

test('a template that writes no such file has no such hits', () => {
    mock.method(fs, 'statSync', () => {
        throw new Error('ENOENT');
    });
    tag_hits.fold_tag_hits();
    assert.equal(tag_hits.count(), 0);
});

test('a count in the moment of a fold waits for its end', () => {
    files[ODD] = '\n'.repeat(5);
    const counters = ngx.shared.counters;
    counters.set('tag_hits folds', 1).set('tag_hits', 5);
    let looks = 0;
    mock.method(counters, 'get', function get(name) {
        looks += 1;
        if (looks === 20) {
            files[ODD] = '';
            this.set('tag_hits folds', 2);
        }
        return Store.prototype.get.call(this, name);
    });
    assert.equal(tag_hits.count(), 5);
});

test('a metric without a sample is left out, and 0 is a sample', () => {
    assert.equal(prometheus_text.family('a', 'gauge', 'A.', undefined), '');
    assert.equal(prometheus_text.family('a', 'gauge', 'A.', { '{x="1"}': NaN, '{x="2"}': 0 }),
        '# HELP frontdoor_a A.\n# TYPE frontdoor_a gauge\nfrontdoor_a{x="2"} 0\n');
});
