// Makes elements. Every text becomes a text node: names, labels and contacts are never read as HTML.

export function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (value !== undefined) {
            made.setAttribute(key, value);
        }
    }
    made.append(...children.filter(child => child !== undefined && child !== ''));
    return made;
}

// A value of a label as a link, when it is the address of a web page; else as text.
export function linked(text) {
    const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null;
    const isPage = url && ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === '';
    return isPage ? element('a', { href: url.href, rel: 'noreferrer' }, text) : text;
}
