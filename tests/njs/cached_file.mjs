// Files of a cache in nginx's format: ngx_http_file_cache_header_t of nginx's src/http/ngx_http_cache.h.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const YEAR_SECONDS = 365 * 24 * 3600;

export function digestOf(body) {
    return `sha256:${createHash('sha256').update(body).digest('hex')}`;
}

// The head of a slice that nginx has stored.
export function slice(digest, first, last, bytes) {
    return `HTTP/1.1 206 Partial Content\r\nContent-Length: ${last - first + 1}\r\nContent-Range: bytes ${first}-${last}/${bytes}\r\n`
        + `Docker-Content-Digest: ${digest}\r\n\r\n`;
}

export function bytesOf(key, head, body, ttlSeconds = YEAR_SECONDS) {
    const start = Buffer.alloc(336);
    start.writeUInt32LE(5, 0);
    start.writeUInt32LE(Math.round(Date.now() / 1000) + ttlSeconds, 8);
    start.writeUInt16LE(336 + 7 + key.length, 54);
    start.writeUInt16LE(336 + 7 + key.length + head.length, 56);
    return Buffer.concat([start, Buffer.from(`\nKEY: ${key}\n${head}`), body]);
}

// Where nginx stores an entry.
export function pathOf(zone, key) {
    const name = createHash('md5').update(key).digest('hex');
    return `${zone}/${name.slice(31)}/${name.slice(29, 31)}/${name}`;
}

// Writes a file of the cache that is in a folder, and returns its path in the cache.
export function storeFile(folder, key, head, body, { zone = 'blobs', ttlSeconds } = {}) {
    const file = pathOf(zone, key);
    fs.mkdirSync(path.dirname(`${folder}/${file}`), { recursive: true });
    fs.writeFileSync(`${folder}/${file}`, bytesOf(key, head, body, ttlSeconds));
    // A time that a test can set again exactly.
    const now = Math.floor(Date.now() / 1000);
    fs.utimesSync(`${folder}/${file}`, now, now);
    return file;
}
