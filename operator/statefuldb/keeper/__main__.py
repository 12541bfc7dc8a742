"""`statefuldb-keeper`: reads its orders from the environment and keeps one member."""

import os
import sys
from pathlib import Path

from statefuldb.keeper.refusal import CannotListen, Ended, Refused
from statefuldb.keeper.serve import Keeper
from statefuldb.model.keeper import ENVIRONMENT_VARIABLE, EXIT_CANNOT_LISTEN, LEDGER_VARIABLE, KeeperConfig

EXIT_REFUSED = 64
EXIT_ENDED = 1


def main() -> int:
    """Run one keeper.

    Return 0 after a clean stop, 64 where it refused to open data, 65 where its address is taken, 1 where its server
    ended.
    """
    sandbox = Path(os.environ.get("MESOS_SANDBOX", ".")).resolve()
    try:
        config = KeeperConfig.from_json(os.environ.get(ENVIRONMENT_VARIABLE, ""))
        keeper = Keeper(config, sandbox, os.environ.get(LEDGER_VARIABLE, ""))
        return keeper.erase() if config.mode == "Erase" else keeper.run()
    except (Refused, ValueError) as refusal:
        sys.stderr.write(f"refused: {refusal}\n")
        return EXIT_REFUSED
    except OSError as error:
        sys.stderr.write(f"failed before anything was opened: {error}\n")
        return EXIT_ENDED
    except CannotListen as taken:
        sys.stderr.write(f"failed before anything was opened: {taken}\n")
        return EXIT_CANNOT_LISTEN
    except Ended as ended:
        sys.stderr.write(f"ended: {ended}\n")
        return EXIT_ENDED


if __name__ == "__main__":
    sys.exit(main())
