"""`python -m statefuldb`."""

from statefuldb.cli import main

if __name__ == "__main__":
    main()
