"""The review desk when things go wrong: two people, a killed server, a lost claim."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.desk_clips import seed
from tests.desk_page import Desk, Server

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

TEXT = "the quick brown fox jumps over the lazy dog and runs away"


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Callable[..., tuple[Server, list[str]]]]:
    """A server of the test's own with a few clips."""
    servers: list[Server] = []

    def start(*texts: str, **variables: str) -> tuple[Server, list[str]]:
        data_dir = tmp_path / "data"
        ids = seed(data_dir, *texts)
        server = Server(data_dir)
        servers.append(server)
        server.start(**variables)
        return server, ids

    yield start
    for server in servers:
        server.kill()


def test_two_people_never_hold_one_clip(
    quiet: Callable[..., tuple[Server, list[str]]], launch: Callable[..., Page]
) -> None:
    server, ids = quiet(f"{TEXT} one", f"{TEXT} two")
    ann = Desk(launch(), server, "ann").open()
    ben = Desk(launch(), server, "ben").open()
    expect(ann.name).to_have_text(re.compile("^clip-"))
    expect(ben.name).to_have_text(re.compile("^clip-"))
    assert ann.name.inner_text() != ben.name.inner_text()
    hers = ann.page.url.split("clip=")[1]
    ben.open(hers)
    expect(ben.find(".wb-banner")).to_contain_text("Somebody else is reviewing this clip")
    ben.find("[data-do=next]").click()
    expect(ben.name).to_have_text(re.compile("^clip-"))
    for desk in (ann, ben):
        desk.press("Control+Enter")
        expect(desk.result).to_contain_text("every word was right")
    expect(ann.name).to_have_text("Nothing to review")
    expect(ann.page.get_by_text("Add audio", exact=True)).to_be_visible()
    server.kill()
    assert [len(server.stored_reviews(clip_id)) for clip_id in ids] == [1, 1]


def test_a_save_goes_through_when_the_server_is_back(
    quiet: Callable[..., tuple[Server, list[str]]], launch: Callable[..., Page]
) -> None:
    server, ids = quiet(f"{TEXT} one", f"{TEXT} two")
    desk = Desk(launch(), server, "ann").open(ids[0])
    desk.write(" before")
    expect(desk.state).to_have_text(re.compile("^Saved"))
    server.kill()
    desk.write(" after")
    desk.press("Control+Enter")
    expect(desk.state).to_contain_text("kept in this browser")
    expect(desk.rows.first).to_have_value("the quick brown fox jumps over before after")
    server.start()
    expect(desk.result).to_contain_text(
        "2 wrong words: before missing, after missing", timeout=60_000
    )
    expect(desk.name).to_have_text("clip-1.wav")
    server.kill()
    stored = server.stored_reviews(ids[0])
    assert [review.text for review in stored] == [
        "the quick brown fox jumps over before after the lazy dog and runs away one"
    ]
    assert stored[0].lead_time_s >= 0


def test_what_is_typed_while_the_server_is_away_survives_a_reload_after_it_is_back(
    quiet: Callable[..., tuple[Server, list[str]]], launch: Callable[..., Page]
) -> None:
    server, ids = quiet(f"{TEXT} one")
    desk = Desk(launch(), server, "ann").open(ids[0])
    server.kill()
    # Long enough for Streamlit's own dialog about the connection, which takes the keyboard.
    alone = " typed on while nobody answers" * 8
    desk.write(alone, delay_ms=1000 / 30)
    expect(desk.state).to_contain_text("kept in this browser")
    expect(desk.rows.first).to_have_value("the quick brown fox jumps over" + alone)
    server.start()
    desk.page.reload()
    expect(desk.rows.first).to_have_value("the quick brown fox jumps over" + alone)
    expect(desk.state).to_have_text(re.compile("^Saved"))


def test_a_claim_that_ran_out_keeps_the_text_on_the_desk(
    quiet: Callable[..., tuple[Server, list[str]]], launch: Callable[..., Page]
) -> None:
    server, ids = quiet(f"{TEXT} one", WERKBENCH_REVIEW__CLAIM_S="12")
    ann = Desk(launch(), server, "ann").open(ids[0])
    ann.write(" mine")
    expect(ann.state).to_have_text(re.compile("^Saved"))
    # Keep the page alive but silent, as a suspended tab would be.
    ann.page.evaluate(
        """() => {
          window.realSend = WebSocket.prototype.send;
          WebSocket.prototype.send = () => {};
        }"""
    )
    ann.page.wait_for_timeout(12_500)
    ben = Desk(launch(), server, "ben").open(ids[0])
    expect(ben.rows.first).to_have_value("the quick brown fox jumps over")
    ann.page.evaluate("() => { WebSocket.prototype.send = window.realSend; }")
    ann.write(" too")
    expect(ann.find(".wb-banner")).to_contain_text("Somebody else is reviewing this clip")
    expect(ann.rows.first).to_have_value("the quick brown fox jumps over mine too")
    expect(ann.state).to_have_text(re.compile("^Saved"))
    ann.press("Control+Enter")
    expect(ann.state).to_contain_text("Not saved — kept in this browser")
    expect(ann.rows.first).to_have_value("the quick brown fox jumps over mine too")
