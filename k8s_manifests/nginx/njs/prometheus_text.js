// Prometheus's text format: https://prometheus.io/docs/instrumenting/exposition_formats/.

// One metric, with a value or, by their labels, several. A counter is there before it counts: from nothing to 1 Prometheus sees
// no increase. A value that is not known has no sample.
function family(name, type, help, values) {
    const samples = values !== null && typeof values === 'object' ? values : { '': values };
    const lines = Object.keys(samples).filter(labels => isKnown(samples[labels]))
        .map(labels => `frontdoor_${name}${labels} ${samples[labels]}\n`);
    return lines.length === 0
        ? '' : `# HELP frontdoor_${name} ${help}\n# TYPE frontdoor_${name} ${type}\n${lines.join('')}`;
}

function isKnown(value) {
    return value !== null && value !== undefined && !Number.isNaN(Number(value));
}

// Values by one label, for `family`.
function byLabel(label, values, countOf) {
    const samples = {};
    values.forEach(value => {
        samples[`{${label}="${value}"}`] = countOf(value);
    });
    return samples;
}

export default { byLabel, family };
