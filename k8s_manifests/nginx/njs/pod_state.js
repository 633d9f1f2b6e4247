// What a pod knows of itself: the time of its credential, its memory, its configuration.

import crypto from 'crypto';
import fs from 'fs';
import credential from './credential.js';
import prometheus_text from './prometheus_text.js';
import version from './version.js';

const RUN = '/run/frontdoor';

function text(path) {
    try {
        return fs.readFileSync(path, 'utf8');
    } catch (_) {
        return null;
    }
}

function families(r) {
    const family = prometheus_text.family;
    const memory = ofMemory();
    return [
        family('token_seconds_left', 'gauge', 'Until the first registry has no valid token; negative afterwards.',
            credential.secondsUntil('expires_at')),
        family('last_refresh_seconds', 'gauge', 'Since a refresh has written the Secret that this pod sees.',
            -credential.secondsUntil('refreshed_at')),
        family('memory_used_bytes', 'gauge', 'Memory of the container that the kernel cannot take back.', memory.used),
        family('memory_limit_bytes', 'gauge', 'The memory at which the kernel kills the container.', memory.limit),
        family('build_info', 'gauge', 'What this pod runs.', ofBuild(r)),
    ];
}

// Without the page cache of files, which the kernel gives up; nginx's own shared memory counts as such a cache.
function ofMemory() {
    // A container sees its own cgroup here, of version 2 or 1.
    const group = [
        { folder: '/sys/fs/cgroup', used: 'memory.current', limit: 'memory.max', files: 'file', shared: 'shmem' },
        {
            folder: '/sys/fs/cgroup/memory', used: 'memory.usage_in_bytes', limit: 'memory.limit_in_bytes',
            files: 'total_cache', shared: 'total_shmem',
        },
    ].find(one => text(`${one.folder}/${one.used}`) !== null);
    if (!group) {
        return {};
    }
    const parts = text(`${group.folder}/memory.stat`) || '';
    const part = name => Number((new RegExp(`^${name} ([0-9]+)$`, 'm').exec(parts) || [])[1]) || 0;
    return {
        used: Number(text(`${group.folder}/${group.used}`)) - part(group.files) + part(group.shared),
        limit: Number(text(`${group.folder}/${group.limit}`)),
    };
}

// The digests are those of the annotations `config-sha256` and `scripts-sha256` of the pod.
function ofBuild(r) {
    const scripts = fs.readdirSync(RUN).filter(name => name.endsWith('.js')).sort();
    const source = scripts.map(name => `${name}\n${text(`${RUN}/${name}`)}`).join('');
    const labels = [
        `version="${version.VERSION}"`, `nginx="${r.variables.nginx_version}"`, `njs="${njs.version}"`,
        `config_sha256="${sha256(text(`${RUN}/nginx.conf`))}"`, `scripts_sha256="${sha256(source)}"`,
    ];
    return { [`{${labels.join(',')}}`]: 1 };
}

function sha256(content) {
    return crypto.createHash('sha256').update(content).digest('hex');
}

export default { families };
