from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlighten_cli.batch.naming import NameTemplate
from enlighten_cli.errors import UsageError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{stem}.{ext}", "a.b.jpg"),
        ("{stem}-{model}.{ext}", "a.b-my_model.jpg"),
        ("bright {stem}.{ext}", "bright a.b.jpg"),
        ("{stem}", "a.b"),
    ],
)
def test_fields_are_filled(text, name):
    assert NameTemplate(text, model="my/model").fill(Path("folder/a.b.jpg"), ".jpg") == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{name}.{ext}", "no field 'name'"),
        ("{stem.__class__}", "no field"),
        ("{stem", "a brace without its match"),
        ("stem}", "a brace without its match"),
        ("{}", "no field ''"),
        ("out.{ext}", "without {stem}"),
        ("../{stem}.{ext}", "a name, not a path"),
        ("a\\{stem}", "a name, not a path"),
        ("", "without {stem}"),
    ],
)
def test_anything_else_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        NameTemplate(text)


@given(
    st.text(max_size=12),
    st.text(alphabet=st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=8),
)
def test_a_result_never_leaves_its_folder(text, stem):
    if stem in (".", ".."):
        return
    try:
        template = NameTemplate("{stem}" + text)
    except UsageError:
        return
    name = template.fill(Path("/in") / f"{stem}.jpg", ".jpg")
    assert "/" not in name
    assert name not in ("", ".", "..")


def test_own_results_are_known_again_while_their_photo_is_there(tmp_path):
    template = NameTemplate("{stem}-enlightened.{ext}")
    assert not template.marks(tmp_path / "a-enlightened.jpg", Path.exists)
    (tmp_path / "a.png").touch()
    assert template.marks(tmp_path / "a-enlightened.jpg", Path.exists)
    assert template.marks(tmp_path / "a-enlightened-1.jpg", Path.exists)
    assert not template.marks(tmp_path / "a.png", Path.exists)
    assert not NameTemplate("{stem}-{model}.{ext}", model="lite").marks(tmp_path / "a-2023.jpg", Path.exists)
    assert NameTemplate("{stem}-{model}.{ext}", model="lite").marks(tmp_path / "a-lite.jpg", Path.exists)
