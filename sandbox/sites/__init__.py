"""The demo's websites: small shops that carry a tenant's snippet, each on an origin of its own.

    python -m sandbox.sites --config var/sites.json

The file is a list, one entry per site (`config.py` has the shape). Kinds: `tenant`, a shop whose origin its tenant
has allowed; `stranger`, a page that carries somebody else's snippet; `static`, a built
single-page app served from a folder.
"""
