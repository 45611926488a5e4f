"""The window: store, controller, presenter, worker, menus, docks put together."""
