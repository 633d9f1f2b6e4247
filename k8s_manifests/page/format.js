// Sizes, times and digests as people read them.

import { element } from './element.js';

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];
const SPANS = [['year', 31_557_600], ['month', 2_629_800], ['day', 86_400], ['hour', 3600], ['minute', 60]];
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });

// 12345678 -> '12.3 MB', in powers of 1000, as registries count.
export function size(bytes) {
    if (!Number.isFinite(bytes) || bytes < 0) {
        return 'unknown';
    }
    const step = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
    const value = bytes / 1000 ** step;
    return `${step && value < 99.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[step]}`;
}

// '3 days ago', undefined for what is not a time. A clock of the browser that is behind makes nothing younger than 'just now'.
export function age(instant, now = Date.now()) {
    const seconds = Math.max(0, (now - Date.parse(instant)) / 1000);
    if (Number.isNaN(seconds)) {
        return undefined;
    }
    const [unit, length] = SPANS.find(span => seconds >= span[1]) || ['', 0];
    return unit ? RELATIVE.format(-Math.floor(seconds / length), unit) : 'just now';
}

// The same as an element that has the exact time.
export function time(instant) {
    const text = age(instant);
    return text === undefined
        ? 'unknown'
        : element('time', { datetime: instant, title: DATE.format(new Date(instant)) }, text);
}

// '14:05', with the date when it is not of the last hours.
export function moment(instant, now = Date.now()) {
    const at = new Date(instant);
    return (now - at < 12 * 3_600_000 ? CLOCK : DATE).format(at);
}

export function count(number, noun) {
    const plural = noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`;
    return `${number.toLocaleString('en')} ${number === 1 ? noun : plural}`;
}
