"""The public API beside that of the last release: what breaks users has to be said, never slips in.

    python -m tools.public_api check             # `make api`; CI reports it
    python -m tools.public_api baseline          # at a release, after the version was raised;
                                                 # then `accepted.txt` is emptied, too

`baseline.json` holds the signatures of the last release, `accepted.txt` what was broken since on
purpose. Only the modules that users import from are looked at; the rest may change at any time.
"""
