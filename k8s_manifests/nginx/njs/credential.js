// Reads the credential for ECR, and its times, from the mounted pull secret.

import fs from 'fs';

const CREDENTIAL = '/etc/frontdoor/credential/.dockerconfigjson';

// The Authorization header for the registry $ecr_host, or '' when the secret holds none; the error log has the reason.
// The file is read for every request to ECR: a refreshed token is used at once and without a reload, and requests to ECR
// are few.
function authorization(r) {
    const host = r.variables.ecr_host;
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

export default { authorization, secondsUntil };
