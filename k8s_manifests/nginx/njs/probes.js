// Probes upstreams whose circuit is half-open, by copies of requests, while replicas answer the requests themselves.
// docs/decisions/0045-failover-to-a-replica.md has the reasons.

import breaker from './circuit_breaker.js';
import request_counts from './request_counts.js';

const MOST = 1000;

// Asks for a probe.
//   upstream  whose circuit is half-open
//   path      on the server `fetch`. A client's query is left out: it may be so long that the probe would be refused, or that those
//             of other upstreams would not fit into the zone. A name has 256 characters at most, a tag 128.
//   opening   what `tryAcquire` of the circuit has returned
function request(upstream, path, method, opening) {
    ngx.shared.circuit_probes.set(upstream, JSON.stringify({ path, method, opening }));
}

// What `request` got as the opening, of a request that is a probe; undefined of others.
function openingOf(r) {
    return r.headersIn['X-Probe'];
}

// Sends what is asked for in a request of its own, since nginx ends a periodic function at its next turn.
async function start_probes(s) {
    request_counts.countTurn();
    if (ngx.shared.circuit_probes.size() === 0) {
        return;
    }
    try {
        await ngx.fetch(`${s.variables.fetch_url}/-/probes`);
    } catch (e) {
        ngx.log(ngx.WARN, `the next probes could not start: ${e.message}`);
    }
}

// Answers at once, and then sends the probes. Their outcomes reach their circuits where those of all requests do.
async function send_probes(r) {
    r.return(204);
    await Promise.all(ngx.shared.circuit_probes.items(MOST).map(item => {
        ngx.shared.circuit_probes.delete(item[0]);
        return send(r.variables.fetch_url, item[0], JSON.parse(item[1]));
    }));
}

async function send(url, upstream, probe) {
    try {
        const reply = await ngx.fetch(`${url}${probe.path}`, { method: probe.method, headers: { 'X-Probe': probe.opening } });
        await reply.arrayBuffer();
    } catch (e) {
        ngx.log(ngx.WARN, `the probe ${probe.path} had no answer: ${e.message}`);
    }
    // Its outcome is recorded by now, and then this changes nothing. There is none when the upstream was not asked, or when its
    // answer does not say whether it works: then the next request may be the probe.
    breaker.record({ name: upstream, store: ngx.shared.circuit }, probe.opening, 'unused');
}

export default { openingOf, request, send_probes, start_probes };
