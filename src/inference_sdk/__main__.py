"""`python -m inference_sdk`: the command line where its script is not on the path."""

import sys

from inference_sdk.cli import main

if __name__ == "__main__":
    sys.exit(main())
