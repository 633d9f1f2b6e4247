// By which result a request to ECR or S3 is counted. An alert goes off for what clients cannot cause.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import frontdoor from '../../k8s_manifests/nginx/njs/frontdoor.js';
import { Store } from './store.mjs';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const MANIFEST = `manifests/${DIGEST}`;

beforeEach(() => {
    globalThis.ngx = { shared: { counters: new Store(Date.now) } };
});

// The names of what is counted for a request that a server has answered.
function counted(server, method, variables, uri = '/') {
    ngx.shared.counters.clear();
    frontdoor.count_request({ method, uri, variables: { server_name: server, request_uri: '/', ...variables } });
    return ngx.shared.counters.keys().filter(name => name.startsWith(`${server === 'layers' ? 's3' : server} `));
}

function ofEcr(method, path, status, uri = '/host/v2/team/app/') {
    const addresses = String(status).replace(/\d+/g, '192.0.2.1:443');
    const [name] = counted('ecr', method, {
        ecr_path: `/v2/team/app/${path}`, upstream_addr: addresses, upstream_status: String(status),
    }, uri);
    return name;
}

const REQUESTS = [
    ['HEAD', 'manifests/1.4', 'tag'], ['GET', 'manifests/1.4', 'tag'], ['GET', MANIFEST, 'manifest'],
    ['GET', `blobs/${DIGEST}`, 'blob_location'], ['HEAD', `blobs/${DIGEST}`, 'blob_size'],
    ['GET', 'tags/list', 'tag_list'], ['GET', `referrers/${DIGEST}`, 'referrers'],
];

// After a refusal this proxy asks for `/v2/`.
test('a request that is not valid is no refused credential, if ECR accepts this at `/v2/`', () => {
    REQUESTS.forEach(([method, path, action]) => {
        ['400 : 200', '502, 400 : 200', '400 : 502, 200', 405, 414, 431].forEach(
            status => assert.equal(ofEcr(method, path, status), `ecr ${action} invalid`)
        );
    });
});

test('a credential that ECR refuses at `/v2/`, too, is one', () => {
    REQUESTS.forEach(([method, path, action]) => {
        [401, '400 : 400', '400 : 401', '403 : 400', '403 : 401', '403 : 403', '502, 400 : 400'].forEach(
            status => assert.equal(ofEcr(method, path, status), `ecr ${action} refused`)
        );
    });
});

test('what ECR refuses at `/v2/` itself is the credential', () => {
    [400, 401, 403].forEach(status => {
        const [name] = counted('ecr', 'GET', { ecr_path: '/v2/', upstream_addr: '192.0.2.1:443', upstream_status: String(status) });
        assert.equal(name, 'ecr check refused');
    });
});

// Any client can name a repository that ECR refuses.
test('a repository that ECR refuses is no refused credential, if ECR accepts this at `/v2/`', () => {
    assert.equal(ofEcr('GET', MANIFEST, '403 : 200'), 'ecr manifest denied');
    assert.equal(ofEcr('HEAD', 'manifests/1.4', '502, 403 : 200'), 'ecr tag denied');
    assert.equal(ofEcr('GET', MANIFEST, '403 : 502, 200'), 'ecr manifest denied', 'the first address of the check failed');
    assert.equal(ofEcr('GET', MANIFEST, '502, 200'), 'ecr manifest ok');
    assert.equal(ofEcr('GET', 'tags/list', '403 : 200'), 'ecr tag_list denied');
    assert.equal(ofEcr('GET', 'manifests/1.4', '403 : 200', '/-/import/host/v2/team/app/'), 'ecr import invalid');
    assert.equal(ofEcr('GET', MANIFEST, '403 : 200', '/-/import/host/v2/team/app/'), 'ecr manifest invalid');
});

test('an ECR that fails when it is asked about the credential says nothing of it', () => {
    const results = { 429: 'throttled', 500: 'failed', 503: 'failed', 504: 'late' };
    Object.keys(results).forEach(
        status => assert.equal(ofEcr('GET', MANIFEST, `403 : ${status}`), `ecr manifest ${results[status]}`)
    );
});

test('a credential that is missing is one, also where it would be checked', () => {
    const [name] = counted('ecr', 'GET', {
        ecr_path: `/v2/team/app/${MANIFEST}`, upstream_addr: 'unix:/c.sock : unix:/c.sock', upstream_status: '403 : 403',
    });
    assert.equal(name, 'ecr manifest no_credential');
});

