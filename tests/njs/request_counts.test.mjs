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
function counted(server, method, variables) {
    ngx.shared.counters.clear();
    frontdoor.count_request({ method, uri: '/', variables: { server_name: server, request_uri: '/', ...variables } });
    return ngx.shared.counters.keys().filter(name => name.startsWith(`${server === 'layers' ? 's3' : server} `));
}

function ofEcr(method, path, status) {
    const [name] = counted('ecr', method, {
        ecr_path: `/v2/team/app/${path}`, upstream_addr: '192.0.2.1:443', upstream_status: String(status),
    });
    return name;
}

test('what ECR says of a query that a client chose is no refused credential', () => {
    ['tags/list', `referrers/${DIGEST}`].forEach(path => {
        const action = path === 'tags/list' ? 'tag_list' : 'referrers';
        [400, 405, 414, 431].forEach(status => assert.equal(ofEcr('GET', path, status), `ecr ${action} invalid`));
        [401, 403].forEach(status => assert.equal(ofEcr('GET', path, status), `ecr ${action} refused`));
    });
});

test('a 400 to a GET by tag may be due to the Accept of its client, and to a HEAD not', () => {
    assert.equal(ofEcr('GET', 'manifests/1.4', 400), 'ecr tag invalid');
    assert.equal(ofEcr('HEAD', 'manifests/1.4', 400), 'ecr tag refused');
});

// After the refusal this proxy asks for `/v2/`.
test('a 400 to an import may be due to its client, but not if ECR refuses the credential itself, too', () => {
    assert.equal(ofEcr('GET', 'manifests/1.4', '400 : 400'), 'ecr tag refused');
    assert.equal(ofEcr('GET', 'manifests/1.4', '502, 400'), 'ecr tag invalid');
});

test('what ECR says of a request that is this proxy\'s alone is about its credential', () => {
    [400, 401, 403].forEach(status => {
        assert.equal(ofEcr('GET', MANIFEST, status), 'ecr manifest refused');
        assert.equal(ofEcr('GET', `blobs/${DIGEST}`, status), 'ecr blob_location refused');
        assert.equal(ofEcr('HEAD', `blobs/${DIGEST}`, status), 'ecr blob_size refused');
    });
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
