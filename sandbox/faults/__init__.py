"""Named transport faults, and a raw server that plays them (`python -m sandbox.faults --list`).

wire.py         what a fault works with              connection.py   U1, U2, U8: ends, stalls, drips, stale connections
table.py        all faults by name                   volume.py       U3: too much of everything
server.py       the raw server, `running_faults`     bodies.py       U4: a 200 with the wrong content
sockets.py      below HTTP: refused, black hole      statuses.py     U5, U7: refusals and redirects
tls.py          U6: certificates and protocols       leaks.py        K7: the key given back
"""

from sandbox.faults.server import FaultServer, Seen, running_faults
from sandbox.faults.sockets import UNRESOLVABLE, black_hole, blunt_server, refused_base_url
from sandbox.faults.table import FAULTS, faults_of

__all__ = [
    "FAULTS",
    "UNRESOLVABLE",
    "FaultServer",
    "Seen",
    "black_hole",
    "blunt_server",
    "faults_of",
    "refused_base_url",
    "running_faults",
]
