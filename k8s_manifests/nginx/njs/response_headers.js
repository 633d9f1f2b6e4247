// Decides which headers of ECR and S3 a client may see, and which redirects of ECR are followed.

import ecr_upstream from './ecr_upstream.js';
import image_state from './image_state.js';
import read_ahead from './read_ahead.js';
import layer_upstream from './layer_upstream.js';
import list_pages from './list_pages.js';
import request_counts from './request_counts.js';

// An allow-list: challenges, cookies, request ids and server names of an upstream do not reach the client.
const ALLOWED = [
    'accept-ranges', 'content-length', 'content-range', 'content-type', 'docker-content-digest', 'etag',
    'last-modified', 'link', 'location', 'oci-filters-applied', 'retry-after',
];

// Filters an answer of ECR: `Link` leads to this registry, and a `Location` outside of ECR's layer bucket, which would let
// a registry send this proxy to any address, is removed. Records the outcome of the request as well: this is the one place
// where nginx runs code on every answer.
function answer_of_ecr(r) {
    ecr_upstream.recordOutcome(r, r.uri.startsWith('/-/import/'));
    image_state.notePull(r);
    removeOthers(r);
    const headers = r.headersOut;
    if (headers.Link) {
        linkToNextPage(r);
    }
    if (headers.Location && isForeignRedirect(r)) {
        r.error(`refused to follow a redirect of a blob to ${headers.Location.split('?')[0]}: not a layer bucket of ECR`);
        delete headers.Location;
    }
}

function linkToNextPage(r) {
    const link = list_pages.nextPage(r.variables.ecr_path, r.headersOut.Link);
    if (link) {
        r.headersOut.Link = link;
    } else {
        r.error(`the list ${r.variables.ecr_path} ends here: the link to its next page cannot be followed`);
        delete r.headersOut.Link;
    }
}

// Whether an answer of ECR redirects to anything but its layer bucket, or what the upstream of a mirror has instead.
function isForeignRedirect(r) {
    const location = r.variables.upstream_http_location;
    const allowed = [r.variables.layer_urls, r.variables.mirror_urls].filter(Boolean);
    return location && !allowed.some(urls => new RegExp(urls).test(location));
}

// Filters ECR's answer at `/v2/`, for which it was asked after it had refused a request (conf/server_ecr.conf.j2). If it accepts
// the credential, it refused what was requested: with 400 as not valid, else it denied the repository or the import (432). An ECR
// that fails says neither.
function answer_of_check(r) {
    if (r.status === 200) {
        const isInvalid = !r.uri.startsWith('/-/import/') && request_counts.isInvalidRequest(r.variables.upstream_status);
        r.status = isInvalid ? 400 : 432;
    }
    ecr_upstream.recordOutcome(r, false);
    removeOthers(r);
}

// Filters an answer of S3.
function answer_of_s3(r) {
    read_ahead.noteSize(r);
    layer_upstream.recordAnswer(r);
    removeOthers(r);
    delete r.headersOut.Location;
}

function removeOthers(r) {
    for (const name in r.headersOut) {
        if (!ALLOWED.includes(name.toLowerCase())) {
            delete r.headersOut[name];
        }
    }
}

export default { answer_of_check, answer_of_ecr, answer_of_s3 };
