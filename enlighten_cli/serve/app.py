"""The ASGI application: all routes, behind the guard."""

from __future__ import annotations

import ipaddress
import socket

from fastapi import FastAPI
from starlette.types import ASGIApp

from enlighten_cli import __version__
from enlighten_cli.serve.bodies import LimitedBodies
from enlighten_cli.serve.enhancing import Api
from enlighten_cli.serve.guard import Guard
from enlighten_cli.serve.pages import Page
from enlighten_cli.serve.problems import Json, handle_errors
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
    app = FastAPI(
        title="enlighten",
        version=__version__,
        description="Brighten photos taken in too little light.",
        openapi_url="/v1/openapi.json",
        docs_url=None,  # these pages load scripts from other machines
        redoc_url=None,
        redirect_slashes=False,
        default_response_class=Json,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    handle_errors(app)
    for router in (Api(shared).router, Page(shared).router, Saves(shared).router):
        app.include_router(router)
    names = {*LOOPBACK_NAMES, host.lower(), *shared.settings.hosts}
    is_open = not is_loopback(host)
    if is_open:
        names.add(socket.gethostname().lower())
    limited = LimitedBodies(app, shared.settings)
    return Guard(limited, token=shared.settings.token, hosts=frozenset(names), any_address=is_open)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
