"""People at work on a running server, without their browsers: they speak Streamlit's protocol.

    python -m benchmarks.desk_people ADDRESS [--people 19] [--clip-s 10] [--for-s 3600]

Each opens the review desk, types (a draft every two seconds), fetches the sound, saves a correction
after some ten seconds and goes on with the next clip. At the end, or when it is stopped, it
prints how long the server took from a verdict to the next clip. Their browsers are left out because
twenty people have twenty machines: with twenty Chromiums on two cores only those would be measured.
"""

import argparse
import json
import random
import signal
import statistics
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

_DRAFT_EVERY_S = 2.0
_PATIENCE_S = 30.0


class Annotator:
    """Somebody at the desk.

    Args:
        address: of the server, e.g. ``http://127.0.0.1:8501``
        name: theirs
    """

    def __init__(self, address: str, name: str) -> None:
        self._address = address
        self._name = name
        self._desk: dict[str, Any] = {}
        self._page = self._widget = self._fragment = ""
        self._num_messages = 0
        self.num_bytes = 0

    def work(self, clip_s: float, is_over: Callable[[], bool]) -> Iterator[float]:
        """Review until it is over; yields the seconds from every verdict to the next clip."""
        headers = {"Cookie": f"werkbench_reviewer={quote(self._name)}", "Origin": self._address}
        url = f"{self._address.replace('http', 'ws', 1)}/_stcore/stream"
        with connect(url, additional_headers=headers, max_size=None) as socket:
            opening = BackMsg()
            opening.rerun_script.page_name = "review"
            socket.send(opening.SerializeToString())
            self._read(socket)
            while not is_over() and self._desk.get("clip_id"):
                yield self._review(socket, random.uniform(0.5, 1.5) * clip_s)  # noqa: S311

    def _review(self, socket: ClientConnection, clip_s: float) -> float:
        clip = self._desk["clip"]
        address = f"{self._address}{clip['audio_url']}"
        with urllib.request.urlopen(address) as sound:  # noqa: S310 - our own server
            sound.read()
        text = " ".join(clip["rows"])
        until = time.perf_counter() + clip_s
        while time.perf_counter() < until:
            time.sleep(min(_DRAFT_EVERY_S, max(0.0, until - time.perf_counter())))
            text += " today"
            self._send(socket, "draft", clip["id"], text=text)
        start = time.perf_counter()
        heard = {"listened_share": 1.0, "lead_time_s": clip_s}
        self._send(socket, "verdict", clip["id"], verdict="correct", text=text, **heard)
        return time.perf_counter() - start

    def _send(self, socket: ClientConnection, kind: str, clip_id: str, **more: object) -> None:
        self._num_messages += 1
        message = {"id": f"{self._name} {self._num_messages}", "clip_id": clip_id, **more}
        sent = BackMsg()
        sent.rerun_script.page_script_hash = self._page
        sent.rerun_script.fragment_id = self._fragment
        widget = sent.rerun_script.widget_states.widgets.add()
        widget.id = f"$$STREAMLIT_INTERNAL_KEY_{self._widget}__events"
        widget.json_trigger_value = json.dumps([{"event": kind, "value": message}])
        socket.send(sent.SerializeToString())
        self._read(socket, answer_to=message["id"])

    def _read(self, socket: ClientConnection, answer_to: object = None) -> None:
        """Read until the desk has come, with the answer to a message."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            data = socket.recv(timeout=_PATIENCE_S)
            self.num_bytes += len(data)
            received = ForwardMsg()
            received.ParseFromString(data if isinstance(data, bytes) else data.encode())
            element = received.delta.new_element.bidi_component
            if not element.id:
                continue
            self._page = received.metadata.active_script_hash
            self._widget, self._fragment = element.id, received.delta.fragment_id
            self._desk = json.loads(element.json or element.mixed.json)
            if answer_to is None:
                return
            for reply in self._desk["replies"]:
                if reply["id"] == answer_to:
                    if not reply["is_ok"]:
                        raise RuntimeError(f"{self._name}: {reply['message']}")
                    return
        raise TimeoutError(f"{self._name}: no answer within {_PATIENCE_S:g} s")


def main() -> int:
    """Let them work and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address")
    parser.add_argument("--people", type=int, default=19)
    parser.add_argument("--clip-s", type=float, default=10.0)
    parser.add_argument("--for-s", type=float, default=3600.0)
    options = parser.parse_args()
    start = time.monotonic()
    is_over = threading.Event()
    times: list[float] = []
    problems: list[str] = []

    def work(number: int) -> None:
        time.sleep(number * options.clip_s / options.people)
        somebody = Annotator(options.address, f"person {number}")
        try:
            times.extend(somebody.work(options.clip_s, is_over.is_set))
        except (OSError, RuntimeError) as error:
            problems.append(str(error))

    people = [threading.Thread(target=work, args=(n,)) for n in range(1, options.people + 1)]
    for person in people:
        person.start()
    signal.signal(signal.SIGTERM, lambda *_: is_over.set())
    with suppress(KeyboardInterrupt):
        is_over.wait(options.for_s)
    is_over.set()
    for person in people:
        person.join()
    if times:
        ordered = sorted(1000 * seconds for seconds in times)
        p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
        print(
            f"{options.people} people saved {len(times)} clips in "
            f"{time.monotonic() - start:.0f} s; "
            f"the next came after {statistics.median(ordered):.0f} ms (95 %: {p95:.0f} ms)"
        )
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
