"""One certificate for the stand-in upstream, and the bundles by which each contestant believes it."""

from dataclasses import dataclass
from pathlib import Path

import certifi
import trustme


@dataclass(frozen=True)
class Certificates:
    """`authority` alone, and `bundle`: the CA bundle that everybody loads in production, with our authority added.

    A bundle of one certificate would hide the cost of loading it anew for each call, which is most of what two of the
    contestants pay.
    """

    server: Path
    authority: Path
    bundle: Path


def make_certificates(folder: Path) -> Certificates:
    authority = trustme.CA()
    made = Certificates(folder / "server.pem", folder / "authority.pem", folder / "bundle.pem")
    certificate = authority.issue_cert("127.0.0.1")
    made.server.touch(mode=0o600)
    certificate.private_key_and_cert_chain_pem.write_to_path(str(made.server))
    authority.cert_pem.write_to_path(str(made.authority))
    made.bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + made.authority.read_bytes())
    return made
