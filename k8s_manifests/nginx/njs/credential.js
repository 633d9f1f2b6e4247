// Reads the credential for ECR, and its times, from the mounted pull secret.

import fs from 'fs';

const CREDENTIAL = '/etc/frontdoor/credential/.dockerconfigjson';
const EXPIRIES = '/etc/frontdoor/credential/expires_at_by_host';

// The Authorization header for the registry $ecr_host, or '' when the secret holds none; the error log has the reason.
// The file is read for every request to ECR: a refreshed token is used at once and without a reload, and requests to ECR
// are few.
function authorization(r) {
    const host = r.variables.ecr_host;
    if (r.variables.replica && expiry(host, Date.now())) {
        r.error(`the credential for ${host} is missing or has expired, so its replica is asked`);
        return '';
    }
    try {
        const auth = (JSON.parse(fs.readFileSync(CREDENTIAL, 'utf8')).auths || {})[host].auth;
        if (typeof auth === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(auth)) {
            return `Basic ${auth}`;
        }
        r.error(`${CREDENTIAL}: the entry of ${host} is not base64`);
    } catch (e) {
        // Only the error's code or name: the message of a parser may quote the file, and with it the credential.
        r.error(`${CREDENTIAL} holds no credential for ${host}: ${e.code || e.name}`);
    }
    return '';
}

// Until the instant in another key of the secret; not a number where it has none.
function secondsUntil(key) {
    try {
        const at = fs.readFileSync(CREDENTIAL.replace('.dockerconfigjson', key), 'utf8');
        return Math.round((Date.parse(at) - Date.now()) / 1000);
    } catch (_) {
        return NaN;
    }
}

// Since when the mounted credential of a registry is not valid, { since } in milliseconds, 0 when that is not known; undefined
// while it is valid. contract/secret.py has the format.
function expiry(host, now_ms) {
    if (!(parsed(CREDENTIAL).auths || {})[host]) {
        return { since: 0 };
    }
    // An earlier version wrote none.
    const expires_at = Date.parse(parsed(EXPIRIES)[host]);
    return expires_at <= now_ms ? { since: expires_at } : undefined;
}

function parsed(file) {
    try {
        return JSON.parse(fs.readFileSync(file, 'utf8')) || {};
    } catch (e) {
        return { unreadable: e.code || e.name };
    }
}

export default { authorization, expiry, secondsUntil };
