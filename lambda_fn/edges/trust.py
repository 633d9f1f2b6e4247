"""What certificates have to be: by whom issued, and how strictly they are read. Pure."""

from ssl import VERIFY_X509_STRICT, SSLCertVerificationError, SSLContext, create_default_context


def of(authority: str) -> SSLContext:
    """Trust in the authorities of this PEM text alone.

    Raises:
        SSLError: It is no certificate.
        ValueError: It is no text of certificates at all.
    """
    return as_clients_do(create_default_context(cadata=authority))


def besides_the_public(authority: str | None) -> SSLContext:
    """Trust in what OpenSSL trusts, `SSL_CERT_FILE` included, and in the authorities of this PEM text, if any."""
    context = create_default_context()
    if authority:
        context.load_verify_locations(cadata=authority)
    return as_clients_do(context)


def as_clients_do(context: SSLContext) -> SSLContext:
    """Without the strictness that Python adds from 3.13 on, which kubectl, containerd and Docker do not have.

    It refuses certificates without key identifiers or key usage, as clusters of EKS and authorities made by hand have
    them, with "Missing Authority Key Identifier" and the like. Chain, name and time are verified all the same.
    https://docs.python.org/3/library/ssl.html#ssl.create_default_context,
    https://github.com/kubernetes-client/python/issues/2394
    """
    context.verify_flags &= ~VERIFY_X509_STRICT
    return context


def refusal(error: BaseException) -> str | None:
    """OpenSSL's reason to refuse a certificate, where that is what `error` comes from."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, SSLCertVerificationError):
            return cause.verify_message
        cause = cause.__cause__ or cause.__context__
    return None
