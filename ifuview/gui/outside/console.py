"""An IPython console in the window, its kernel in this process: `viewer`, `session`, `frame`, `selection`."""

from __future__ import annotations

import os
from typing import Any

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QDockWidget, QMainWindow

from ifuview.app.outside.objects import needed
from ifuview.app.session import Session
from ifuview.gui.outside.handle import WindowHandle
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.main_window import MainWindow

FOCUS_MS = 100
SHARE = 0.28  # of the height of the window
BANNER = """\
viewer   the window: viewer.add(array), viewer.select(17), viewer.limits("minmax"), viewer.screenshot("a.png")
session  all of its state now; frame, selection: what is shown and selected; np: numpy
"""


class Console(QDockWidget):
    """Made when it is asked for the first time: IPython takes a second to load."""

    def __init__(self, controller: Controller, window: MainWindow) -> None:
        """Raise MissingDataError where qtconsole is not there."""
        os.environ.setdefault("QT_API", "pyqt6")
        needed("qtconsole", "console")
        from qtconsole.inprocess import QtInProcessKernelManager
        from qtconsole.rich_jupyter_widget import RichJupyterWidget

        super().__init__("Python console", window)
        self.setObjectName("console")
        self.controller = controller
        self._manager = QtInProcessKernelManager()
        self._manager.start_kernel(show_banner=False)
        self.kernel: Any = self._manager.kernel
        self.kernel.shell.enable_tip = False  # the names of the banner are what one needs to see
        self._client = self._manager.client()
        self._client.start_channels()
        self.widget_: Any = RichJupyterWidget()
        self.widget_.banner = BANNER
        self.widget_.kernel_manager, self.widget_.kernel_client = self._manager, self._client
        self.widget_.setFocusProxy(self.widget_._control)  # else keys go to the actions of the window
        self.setWidget(self.widget_)
        import numpy as np

        self.kernel.shell.push({"viewer": WindowHandle(controller, window), "np": np})
        self._tell(controller.session, controller.session)
        controller.store.changed.connect(self._tell)
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self)
        window.closing.connect(self._close)

    def come(self) -> None:
        """Stand in front, high enough for the banner and some lines, and take the keys."""
        window = self.parent()
        self.show()
        self.raise_()
        if isinstance(window, QMainWindow) and not self.isFloating():
            least = round(SHARE * window.height())
            if self.height() < least:
                window.resizeDocks([self], [least], Qt.Orientation.Vertical)
        self.widget_.setFocus()
        QTimer.singleShot(FOCUS_MS, self.widget_.setFocus)  # a dialog that asked for it gives the focus back as it goes

    def _tell(self, _old: Session, new: Session) -> None:
        """The names that follow the window."""
        self.kernel.shell.user_ns.update(session=new, frame=new.slot(), selection=new.selection)

    def _close(self) -> None:
        self.controller.store.changed.disconnect(self._tell)
        self._client.stop_channels()
        self._manager.shutdown_kernel()
