"""TLS of the service itself, where no proxy speaks it."""

import ssl
from pathlib import Path


class UnusableCertificate(Exception):
    """The files of a certificate and its key, which cannot be used; the text says why."""


def tls_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """What TLS 1.2 and newer are spoken with; nothing without a certificate and a key.

    Raises:
        UnusableCertificate: a file cannot be read, or they do not belong together.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        missing = "KULLBACK_TLS_KEY" if key is None else "KULLBACK_TLS_CERTIFICATE"
        raise UnusableCertificate(f"TLS needs {missing} too")
    for name, file in (("KULLBACK_TLS_CERTIFICATE", certificate), ("KULLBACK_TLS_KEY", key)):
        try:
            file.open("rb").close()
        except OSError as error:
            raise UnusableCertificate(f"{name} {file}: {error.strerror}") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_nobody_types)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            why = "the key is not that of the certificate"
        else:
            why = "both must be PEM, the key without a password"
        raise UnusableCertificate(f"KULLBACK_TLS_CERTIFICATE and KULLBACK_TLS_KEY: {why}") from None
    return context


def _nobody_types() -> str:
    """A password that is wrong, so that nobody is asked for one at the terminal."""
    return "-"
