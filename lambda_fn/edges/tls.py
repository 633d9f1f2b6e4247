"""Which certificates of a server are accepted: which authority issued them, and how strictly they are verified."""

from ssl import VERIFY_X509_STRICT, SSLCertVerificationError, SSLContext, create_default_context

from lambda_fn.edges.causes import cause_of


def context_trusting(authority: str) -> SSLContext:
    """Trust in the authorities of this PEM text alone.

    Raises:
        SSLError: The text is not a certificate.
        ValueError: The text has no certificates at all.
    """
    return without_strict_x509(create_default_context(cadata=authority))


def client_context(extra_authority: str | None) -> SSLContext:
    """Trust in OpenSSL's default authorities, `SSL_CERT_FILE` included, and in those of this PEM text, if any."""
    context = create_default_context()
    if extra_authority:
        context.load_verify_locations(cadata=extra_authority)
    return without_strict_x509(context)


def without_strict_x509(context: SSLContext) -> SSLContext:
    """Verify chain, name and time as kubectl, containerd and Docker do, without the checks that Python 3.13 added.

    Those refuse certificates without key identifiers or key usage, as clusters of EKS and self-made authorities have
    them, with "Missing Authority Key Identifier" and the like.
    https://docs.python.org/3/library/ssl.html#ssl.create_default_context,
    https://github.com/kubernetes-client/python/issues/2394
    """
    context.verify_flags &= ~VERIFY_X509_STRICT
    return context


def certificate_error(error: BaseException) -> str | None:
    """OpenSSL's reason to refuse a certificate, where that caused `error`; None otherwise."""
    refused = cause_of(error, SSLCertVerificationError)
    return refused.verify_message if refused else None
