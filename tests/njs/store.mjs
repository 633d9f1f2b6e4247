// A shared dictionary of nginx in memory: https://nginx.org/en/docs/njs/reference.html#ngx_shared

export class Store {
    #entries = new Map();

    // The second argument is the `timeout` of nginx's zone.
    constructor(now, timeoutMs = 3_600_000) {
        this.now = now;
        this.timeoutMs = timeoutMs;
    }

    get(key) {
        const entry = this.#entries.get(key);
        return entry && this.now() < entry.until ? entry.value : undefined;
    }

    has(key) {
        return this.get(key) !== undefined;
    }

    set(key, value, ttlMs = this.timeoutMs) {
        this.#entries.set(key, { value, until: this.now() + ttlMs });
        return this;
    }

    add(key, value, ttlMs) {
        if (this.has(key)) {
            return false;
        }
        this.set(key, value, ttlMs);
        return true;
    }

    // Like nginx, it does not renew the time of an entry that exists.
    incr(key, by, initial, ttlMs) {
        const entry = this.#entries.get(key);
        if (this.has(key)) {
            entry.value += by;
            return entry.value;
        }
        this.set(key, initial + by, ttlMs);
        return initial + by;
    }

    delete(key) {
        return this.#entries.delete(key);
    }

    clear() {
        this.#entries.clear();
    }

    keys(most) {
        return [...this.#entries.keys()].filter(key => this.has(key)).slice(0, most);
    }

    items(most) {
        return this.keys(most).map(key => [key, this.get(key)]);
    }

    size() {
        return this.keys().length;
    }
}
