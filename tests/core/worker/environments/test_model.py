"""Reading ``envs.toml``: what is allowed, and what is said of what is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackleed.errors import EnvironmentNotFound, EnvironmentsDamaged, EnvironmentUnusable
from trackleed.worker.environments import find_environment, load_environments
from trackleed.worker.environments.model import parse
from trackleed.worker.environments.registering import add_entry, change_entry, remove_entry

FILE = Path("/etc/envs.toml")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("TRACKLEED_HOME", str(folder))
    return folder


def test_paths_are_relative_to_the_file_and_a_tilde_is_the_home(tmp_path: Path) -> None:
    (tmp_path / "envs.toml").write_text(
        '[vos]\npython = "../venv/bin/python"\ncheckpoints = "~/w"\ncheckouts = { a-b = "src/a" }'
    )
    vos = load_environments(tmp_path)["vos"]
    assert vos.python == tmp_path.parent / "venv/bin/python"
    assert vos.checkpoints == Path.home() / "w"
    assert vos.checkouts == {"a-b": tmp_path / "src/a"}
    assert (vos.device, vos.source) == ("auto", tmp_path / "envs.toml")


def test_a_python_that_is_a_link_stays_one(tmp_path: Path, fake: Callable[..., Path]) -> None:
    python = fake(tmp_path / "venv")
    (tmp_path / "envs.toml").write_text('[vos]\npython = "venv/bin/python"')
    assert load_environments(tmp_path)["vos"].interpreter == python


def test_the_project_comes_before_the_user(home: Path, tmp_path: Path) -> None:
    (home / "envs.toml").write_text('[a]\npython = "/user"\n[b]\npython = "/user"')
    (tmp_path / "envs.toml").write_text('[a]\npython = "/project"')
    found = load_environments(tmp_path)
    assert {name: str(e.python) for name, e in found.items()} == {"a": "/project", "b": "/user"}


def test_no_file_is_no_environments(tmp_path: Path) -> None:
    assert load_environments(tmp_path) == {}
    with pytest.raises(EnvironmentNotFound, match=r"no environment is called 'x'; there are: none"):
        find_environment({}, "x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[a]\npython = "p"\npyhton = "q"', r"\[a\] has an unknown key 'pyhton'; allowed: python,"),
        ('[a]\npython = "p"\n[a]\npython = "q"', "not valid TOML: .*stands twice"),
        ('python = "p"', "stands outside a table"),
        ('[a]\ndevice = "cpu"', "names no python"),
        ('[a]\npython = "p"\ndevice = "gpu"', "device = 'gpu' is not allowed"),
        ('[a]\npython = "p"\naddress = "host"', "address = 'host' is not allowed"),
        ('[a]\npython = "p"\nvariables = { N = 4 }', "variables.N = 4 is not allowed"),
        ('["A b"]\npython = "p"', "'A b' is not named in lower-case"),
        ("[a", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, said: str) -> None:
    with pytest.raises(EnvironmentsDamaged, match=said) as caught:
        parse(text, FILE)
    assert str(FILE) in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"\[[a-z]{1,3}\]\n[a-z]{1,7} = .{0,12}"))
def test_any_text_is_environments_or_one_line(text: str) -> None:
    try:
        parse(text, FILE)
    except EnvironmentsDamaged as error:
        lines = str(error).splitlines()
    else:
        lines = ["fine"]
    assert len(lines) == 1


def test_a_missing_or_powerless_python_is_named(tmp_path: Path) -> None:
    found = parse(f"[a]\npython = '{tmp_path}/none'\n[b]\npython = '{tmp_path}/plain'", FILE)
    with pytest.raises(EnvironmentUnusable, match=r"is not there — mend .a. in /etc/envs.toml"):
        _ = found["a"].interpreter
    (tmp_path / "plain").write_text("")
    with pytest.raises(EnvironmentUnusable, match="cannot be run"):
        _ = found["b"].interpreter


def test_editing_keeps_comments_and_the_other_entries(tmp_path: Path) -> None:
    file = tmp_path / "envs.toml"
    file.write_text('# mine\n[old]\npython = "p" # the good one\n')
    new = add_entry(
        file,
        "new",
        {"python": tmp_path / "q", "checkouts": {"a": tmp_path / 'odd "name"'}, "device": None},
    )
    assert new.checkouts == {"a": tmp_path / 'odd "name"'}
    changed = change_entry(new, backends=["cutie"], device="cpu")
    assert (changed.backends, changed.device, changed.python) == (("cutie",), "cpu", new.python)
    remove_entry(changed)
    assert file.read_text().strip() == '# mine\n[old]\npython = "p" # the good one'


def test_what_is_not_allowed_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "envs.toml"
    made = add_entry(file, "a", {"python": "p"})
    before = file.read_bytes()
    with pytest.raises(EnvironmentUnusable, match="has an environment 'a' already"):
        add_entry(file, "a", {"python": "q"})
    with pytest.raises(EnvironmentUnusable, match="cannot be called 'B@c'"):
        add_entry(file, "B@c", {"python": "q"})
    with pytest.raises(EnvironmentsDamaged, match="device = 'gpu'"):
        change_entry(made, device="gpu")
    assert file.read_bytes() == before
