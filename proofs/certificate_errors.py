"""What a certificate refuses, and says so: constructs for which there is no theorem."""

from __future__ import annotations

from derive.errors import ThroughtimeError


class CertificateError(ThroughtimeError, ValueError):
    """A cell holds something for which certificates have no theorem yet."""

    exit_code = 2


def unsupported(what: str, remedy: str = "") -> CertificateError:
    """The refusal to write a certificate, naming the construct; to be raised."""
    return CertificateError(
        f"No certificate can be written: {what}.",
        remedy or "The general proof of `throughtime report` covers the whole language.",
    )
