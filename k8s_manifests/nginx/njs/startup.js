// Answers the pod's startup probe.

import replicas from './replicas.js';

// 200 when every registry accepts the mounted credential, and S3 has the layer bucket of each; otherwise 503. Of a registry with
// a replica, one of the two is enough, and one of their buckets: a new pod can begin while a region is down. The answer holds
// counts only, since clients can request it too; the log names the host that fails.
async function startup(r) {
    const replicaOf = replicas.ofRegistries(r);
    const asked = names(r.variables.ecr_hosts).map(host => one(
        [host, replicaOf[host]].filter(Boolean).map(either => isGood(r, 'registry', either, [200]))
    ));
    // S3 refuses a request without a signature, for a bucket that exists.
    const hasBucket = {};
    names(r.variables.layer_hosts).forEach(host => {
        hasBucket[host] = isGood(r, 'layers', host, [200, 403]);
    });
    const choices = names(r.variables.layer_choices).map(choice => one(choice.split('|').map(host => hasBucket[host])));
    const answers = await Promise.all([count(asked), count(choices)]);
    const registries = answers[0];
    const buckets = answers[1];
    const ready = registries.ready === registries.asked && buckets.ready === buckets.asked;
    r.return(
        ready ? 200 : 503,
        `${registries.ready} of ${registries.asked} registries answer, ` +
            `${buckets.ready} of ${buckets.asked} layer buckets\n`
    );
}

function names(list) {
    return list.split(' ').filter(Boolean);
}

async function isGood(r, kind, host, good) {
    const reply = await r.subrequest(`/-/${kind}/${host}`);
    if (!good.includes(reply.status)) {
        r.error(`the startup probe fails: ${host} does not answer as it should`);
    }
    return good.includes(reply.status);
}

// Whether one of the checks succeeds, as soon as that is known: the others may wait for a silent region.
function one(checks) {
    return new Promise(resolve => {
        let left = checks.length;
        checks.forEach(check => check.then(succeeds => {
            left -= 1;
            if (succeeds || left === 0) {
                resolve(succeeds);
            }
        }));
    });
}

async function count(checks) {
    const results = await Promise.all(checks);
    return { asked: results.length, ready: results.filter(Boolean).length };
}

export default { startup };
