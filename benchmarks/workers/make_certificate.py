"""Makes an authority and a certificate for `localhost`: python make_certificate.py AUTHORITY SERVER"""

from __future__ import annotations

import sys

import trustme

authority = trustme.CA()
authority.cert_pem.write_to_path(sys.argv[1])
authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(sys.argv[2])
