"""The lines in which the nginx template uses the credential for ECR, and the names by which it could. Pure.

The token itself is never in the configuration. njs reads it from the mounted Secret for each request to ECR, and nginx
variables carry it to the header of that request.
"""

from lambda_fn.contract.paths import CREDENTIAL

LINES = (
    "js_set $ecr_authorization frontdoor.authorization;",
    "map $ecr_upstream $authorization_for_ecr {",
    '"~^https:" $ecr_authorization;',
    "proxy_set_header Authorization $authorization_for_ecr;",
)
"""The lines of the shipped template that have one of `NAMES`; each is there once.

While a deployment or a rollback runs, a Lambda may read the template of another version, and must not refuse it. So a
release that changes one of these lines also renames what the line names: other versions do not look for that name.
"""

NAMES = (
    "ecr_authorization",
    "authorization_for_ecr",
    # The function of njs, whatever the module is called where it is imported.
    ".authorization",
    "credential.js",
    CREDENTIAL,
)
"""Each lets a template use the credential, in lower case. Variables are without `$`: `${name}` is one, too."""
