// What a file of nginx's cache says about itself, and whether it agrees with itself. It only depends on its arguments.
//
// A file has a binary header, the key, the head of the response, and its body. The binary header is
// ngx_http_file_cache_header_t of nginx's src/http/ngx_http_cache.h, on 64-bit little-endian machines.

import crypto from 'crypto';

const VERSION = 5;
const VALID_UNTIL_AT = 8;
const HEAD_AT = 54;
const BODY_AT = 56;
const KEY_AT = 342;

// Longer than the TTL of any error and any tag.
const LONGEST_TTL_SECONDS = 2 * 3600;
// The clock of the file system may be a little behind.
const CLOCK_MARGIN_SECONDS = 1;

// Written as literals: the code outside of functions runs in every turn, and one that is built there is compiled each time.
const CONTENT_KEY = /^(sha256:[0-9a-f]{64})(?: bytes=([0-9]+)-([0-9]+))?$/;
// Of the server `tags`, which asks by HEAD: its entries have no body.
const TAG_KEY = /^[^ /]+\/v2\/[^ ]+\/manifests\/[^ /]+$/;

const LENGTH = /\r\nContent-Length: ([^\r\n]*)/i;
const ENCODING = /\r\nTransfer-Encoding: ([^\r\n]*)/i;
const RANGE = /\r\nContent-Range: bytes ([0-9]+)-([0-9]+)\/([0-9]+)\r\n/i;
// Of the server `images`, which says how long its answer is valid.
const TTL_SECONDS = /\r\nX-Accel-Expires: ([0-9]+)\r\n/i;
const NAMED_DIGEST = /\r\nDocker-Content-Digest: ([^\r\n]*)/i;

// Where the body begins, or 0 when this is no header.
function bodyStart(bytes) {
    return bytes.length > KEY_AT ? bytes.readUInt16LE(BODY_AT) : 0;
}

function md5(text) {
    return crypto.createHash('md5').update(text).digest('hex');
}

// Where nginx stores what has a key.
function pathOf(zone, key) {
    const name = md5(key);
    return `${zone}/${name.slice(31)}/${name.slice(29, 31)}/${name}`;
}

function pathOfSlice(digest, sliceBytes, number) {
    const first = number * sliceBytes;
    return pathOf('blobs', `${digest} bytes=${first}-${first + sliceBytes - 1}`);
}

// Whether nginx has another format, of which nothing is known here. It passes over such a file itself where it has this one.
function isOfOtherVersion(bytes) {
    return bytes.length > KEY_AT && (bytes.readUInt32LE(0) !== VERSION || bytes.readUInt32LE(4) !== 0);
}

// The entry in a file of this name, or null when its header is damaged. `bytes` reaches from the file's start to its body.
function parse(name, bytes) {
    const headAt = bytes.length > KEY_AT ? bytes.readUInt16LE(HEAD_AT) : 0;
    if (headAt <= KEY_AT || headAt > bytes.length) {
        return null;
    }
    const key = bytes.toString('utf8', KEY_AT, headAt - 1);
    const head = bytes.toString('utf8', headAt);
    const status = /^HTTP\/1\.[01] ([2-5][0-9]{2}) /.exec(head);
    if (md5(key) !== name || !status || !head.endsWith('\r\n\r\n')) {
        return null;
    }
    const content = CONTENT_KEY.exec(key);
    return {
        key,
        status: Number(status[1]),
        validUntil: bytes.readUInt32LE(VALID_UNTIL_AT) + bytes.readUInt32LE(VALID_UNTIL_AT + 4) * 0x100000000,
        bodyStart: bytes.length,
        // Content that its key names never changes.
        digest: content ? content[1] : null,
        first: content && content[2] !== undefined ? Number(content[2]) : null,
        last: content && content[3] !== undefined ? Number(content[3]) : null,
        isTag: TAG_KEY.test(key),
        length: value(head, LENGTH),
        isChunked: value(head, ENCODING) !== null,
        range: RANGE.exec(head),
        names: value(head, NAMED_DIGEST),
        ttlSeconds: value(head, TTL_SECONDS),
    };
}

function value(head, header) {
    const found = header.exec(head);
    return found ? found[1] : null;
}

// How the file of an entry is damaged: 'header', 'size', or '' when it agrees with itself.
//   sizeBytes   of the file
//   storedAtMs  when it was written
function damage(entry, sizeBytes, storedAtMs) {
    if (entry === null) {
        return sizeBytes > KEY_AT ? 'header' : 'size';
    }
    const isContent = entry.status < 300;
    const longest = longestSeconds(entry);
    if (longest !== null && entry.validUntil > storedAtMs / 1000 + longest + CLOCK_MARGIN_SECONDS) {
        return 'header';
    }
    if (isContent && (!namesItsKey(entry) || !isItsRange(entry))) {
        return 'header';
    }
    if (entry.length === null) {
        return entry.digest && isContent && !entry.isChunked ? 'header' : '';
    }
    return sizeBytes === entry.bodyStart + (entry.isTag ? 0 : Number(entry.length)) ? '' : 'size';
}

// The longest time for which an entry may be valid; null where nothing bounds it.
function longestSeconds(entry) {
    if (entry.ttlSeconds !== null) {
        return Number(entry.ttlSeconds);
    }
    return entry.isTag || (entry.digest && entry.status >= 300) ? LONGEST_TTL_SECONDS : null;
}

function namesItsKey(entry) {
    return !entry.digest || entry.names === null || entry.names === entry.digest;
}

// Whether a slice is the one that its key names. The last slice of a blob is shorter than its key says.
function isItsRange(entry) {
    if (entry.first === null || entry.status !== 206) {
        return true;
    }
    if (!entry.range) {
        return false;
    }
    const last = Math.min(entry.last, Number(entry.range[3]) - 1);
    return Number(entry.range[1]) === entry.first && Number(entry.range[2]) === last
        && Number(entry.length) === last - entry.first + 1;
}

// The digest of the file's body, where the key says it: of a manifest, and of a blob that is one slice.
function digestOfBody(entry) {
    if (!entry.digest || entry.status >= 300) {
        return null;
    }
    const isWhole = entry.first === null || entry.status === 200
        || (entry.first === 0 && Number(entry.length) === Number(entry.range[3]));
    return isWhole ? entry.digest : null;
}

export default { bodyStart, damage, digestOfBody, isOfOtherVersion, parse, pathOf, pathOfSlice };
