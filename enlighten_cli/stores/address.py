"""Addresses of photos and folders in stores, with the part of `Path`'s interface that planning a batch needs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from enlighten_cli.errors import UsageError
from enlighten_cli.file_names import fault_of_name

URL = re.compile(r"([a-z][a-z0-9+.-]+)://(.*)", re.IGNORECASE | re.DOTALL)
NOT_LOCAL = ("", ".", "..")


@dataclass(frozen=True)
class Scheme:
    """A kind of store.

    Parameters
    ----------
    package, module : str
        The package that fsspec needs for it: the name to install, and the name to import.
    writable : bool
    folders : bool
        Whether folders can be listed.
    credentials : str
        Where credentials are read from, for messages.
    """

    package: str
    module: str
    writable: bool = True
    folders: bool = True
    credentials: str = ""


S3 = Scheme("s3fs", "s3fs", credentials="the variables AWS_..., or ~/.aws")
GOOGLE = Scheme("gcsfs", "gcsfs", credentials="gcloud auth application-default login")
AZURE = Scheme("adlfs", "adlfs", credentials="the variables AZURE_STORAGE_...")
WEB = Scheme("aiohttp", "aiohttp", writable=False, folders=False)
SCHEMES = {
    "s3": S3,
    "s3a": S3,
    "gs": GOOGLE,
    "gcs": GOOGLE,
    "az": AZURE,
    "abfs": AZURE,
    "abfss": AZURE,
    "memory": Scheme("fsspec", "fsspec"),
    "http": WEB,
    "https": WEB,
}


@dataclass(frozen=True)
class Address:
    """A photo or a folder in a store.

    The parts of a key are literal: `..`, `.` and an empty part are ordinary names. The user and the query of a web
    address may be secret; `str` and `repr` leave them out.

    Parameters
    ----------
    scheme : str
        One of `SCHEMES`.
    key : str
        Bucket or host, and the key in it, without a slash at the end.
    folder : bool
        Whether it is a folder.
    size_bytes : int or None
        Size of a photo, if it is known from a listing.
    user, query : str
        Parts of a web address.
    """

    scheme: str
    key: str
    folder: bool = field(default=False, compare=False)
    size_bytes: int | None = field(default=None, compare=False, repr=False)
    user: str = field(default="", repr=False)
    query: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Return the address without secrets, for messages."""
        return f"{self.scheme}://{self.key}"

    @property
    def url(self) -> str:
        """The full address, for the store; it may contain credentials, so never show it."""
        return f"{self.scheme}://{self.user}{self.key}{self.query}"

    @property
    def row(self) -> Scheme:
        """Its kind of store."""
        return SCHEMES[self.scheme]

    @property
    def container(self) -> str:
        """The bucket, container or host."""
        return self.key.partition("/")[0]

    @property
    def bucket(self) -> Address:
        """The bucket as a folder."""
        return Address(self.scheme, self.container, folder=True, user=self.user)

    @property
    def name(self) -> str:
        """The last part of the key, percent-decoded in a web address."""
        name = self.key.rpartition("/")[2]
        if self.row is not WEB:
            return name
        from urllib.parse import unquote

        return unquote(name).replace("/", "_")

    @property
    def suffix(self) -> str:
        """The ending of the name, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return self.name.removesuffix(self.suffix)

    @property
    def parent(self) -> Address:
        """The folder that contains it; for a bucket, the bucket itself."""
        above, slash, _ = self.key.rpartition("/")
        return Address(self.scheme, above, folder=True, user=self.user) if slash else self

    def is_dir(self) -> bool:
        """Tell whether it is a folder."""
        return self.folder

    def joinpath(self, *parts: str) -> Address:
        """Return an address below this folder."""
        return Address(self.scheme, "/".join((self.key, *parts)), user=self.user)

    def with_name(self, name: str) -> Address:
        """Return the address of another name in the same folder."""
        return self.parent.joinpath(name)

    def is_below(self, folder: Address) -> bool:
        """Tell whether it is this folder or in it."""
        return self.scheme == folder.scheme and f"{self.key}/".startswith(f"{folder.key}/")

    def parts_below(self, root: Address) -> tuple[str, ...]:
        """Return the names of the folders between `root` and this photo.

        Parameters
        ----------
        root : Address
            A folder above it.
        """
        return tuple(self.key[len(root.key) + 1 :].split("/")[:-1])


Place: TypeAlias = Path | Address


def is_address(word: str) -> bool:
    """Tell whether a word of the command line is a URL."""
    return URL.fullmatch(word) is not None


def place_of(word: str) -> Place:
    """Return a word of the command line as an address if it is a URL, else as a path.

    Raises
    ------
    UsageError
        See `parsed`.
    """
    return parsed(word) if is_address(word) else Path(word)


def parsed(url: str) -> Address:
    """Parse a URL.

    Raises
    ------
    UsageError
        If the kind of store is not supported, no bucket is named, or the URL contains credentials for a store that
        reads them from elsewhere.
    """
    found = URL.fullmatch(url)
    assert found is not None
    scheme, rest = found[1].lower(), found[2]
    if scheme not in SCHEMES:
        raise UsageError(f"{scheme}://: URLs of this kind are not supported; use one of {', '.join(SCHEMES)}")
    if SCHEMES[scheme] is WEB:
        return _web_address(scheme, rest)
    container, slash, key = rest.partition("/")
    user, at, host = container.rpartition("@")
    if at and (SCHEMES[scheme] is not AZURE or ":" in user):
        raise UsageError(
            f"{scheme}://{host}/...: the URL must not contain credentials; they come from {SCHEMES[scheme].credentials}"
        )
    # `?key=value` is how other programs pass options, credentials among them.
    if query := re.search(r"\?[^/?=]*=", rest):
        raise UsageError(
            f"{scheme}://{rest[: query.start()]}: the URL must not contain ?options; "
            f"credentials come from {SCHEMES[scheme].credentials or 'the environment'}"
        )
    if not host:
        raise UsageError(f"{scheme}://: no bucket is named; write {scheme}://BUCKET/FOLDER/")
    is_folder = not key or key.endswith("/")
    return Address(scheme, container + (slash + key.removesuffix("/") if key else ""), folder=is_folder)


def _web_address(scheme: str, rest: str) -> Address:
    rest = rest.partition("#")[0]
    rest, mark, query = rest.partition("?")
    host, slash, path = rest.partition("/")
    user, at, host = host.rpartition("@")
    if not host or not path or path.endswith("/"):
        raise UsageError(
            f"{scheme}://{host}{slash}{path}: folders on the web cannot be listed; give the URL of each photo"
        )
    return Address(scheme, f"{host}/{path}", user=user + at, query=mark + query)


def fault_of_parts(parts: tuple[str, ...]) -> str:
    """Return why these parts of a key cannot become a path below a folder of this machine; empty if they can."""
    for part in parts:
        if part in NOT_LOCAL or "\0" in part:
            return f"its key has the part {part!r}, which cannot be a file name on this machine"
        if fault := fault_of_name(part):
            return f"its key has the part {part!r}: {fault}"
    return ""


def as_file(place: Place) -> Path:
    """Return a place as a path; it must be on this machine."""
    assert isinstance(place, Path)
    return place