test('a tag that ECR sent before and refuses now is counted, and no made-up one', () => {
    const isCounted = (variables, uri = '/host/v2/team/app/manifests/1.4') => {
        ngx.shared.counters.clear();
        const refused = { server_name: 'tags', upstream_cache_status: 'STALE', upstream_status: '403', status: '200', ...variables };
        frontdoor.count_request({ method: 'GET', uri, variables: { request_uri: '/', ...refused } });
        return ngx.shared.counters.keys().includes('refused_tags');
    };
    assert.ok(isCounted({}));
    assert.ok(isCounted({ upstream_status: '502, 403' }));
    ['MISS', 'EXPIRED', 'HIT', 'UPDATING'].forEach(status => assert.ok(!isCounted({ upstream_cache_status: status }), status));
    ['429', '503', '504', '403, 503'].forEach(status => assert.ok(!isCounted({ upstream_status: status }), status));
    ['403', '503'].forEach(status => assert.ok(!isCounted({ status }), status));
    ['front', 'answers', 'ecr'].forEach(server => assert.ok(!isCounted({ server_name: server }), server));
    assert.ok(!isCounted({}, '/-/import/host/v2/hub/nginx/manifests/1'));
});

test('other answers of ECR', () => {
    const results = { 200: 'ok', 307: 'ok', 404: 'missing', 429: 'throttled', 500: 'failed', 503: 'failed', 504: 'late' };
    Object.keys(results).forEach(status => assert.equal(ofEcr('GET', MANIFEST, status), `ecr manifest ${results[status]}`));
});

test('a range that S3 does not have is no failure of S3', () => {
    const results = {
        200: 'ok', 206: 'ok', 416: 'ok', 400: 'refused', 403: 'refused', 404: 'refused', 500: 'failed', 503: 'failed', 504: 'late',
    };
    Object.keys(results).forEach(status => {
        const names = counted('layers', 'GET', { upstream_addr: '192.0.2.1:443', upstream_status: status });
        assert.deepEqual(names, [`s3 ${results[status]}`]);
    });
});

// The names of the errors that are counted for a request of a client.
function errorsAt(path, uri, variables = {}) {
    ngx.shared.counters.clear();
    frontdoor.count_request({
        method: 'GET', uri, variables: { server_name: 'front', request_uri: path, status: '429', body_bytes_sent: '5', ...variables },
    });
    return ngx.shared.counters.keys().filter(name => name.startsWith('errors '));
}

test('a large pull that has waited for memory in vain is no failure, as one client can cause it', () => {
    const path = `/v2/team/app/blobs/${DIGEST}`;
    const errors = variables => errorsAt(path, path, { status: '503', held_mib: '0', upstream_status: '206 : 503', ...variables });
    assert.deepEqual(errors({}), ['errors no_memory']);
    assert.deepEqual(errors({ upstream_status: '503' }), ['errors no_memory']);
    assert.deepEqual(errors({ status: '504' }), ['errors 504']);
    // It did not wait, or it began, or the server at which it waits failed.
    assert.deepEqual(errors({ held_mib: '' }), ['errors 503']);
    assert.deepEqual(errors({ held_mib: '2' }), ['errors 503']);
    assert.deepEqual(errors({ upstream_status: '206 : 502' }), ['errors 503']);
});

test('a 429 of the page is none of a pull', () => {
    ['/', '/-/status.json', '/-/catalogue/00.json', '/%2d/startup'].forEach(
        path => assert.deepEqual(errorsAt(path, path === '/' ? '/-/page' : path.replace('%2d', '-')), ['errors other'])
    );
    ['/v2/', '/docker-hub/v2/'].forEach(path => assert.deepEqual(errorsAt(path, path), ['errors 429']));
    // nginx has rewritten the path of most pulls when it logs.
    const blob = `/v2/team/app/blobs/${DIGEST}`;
    const tag = '/v2/team/app/manifests/1.4';
    [
        [tag, tag], [tag, `/-/manifest/HIT/application/json/${DIGEST}`], [`/v2/team/app/${MANIFEST}`, '/-/digest-of-mirror'],
        [blob, blob], [blob, '/-/part'], [blob, '/-/range'], [blob, '/-/long-range'],
    ].forEach(([path, uri]) => assert.deepEqual(errorsAt(path, uri, { repository: 'team/app' }), ['errors 429'], uri));
});
