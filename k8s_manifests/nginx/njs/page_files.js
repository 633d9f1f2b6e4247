// The ETag of a file of the page or of the catalogue: its SHA-256. nginx's own is made of the time of the file, which differs
// between pods and changes with each of them. docs/decisions/0039-the-page.md has the reasons.

import crypto from 'crypto';
import fs from 'fs';

// The ETag of the file $page_file, or '' without one. A kubelet writes a changed volume into a new folder, so a file is read
// once.
function page_etag(r) {
    try {
        const path = fs.realpathSync(r.variables.page_file);
        const seen = fs.statSync(path);
        const key = `${path} ${seen.mtimeMs} ${seen.size}`;
        let digest = ngx.shared.page_etags.get(key);
        if (digest === undefined) {
            digest = crypto.createHash('sha256').update(fs.readFileSync(path)).digest('hex').slice(0, 32);
            ngx.shared.page_etags.set(key, digest);
        }
        return `"${digest}"`;
    } catch (e) {
        if (e.code !== 'ENOENT') {
            r.error(`${r.variables.page_file} cannot be read: ${e.message}`);
        }
        return '';
    }
}

// '1' when the client has the file already. It may have several, and of one that nginx has unpacked a weak ETag.
function page_is_known(r) {
    const etag = r.variables.page_etag;
    return etag !== '' && (r.headersIn['If-None-Match'] || '').includes(etag) ? '1' : '';
}

export default { page_etag, page_is_known };
