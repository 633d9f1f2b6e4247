// Says in words whether the registry serves everything, or what is in its cache alone.

import { age, moment } from './format.js';

const EVERY_MS = 30_000;
const STATES = {
    serving: ['Serving', ''],
    replica: ['Serving from another region', 'Images come from another region'],
    partial: ['Partly cached only', 'Some repositories are served from the cache alone'],
    cached_only: ['Cached only', 'Images are served from the cache alone'],
    limited: ['Asked too often', 'Your network asks this registry too often. This page looks again in 30 seconds.'],
    unreachable: ['Not reachable', 'The registry does not answer this page.'],
};
const CAUSES = {
    unavailable: 'ECR does not answer.',
    throttled: 'ECR limits the requests of this registry.',
    credential: 'the credential for ECR has expired or is missing.',
};

export function watchHealth() {
    show();
    setInterval(() => document.visibilityState === 'visible' && show(), EVERY_MS);
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && show());
}

async function show() {
    const health = document.getElementById('health');
    const notice = document.getElementById('notice');
    const status = await ask();
    const state = Object.hasOwn(STATES, status.state) ? status.state : 'unreachable';
    // A limit says nothing of the registry, but that it answers: what else is known stays.
    if (state === 'limited' && ![undefined, 'unreachable'].includes(health.dataset.state)) {
        return;
    }
    const [short, long] = STATES[state];
    write(health, short);
    health.dataset.state = state;
    write(notice, status.reason ? sentence(long, status) : long);
    notice.hidden = !long;
}

function sentence(long, status) {
    const since = age(status.since) ? ` since ${moment(status.since)} (${age(status.since)})` : '';
    const rest = status.state === 'replica' ? 'A tag may be some minutes old.' : 'What was pulled before can still be pulled.';
    return `${long}${since}: ${CAUSES[status.reason] || CAUSES.unavailable} ${rest}`;
}

// A screen reader announces every change: the same text is not written again.
function write(place, text) {
    if (place.textContent !== text) {
        place.textContent = text;
    }
}

async function ask() {
    try {
        const answer = await fetch('/-/status.json', { cache: 'no-store' });
        if (answer.ok) {
            return Object(await answer.json());
        }
        return { state: answer.status === 429 ? 'limited' : 'unreachable' };
    } catch {
        return { state: 'unreachable' };
    }
}
