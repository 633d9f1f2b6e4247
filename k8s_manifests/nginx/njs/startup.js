// Answers the pod's startup probe.

// 200 when every registry accepts the mounted credential, otherwise 503. The answer holds counts only, since clients can
// request it too; the log names the registry that fails.
async function startup(r) {
    const hosts = r.variables.ecr_hosts.split(' ');
    const replies = await Promise.all(hosts.map(host => r.subrequest(`/-/registry/${host}`)));
    const ready = replies.filter(reply => reply.status === 200).length;
    r.return(ready === hosts.length ? 200 : 503, `${ready} of ${hosts.length} registries answer\n`);
}

export default { startup };
