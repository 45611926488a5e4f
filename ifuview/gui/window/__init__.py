"""What stands around the canvas and the panels: menus, bars, theme, the area of the docks."""
