"""The ASGI application: all routes, behind the guard."""

from __future__ import annotations

import ipaddress
import socket

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from enlighten_cli.serve.enhancing import Api
from enlighten_cli.serve.guard import Guard
from enlighten_cli.serve.pages import Page
from enlighten_cli.serve.problems import Problem, answer
from enlighten_cli.serve.saves import Saves
from enlighten_cli.serve.shared import Shared

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


def application(shared: Shared, host: str) -> ASGIApp:
    """Return the ASGI application.

    Parameters
    ----------
    shared : Shared
    host : str
        The address at which the server listens.
    """
    handlers = dict.fromkeys((Problem, HTTPException, Exception), answer)
    routes = [*Api(shared).routes, *Page(shared).routes, *Saves(shared).routes]
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    names = {*LOOPBACK_NAMES, host.lower(), *shared.settings.hosts}
    is_open = not is_loopback(host)
    if is_open:
        names.add(socket.gethostname().lower())
    return Guard(app, token=shared.settings.token, hosts=frozenset(names), any_address=is_open)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
