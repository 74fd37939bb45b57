import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlighten_cli.stores import listed
from enlighten_cli.stores.address import Address

FOLDER = Address("s3", "bucket/out", folder=True)
NAMES = st.text("ab1.é𝄞 !", min_size=1, max_size=4)


class Pages:
    """A folder in S3: names in the order of their UTF-8 bytes, a few at a time."""

    def __init__(self, names, size):
        self.names, self.size, self.count = sorted(names, key=str.encode), size, 0

    def __call__(self, folder, *, token=None, after=""):
        self.count += 1
        later = [name for name in self.names if name.encode() > (token or after).encode()]
        page = later[: self.size]
        return [folder.joinpath(name) for name in page], page[-1] if len(later) > self.size else None


@given(st.sets(NAMES), st.lists(NAMES, max_size=30), st.integers(1, 5))
def test_a_name_is_taken_if_it_is_in_the_folder(names, asked, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listed, "names_of_page", Pages(names, size))
        taken = listed.Listed()
        for name in asked:
            assert (FOLDER.joinpath(name) in taken) == (name in names)


def test_a_thousand_names_in_order_cost_a_request_a_page(monkeypatch):
    names = [f"{number:06}.jpg" for number in range(1000)]
    pages = Pages(names, 100)
    monkeypatch.setattr(listed, "names_of_page", pages)
    taken = listed.Listed()
    assert all(FOLDER.joinpath(name) in taken for name in names)
    assert pages.count <= 11


def test_an_empty_folder_costs_one_request(monkeypatch):
    pages = Pages([], 100)
    monkeypatch.setattr(listed, "names_of_page", pages)
    taken = listed.Listed()
    assert not any(FOLDER.joinpath(f"{number:06}.jpg") in taken for number in range(1000))
    assert pages.count == 1


def test_one_name_in_a_large_folder_costs_one_request(monkeypatch):
    pages = Pages([f"{number:06}.jpg" for number in range(5000)], 100)
    monkeypatch.setattr(listed, "names_of_page", pages)
    assert FOLDER.joinpath("004000.jpg") in listed.Listed()
    assert pages.count == 1
