"""Other people with accounts on this machine, who could connect to a server that listens on loopback."""

from __future__ import annotations

import os

FIRST_ACCOUNT, LAST_ACCOUNT = 1000, 60000  # of people, on Linux
NO_SHELLS = ("nologin", "false")


def has_neighbours() -> bool:
    """Tell whether another person has an account on this machine, or is logged in."""
    try:
        import pwd
    except ImportError:
        return _others_logged_in()
    own = os.getuid()
    for account in pwd.getpwall():
        is_person = FIRST_ACCOUNT <= account.pw_uid < LAST_ACCOUNT and not account.pw_shell.endswith(NO_SHELLS)
        if is_person and account.pw_uid != own:
            return True
    return _others_logged_in()


def _others_logged_in() -> bool:
    import getpass

    import psutil

    try:
        return any(user.name != getpass.getuser() for user in psutil.users())
    except (OSError, KeyError, RuntimeError):
        return False
