// Answers the pod's startup probe.

// 200 when every registry accepts the mounted credential, and S3 has every layer bucket; otherwise 503. The answer holds
// counts only, since clients can request it too; the log names the host that fails.
async function startup(r) {
    const answers = await Promise.all([
        ask(r, 'registry', r.variables.ecr_hosts, [200]),
        // S3 refuses a request without a signature, for a bucket that exists.
        ask(r, 'layers', r.variables.layer_hosts, [200, 403]),
    ]);
    const registries = answers[0];
    const buckets = answers[1];
    const ready = registries.ready === registries.asked && buckets.ready === buckets.asked;
    r.return(
        ready ? 200 : 503,
        `${registries.ready} of ${registries.asked} registries answer, ` +
            `${buckets.ready} of ${buckets.asked} layer buckets\n`
    );
}

async function ask(r, kind, names, good) {
    const hosts = names.split(' ').filter(Boolean);
    const replies = await Promise.all(hosts.map(host => r.subrequest(`/-/${kind}/${host}`)));
    const failed = hosts.filter((_, index) => !good.includes(replies[index].status));
    failed.forEach(host => r.error(`the startup probe fails: ${host} does not answer as it should`));
    return { asked: hosts.length, ready: hosts.length - failed.length };
}

export default { startup };
