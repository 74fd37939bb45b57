from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlighten_cli.errors import UsageError
from enlighten_cli.stores.address import Address, fault_of_parts, is_address, parsed, place_of

PARTS = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1)


def test_paths_stay_paths():
    for word in ("a.jpg", "/a/b.jpg", "c:/a.jpg", "C:\\a.jpg", "./s3:/a.jpg", "a://b"):
        assert not is_address(word)
        assert place_of(word) == Path(word)


@pytest.mark.parametrize(
    ("url", "text", "folder", "name"),
    [
        ("s3://bucket", "s3://bucket", True, "bucket"),
        ("s3://bucket/", "s3://bucket", True, "bucket"),
        ("S3://bucket/a b/ü.JPG", "s3://bucket/a b/ü.JPG", False, "ü.JPG"),
        ("s3://bucket/night/", "s3://bucket/night", True, "night"),
        ("s3://bucket/../a#1?.jpg", "s3://bucket/../a#1?.jpg", False, "a#1?.jpg"),
        ("https://me:secret@host:8/x%20y.jpg?sig=secret#z", "https://host:8/x%20y.jpg", False, "x y.jpg"),
        ("https://host/%2e%2e%2fa.jpg", "https://host/%2e%2e%2fa.jpg", False, ".._a.jpg"),
        (
            "abfss://photos@me.dfs.core.windows.net/a.jpg",
            "abfss://photos@me.dfs.core.windows.net/a.jpg",
            False,
            "a.jpg",
        ),
    ],
)
def test_an_address_is_read_and_shown(url, text, folder, name):
    address = parsed(url)
    assert (str(address), address.is_dir(), address.name) == (text, folder, name)
    assert "secret" not in f"{address} {address!r}"


def test_a_web_address_is_fetched_with_what_is_never_shown():
    url = "https://me:secret@host/x.jpg?sig=secret"
    assert parsed(url).url == url
    assert parsed(url) != parsed("https://me:secret@host/x.jpg?sig=other")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://host/a.jpg", "ftp://: URLs of this kind are not supported; use one of s3"),
        ("file:///a.jpg", "file://: URLs of this kind are not supported"),
        ("s3:///a.jpg", "no bucket is named"),
        ("s3://key:secret@bucket/a.jpg", "s3://bucket/...: the URL must not contain credentials"),
        ("s3://bucket/a.jpg?secret_key=secret", "s3://bucket/a.jpg: the URL must not contain ?options"),
        ("https://me:secret@host/folder/?key=secret", "https://host/folder/: folders on the web cannot be listed"),
        ("https://host", "cannot be listed"),
    ],
)
def test_other_addresses_are_refused_without_their_secrets(url, message):
    with pytest.raises(UsageError) as error:
        parsed(url)
    assert message in str(error.value)
    assert "secret@" not in str(error.value)
    assert "=secret" not in str(error.value)


@given(st.lists(PARTS, min_size=1, max_size=4), PARTS)
def test_an_address_comes_apart_and_together(folders, name):
    root = Address("s3", "bucket", folder=True)
    address = root.joinpath(*folders, name)
    assert address.parts_below(root) == tuple(folders)
    assert address.parent.joinpath(address.name) == address == address.with_name(address.name)
    assert address.stem + address.suffix == name
    assert root.joinpath(*address.parts_below(root)) == address.parent


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b c", "x\0"]), min_size=1, max_size=4))
def test_no_part_of_a_key_leaves_a_folder_of_this_machine(parts):
    if not fault_of_parts(tuple(parts)):
        assert Path("/out").joinpath(*parts).resolve().is_relative_to("/out")
        assert len(Path("/out").joinpath(*parts).parts) == len(parts) + 2
    assert bool(fault_of_parts(tuple(parts))) is not {"a", "b c"}.issuperset(parts)
