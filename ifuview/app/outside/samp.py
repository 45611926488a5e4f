"""A client of a SAMP hub, on a thread of its own: joins when a hub is there, hears and tells.

The client of pyvo listens on 127.0.0.1 alone, and to what carries the key that the hub gave it.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from threading import Thread
from typing import TYPE_CHECKING, Any

from ifuview.app.outside.samp_words import LOADS, POINTS, Message
from ifuview.errors import IfuviewError

if TYPE_CHECKING:
    from pyvo.samp import SAMPIntegratedClient

HOME = "127.0.0.1"
LOOK_S = 3.0  # between two looks for a hub
METADATA = {
    "samp.name": "ifuview",
    "samp.description.text": "See and diagnose fiber-fed integral-field spectrograph data",
    "ifuview.version": "",
}
Heard = Callable[[str, Mapping[str, object], str], None]
Said = Callable[[str], None]


class SampLink:
    """The thread; its functions return at once.

    Parameters
    ----------
    heard : (kind, parameters, path) -> None
        Called on another thread for each message, with the path of the file that it names ("" for none).
    said : (text) -> None
        Called on another thread with what the user should know.
    """

    def __init__(self, heard: Heard, said: Said) -> None:
        from ifuview.io.objects.missing import needed

        needed("pyvo.samp", "samp")
        self._heard, self._said = heard, said
        self._jobs: queue.Queue[Callable[[], Message] | None] = queue.Queue()
        self._client: SAMPIntegratedClient | None = None
        self._waits = False
        self._thread = Thread(target=self._run, name="ifuview samp", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether a hub has taken us."""
        return self._client is not None

    def tell(self, make: Callable[[], Message]) -> None:
        """Tell all others what `make` gives, which may write a file; it is called on the thread."""
        self._jobs.put(make)

    def stop(self, patience: float = 2.0) -> None:
        """Leave the hub."""
        self._jobs.put(None)
        self._thread.join(patience)

    def _run(self) -> None:
        while True:
            if self._client is None:
                self._join()
            try:
                job = self._jobs.get(timeout=LOOK_S)
            except queue.Empty:
                continue
            if job is None:
                break
            self._carry_out(job)
        self._leave()

    def _carry_out(self, job: Callable[[], Message]) -> None:
        if self._client is None:
            return
        try:
            kind, params = job()
        except Exception as problem:  # of writing the file: only this message is lost
            self._said(f"it could not be sent: {problem}")
            return
        try:
            self._client.enotify_all(kind, **params)
        except Exception as problem:  # the hub has gone, in the words of sockets and of XML-RPC
            self._said(f"the SAMP hub does not answer ({problem})")
            self._leave()

    def _join(self) -> None:
        import warnings

        from pyvo import samp

        from ifuview import __version__

        samp.conf.use_internet = False  # else it asks a server far away what this machine is called
        client = samp.SAMPIntegratedClient(metadata={**METADATA, "ifuview.version": __version__}, addr=HOME)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                client.connect()
                for kind in (*LOADS, *POINTS):
                    client.bind_receive_notification(kind, self._notified)
                    client.bind_receive_call(kind, self._called)
                client.bind_receive_notification("samp.hub.event.shutdown", self._gone)
        except Exception:  # there is no hub, or it goes just now
            if not self._waits:
                self._waits = True
                self._said("no SAMP hub is running; start topcat or Aladin, ifuview joins by itself")
            return
        self._client, self._waits = client, False
        self._said("joined the SAMP hub")

    def _leave(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                client.disconnect()
            except Exception:  # the hub was faster
                return

    def _gone(self, *_: Any) -> None:
        self._client = None
        self._said("the SAMP hub has ended")

    def _called(self, key: str, sender: str, ident: str, kind: str, params: dict[str, object], extra: object) -> None:
        """A message that wants an answer: it is taken."""
        self._notified(key, sender, kind, params, extra)
        if self._client is not None:
            self._client.ereply(ident, "samp.ok", result={})

    def _notified(self, key: str, sender: str, kind: str, params: dict[str, object], extra: object) -> None:
        path = ""
        if not isinstance(params, Mapping):
            return
        if kind in LOADS:
            from ifuview.io.objects.handed import fetched

            try:
                url, name = str(params.get("url", "")), str(params.get("name", ""))
                path = fetched(url, name, votable=kind == "table.load.votable")
            except IfuviewError as problem:
                self._said(str(problem))
                return
        self._heard(kind, params, path)
