// Which registries have a replica in another region, in whose place it answers while they fail.

// The replica of each registry that has one, by host names.
function ofRegistries(r) {
    const found = {};
    (r.variables.replicas || '').split(',').filter(Boolean).forEach(pair => {
        const hosts = pair.split(' ');
        found[hosts[0]] = hosts[1];
    });
    return found;
}

// Whether a replica answers a request in the place of its registry. It imports nothing, and perhaps its tags are not wanted.
function answerFor(r) {
    return Boolean(r.variables.replica_of_request) && !r.variables.mirror_urls;
}

export default { answerFor, ofRegistries };
