"""What git needs to log in, as the files of a Secret: `username` and `password`, or `ssh-privatekey` and `known_hosts`.

git is told where they are, never what is in them, so that no argument and no environment shows them. They are for the
host of the repository alone, and read anew for each fetch: a Secret that is replaced is taken up.
"""

import shlex
from pathlib import Path
from urllib.parse import urlsplit

USER, PASSWORD, AUTHORITY = "username", "password", "ca.crt"
KEY, HOSTS = "ssh-privatekey", "known_hosts"
_PLACE = "STATEFULDB_GIT_CREDENTIALS"
# git has a shell run this; where the files are comes by the environment, so that no text becomes part of the program.
_HELPER = (
    '!f() { test "$1" = get || return 0; '
    f'if test -f "${_PLACE}/{USER}"; then printf "username=%s\\n" "$(cat "${_PLACE}/{USER}")"; '
    "else printf 'username=git\\n'; fi; "
    f'printf "password=%s\\n" "$(cat "${_PLACE}/{PASSWORD}")"; }}; f'
)


class GitCredentials:
    """The login for one repository. Raises ValueError for a URL that would carry it in the clear."""

    def __init__(self, url: str, folder: Path) -> None:
        address = urlsplit(url)
        if address.scheme in ("http", "git"):
            raise ValueError(
                f"credentials do not go over {address.scheme}://, which is not encrypted: use https or ssh"
            )
        self._host = f"https://{address.netloc}" if address.scheme == "https" else ""
        self._folder = folder

    @property
    def settings(self) -> tuple[str, ...]:
        """The options of git."""
        # The helpers of the machine are for other purposes: nothing is asked of them, and nothing told.
        found = ["-c", "credential.helper="]
        if self._host and (self._folder / PASSWORD).exists():
            found += ["-c", f"credential.{self._host}.helper={_HELPER}"]
        return tuple(found)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of git: places, no secrets."""
        found = {_PLACE: str(self._folder)}
        if (self._folder / AUTHORITY).exists():
            # By the variable: it goes before whatever the machine has set.
            found["GIT_SSL_CAINFO"] = str(self._folder / AUTHORITY)
        if (self._folder / KEY).exists():
            options = (
                *("IdentitiesOnly=yes", "BatchMode=yes", "StrictHostKeyChecking=yes"),
                *(f"UserKnownHostsFile={self._folder / HOSTS}", "GlobalKnownHostsFile=/dev/null"),
            )
            words = ["ssh", "-F", "/dev/null", "-i", str(self._folder / KEY)]
            found["GIT_SSH_COMMAND"] = shlex.join([*words, *(word for option in options for word in ("-o", option))])
            found["GIT_SSH_VARIANT"] = "ssh"
        return found
