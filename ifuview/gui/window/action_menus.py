"""The menus: every action of the table becomes a QAction with its keys, its check mark and its place."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QKeySequence, QShortcut
from PyQt6.QtWidgets import QMenu

from ifuview.app import intents as want
from ifuview.gui.docks import DOCKS, panel_keys
from ifuview.gui.plain import plain
from ifuview.gui.shell.window_commands import WindowCommands
from ifuview.gui.shell.window_contract import CommandedWindow
from ifuview.gui.window.actions import Action
from ifuview.gui.window.menus import ACTIONS

CANVAS_KEYS = ("next", "previous")  # Tab must still move the focus in docks and dialogs


class ActionMenus:
    """Fills the menus of the window, after the first paint."""

    def __init__(self, window: CommandedWindow, menus: dict[str, QMenu]) -> None:
        self.window, self.controller = window, window.controller
        self.commands = WindowCommands(window)
        self.actions: dict[str, QAction] = {}
        self._menus = menus
        for action in ACTIONS:
            self._add_action(action)
        for name, menu in self._menus.items():
            menu.aboutToShow.connect(lambda name=name: self._show_checks(name))
        focus = QShortcut(QKeySequence("F6"), self.window)
        focus.activated.connect(self.commands.focus_next_panel)
        self._make_dock_menu()

    def _add_action(self, action: Action) -> None:
        menu = self._menu(action.menu)
        item = QAction(action.text, self.window)
        item.setObjectName(action.name)
        item.setShortcuts([QKeySequence(k) for k in action.keys])
        item.setToolTip(plain(action.tip or action.text + (f" ({action.keys[0]})" if action.keys else "")))
        item.setCheckable(action.checked is not None)
        if action.name in CANVAS_KEYS:
            item.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            self.window.canvas.addAction(item)
        item.triggered.connect(lambda _=False, action=action: self.trigger(action))
        menu.addAction(item)
        self.actions[action.name] = item

    def _menu(self, path: str) -> QMenu:
        top, *rest = path.lstrip("-").split("/")
        menu = self._menus[top]
        if path.startswith("-"):
            menu.addSeparator()
        for name in rest:
            found = menu.findChild(QMenu, name)
            if found is None:
                found = menu.addMenu(name)
                found.setObjectName(name)
            menu = found
        return menu

    def _make_dock_menu(self) -> None:
        menu = self._menus["Window"]
        first = menu.actions()[0]
        for entry in DOCKS:
            item = QAction(entry.title, self.window)
            item.setObjectName(f"dock-{entry.key}")
            item.setCheckable(True)
            if entry.letter:
                item.setShortcut(QKeySequence(panel_keys(entry)))
            item.triggered.connect(lambda _on, key=entry.key: self.commands.toggle_panel(key))
            menu.insertAction(first, item)
            self.actions[f"dock-{entry.key}"] = item
        menu.insertSeparator(first)
        self.recent_menu = QMenu("Open recent", self.window)
        self._menus["File"].insertMenu(self.actions["reload"], self.recent_menu)
        self.recent_menu.aboutToShow.connect(self._fill_recent)

    def trigger(self, action: Action) -> None:
        """Carry out one action of the table."""
        if isinstance(action.make, str):
            getattr(self.commands, action.make)()
            return
        intent = action.make(self.controller.session)
        if intent is not None:
            self.controller.handle(intent)

    def _show_checks(self, menu: str) -> None:
        session = self.controller.session
        for key, dock in self.window.docks.items() if menu == "Window" else ():
            self.actions[f"dock-{key}"].setChecked(not dock.isHidden())
        for action in ACTIONS:
            if action.checked is not None and _top_menu(action) == menu:
                self.actions[action.name].setChecked(action.checked(session))

    def _fill_recent(self) -> None:
        self.recent_menu.clear()
        for spec in self.controller.session.recent:
            item = self.recent_menu.addAction(spec)
            if item is not None:
                item.triggered.connect(lambda _=False, spec=spec: self.controller.handle(want.OpenFile(spec)))
        if self.recent_menu.isEmpty():
            item = self.recent_menu.addAction("Nothing yet")
            if item is not None:
                item.setEnabled(False)


def _top_menu(action: Action) -> str:
    return action.menu.lstrip("-").split("/")[0]
