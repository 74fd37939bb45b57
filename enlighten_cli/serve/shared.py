"""State that all requests share."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import anyio

from enlighten_cli.batch.memory import MemoryBudget
from enlighten_cli.resources import PART_OF_FREE_MEMORY, available_cores, available_memory
from enlighten_cli.serve.gallery import Gallery
from enlighten_cli.serve.networks import Networks
from enlighten_cli.serve.previews import Previews
from enlighten_cli.serve.private_folder import PrivateFolder
from enlighten_cli.serve.saving import Saver
from enlighten_cli.serve.settings import Settings
from enlighten_cli.serve.trials import Trials
from enlighten_cli.serve.work import Queue

VIEWS_WAITING = 200  # pages request every photo in sight, and retry
SAVES_AT_ONCE = 8
PREVIEWS_PART, PREVIEWS_MOST = 0.25, 2 << 30  # memory for decoded photos: part of the free memory, and most bytes


@dataclass(frozen=True)
class Shared:
    """State that all requests share.

    Parameters
    ----------
    settings : Settings
    folder : PrivateFolder
        For uploads, and for results until they are fetched.
    networks : Networks
    budget : MemoryBudget
        Memory for everything that is decoded.
    memory_bytes : int
        Memory that the network may use.
    photos : Queue
        Photos of the API.
    views : Queue
        Views of the page.
    previews : Previews
    gallery : Gallery
    saver : Saver
    trials : Trials
    saves : CapacityLimiter
        Threads in which results are saved or sent.
    closing : Event
        Set when the server ends.
    """

    settings: Settings
    folder: PrivateFolder
    networks: Networks
    budget: MemoryBudget
    memory_bytes: int
    photos: Queue
    views: Queue
    previews: Previews
    gallery: Gallery
    saver: Saver
    trials: Trials
    saves: anyio.CapacityLimiter
    closing: threading.Event


def share(settings: Settings, folder: PrivateFolder) -> Shared:
    """Open the model, find the photos, and divide the memory.

    Raises
    ------
    ModelError, MissingDependencyError
        See `Networks`.
    UsageError, NothingToDoError
        See `Gallery`.
    """
    closing = threading.Event()
    free = available_memory()
    memory_bytes = settings.memory_bytes or int(free * PART_OF_FREE_MEMORY)
    budget = MemoryBudget(memory_bytes)
    previews = Previews(settings.limits, budget, min(int(free * PREVIEWS_PART), PREVIEWS_MOST, memory_bytes))
    networks = Networks(settings)
    trials = Trials(budget)
    return Shared(
        settings=settings,
        folder=folder,
        networks=networks,
        budget=budget,
        memory_bytes=memory_bytes,
        photos=Queue(settings.at_once, settings.waiting, settings.seconds, closing),
        views=Queue(max(2, available_cores()), VIEWS_WAITING, settings.seconds, closing),
        previews=previews,
        gallery=Gallery(settings.inputs, settings.output or folder.path / "results", previews.forget),
        saver=Saver(networks, settings.limits, budget, memory_bytes, trials, settings.seconds),
        trials=trials,
        saves=anyio.CapacityLimiter(2 * SAVES_AT_ONCE),  # an archive needs one for its photos, one for its events
        closing=closing,
    )
