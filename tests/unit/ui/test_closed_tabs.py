"""The clip of a closed browser tab goes back; that of a reloaded one does not."""

from tests.desk_clips import store_playable
from ui.desk.closing import ClosedTabs
from ui.desk.events import DeskEvents
from ui.desk.session import DeskSession
from workbench import review
from workbench.runtime import Runtime

NOTHING = DeskEvents()


def test_a_clip_goes_back_when_its_tab_is_gone_for_long(runtime: Runtime) -> None:
    clip_id = store_playable(runtime, "one two", file_name="a.wav")
    is_open = {"tab": True}
    tabs = ClosedTabs(is_open.__getitem__, patience_s=30.0, pause_s=3600.0)
    desk = DeskSession("ann")
    desk.step(runtime, NOTHING)
    tabs.watch("tab", desk, runtime)

    assert tabs.look(0.0) == 0
    is_open["tab"] = False
    assert (tabs.look(10.0), tabs.look(39.0)) == (0, 0)
    assert review.next_clip(runtime, "bob") is None
    assert tabs.look(40.0) == 1
    task = review.next_clip(runtime, "bob")
    assert task is not None
    assert task.clip.id == clip_id


def test_a_tab_that_comes_back_keeps_its_clip(runtime: Runtime) -> None:
    store_playable(runtime, "one two", file_name="a.wav")
    is_open = {"tab": False}
    tabs = ClosedTabs(is_open.__getitem__, patience_s=30.0, pause_s=3600.0)
    desk = DeskSession("ann")
    desk.step(runtime, NOTHING)
    tabs.watch("tab", desk, runtime)
    assert tabs.look(0.0) == 0
    is_open["tab"] = True
    assert tabs.look(20.0) == 0
    is_open["tab"] = False
    assert tabs.look(35.0) == 0


def test_a_reloaded_page_keeps_the_clip_of_the_tab_before(runtime: Runtime) -> None:
    clip_id = store_playable(runtime, "one two", file_name="a.wav")
    tabs = ClosedTabs(lambda tab: tab == "after", patience_s=0.0, pause_s=3600.0)
    before, after = DeskSession("ann"), DeskSession("ann")
    before.step(runtime, NOTHING)
    tabs.watch("before", before, runtime)
    after.want(clip_id)
    after.step(runtime, NOTHING)
    tabs.watch("after", after, runtime)
    assert tabs.look(0.0) == 1
    assert review.queue(runtime)[0].claimed_by == "ann"
