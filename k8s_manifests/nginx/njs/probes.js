// Probes upstreams whose circuit is half-open, by copies of requests, while replicas answer the requests themselves.
// docs/decisions/0045-failover-to-a-replica.md has the reasons.

import request_counts from './request_counts.js';

const MOST = 1000;

// Asks for a probe.
//   upstream  whose circuit is half-open
//   path      on the server `fetch`, with the query
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
        return send(r.variables.fetch_url, JSON.parse(item[1]));
    }));
}

async function send(url, probe) {
    try {
        const reply = await ngx.fetch(`${url}${probe.path}`, { method: probe.method, headers: { 'X-Probe': probe.opening } });
        await reply.arrayBuffer();
    } catch (e) {
        ngx.log(ngx.WARN, `the probe ${probe.path.split('?')[0]} had no answer: ${e.message}`);
    }
}

export default { openingOf, request, send_probes, start_probes };
