// The pages of a list: which parameters of a query return to ECR, and the link to the next page.

// The path is added to it, and nginx reads a request line of 8 kB at most.
const LONGEST_QUERY = 7000;
const VALID_QUERY = /^[A-Za-z0-9._~!$'()*+,;:@/?%=&|-]+$/;

// The parameters of a list that return to ECR. The cursor of a link to tags is `last`. That of referrers is not documented,
// so any parameter returns but containerd's `ns`, and those by which AWS authenticates.
const LISTS = [
    { path: /\/tags\/list$/, parameter: /^(?:n|last)$/ },
    { path: /\/referrers\/[^/]+$/, parameter: /^(?!ns$|x-amz-)[a-z][a-z0-9_.-]{0,63}$/i },
];

function listAt(path) {
    return LISTS.find(list => list.path.test(path));
}

// What of a query returns to ECR, or undefined when the query is not valid.
function forEcr(list, query) {
    if (query.length > LONGEST_QUERY || !VALID_QUERY.test(query)) {
        return undefined;
    }
    return query.split('&').filter(parameter => list.parameter.test(parameter.split('=')[0])).join('&');
}

// The query for ECR, from its question mark, of a client's request for referrers; 'invalid' when it is not valid.
function referrers_page(r) {
    const query = r.variables.args;
    const page = query ? forEcr(listAt(r.uri), query) : '';
    return page === undefined ? 'invalid' : page && `?${page}`;
}

// ECR's link to the next page, on this registry and with ECR's query unchanged; undefined for one that a client could not
// follow, because its query would not return to ECR as it is: a client may follow it for ever.
function nextPage(path, link) {
    const list = listAt(path);
    const target = /<[^<>?]*[?]([^<>]+)>\s*;[^,]*\brel="?next\b/i.exec(link);
    return list && target && forEcr(list, target[1]) === target[1] ? `<${path}?${target[1]}>; rel="next"` : undefined;
}

export default { nextPage, referrers_page };
