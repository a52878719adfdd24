"""The documentation names everything there is, with its value, and its links lead somewhere."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.routing import APIRoute

from jobs.cli import app

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "__init__")
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("sample_audio/*.md")]
)


def settings(environment: str) -> dict[str, Any]:
    """Every key of a configuration file, flat."""
    loaded = yaml.safe_load((ROOT / "config" / f"{environment}.yaml").read_text(encoding="utf-8"))
    flat: dict[str, Any] = {}
    for section, value in loaded.items():
        if isinstance(value, dict):
            flat |= {f"{section}.{key}": item for key, item in value.items()}
        else:
            flat[section] = value
    return flat


def shown(value: Any) -> str:
    if value is None or value == []:
        return "–"
    return "on" if value is True else str(value)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_explained(page: str) -> None:
    assert f"- **{page.capitalize()}**: " in GUIDE


def test_every_command_is_explained_with_every_option() -> None:
    for command in app.registered_commands:
        name = str(command.name)
        line = next(
            line for line in GUIDE.splitlines() if re.match(rf"\| `werkbench {name}[ `]", line)
        )
        options = _options(name)
        assert options
        assert [option for option in options if option not in line] == []


def _options(command: str) -> list[str]:
    from typer.testing import CliRunner

    text = CliRunner().invoke(app, [command, "--help"]).stdout
    found = re.findall(r"^\s+(--[a-z-]+)", text, flags=re.MULTILINE)
    return [option for option in found if option != "--help"]


def test_every_setting_is_explained_with_its_values() -> None:
    dev, prod = settings("dev"), settings("prod")
    assert dev.keys() == prod.keys()
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| (.* \| .*) \| .+ \|$", GUIDE, flags=re.MULTILINE))
    assert rows == {key: f"{shown(dev[key])} | {shown(prod[key])}" for key in dev}


def test_every_route_is_explained() -> None:
    from api import clips, predict, sound

    for router in (predict.router, clips.router, sound.media_router):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            method = min(route.methods or {"?"})
            assert f"`{method} /api/v1{route.path}`" in GUIDE


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name) if name else document
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, target


def test_readme_begins_with_the_two_commands() -> None:
    first_screen = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:20]
    assert any(line.startswith("script/run") for line in first_screen)
    assert any(line.startswith("script/test") for line in first_screen)
