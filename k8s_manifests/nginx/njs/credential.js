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
        const auth = authOf(host);
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

// From the file of the host: the one for the kubelet has all hosts, and njs takes 13 ms for 80 of them. A secret of version
// 0.2 or older has only that.
function authOf(host) {
    try {
        return fs.readFileSync(fileOf(host), 'utf8');
    } catch (_) {
        return (JSON.parse(fs.readFileSync(CREDENTIAL, 'utf8')).auths || {})[host].auth;
    }
}

function fileOf(key) {
    return CREDENTIAL.replace('.dockerconfigjson', key);
}

// Until the instant in another key of the secret; not a number where it has none.
function secondsUntil(key) {
    try {
        const at = fs.readFileSync(fileOf(key), 'utf8');
        return Math.round((Date.parse(at) - Date.now()) / 1000);
    } catch (_) {
        return NaN;
    }
}

// Since when the mounted credential of a registry is not valid, { since } in milliseconds, 0 when that is not known; undefined
// while it is valid. contract/secret.py has the format. `known` is what expiries() gave, for several registries in a row.
function expiry(host, nowMs, known) {
    const at = known || expiries();
    if (!isMounted(host, at)) {
        return { since: 0 };
    }
    // An earlier version wrote none.
    const expiresAt = Date.parse(at[host]);
    return expiresAt <= nowMs ? { since: expiresAt } : undefined;
}

function expiries() {
    return parsed(EXPIRIES);
}

function isMounted(host, at) {
    try {
        fs.accessSync(fileOf(host));
        return true;
    } catch (_) {
        // As in authOf; a secret with expiries has one for each of its hosts.
        return (host in at || Object.keys(at).length === 0) && !!(parsed(CREDENTIAL).auths || {})[host];
    }
}

function parsed(file) {
    try {
        return JSON.parse(fs.readFileSync(file, 'utf8')) || {};
    } catch (_) {
        return {};
    }
}

export default { authorization, expiries, expiry, secondsUntil };
