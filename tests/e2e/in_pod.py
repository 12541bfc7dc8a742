"""`python -m e2e.in_pod FOLDER ARGUMENTS`: the command line in a pod whose ServiceAccount is in FOLDER.

Where the kubelet puts it is a folder of the whole machine; all else is as in a pod.
"""

import sys
from pathlib import Path

from statefuldb.adapters.kubernetes import connection
from statefuldb.cli import main

if __name__ == "__main__":
    connection.SERVICE_ACCOUNT = Path(sys.argv.pop(1))
    main()
