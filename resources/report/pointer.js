"use strict";
// Figures that zoom, and tell the values under the pointer. Plain JavaScript; nothing is loaded.

// The axes under a place of the figure (0 to 1, y upwards), with data coordinates there; null outside.
function place(axes, fx, fy) {
  for (const a of axes) {
    const [x0, y0, x1, y1] = a.box;
    if (fx < x0 || fx > x1 || fy < y0 || fy > y1) continue;
    return { axes: a, x: along(a.x, (fx - x0) / (x1 - x0)), y: along(a.y, (fy - y0) / (y1 - y0)) };
  }
  return null;
}

// A coordinate of an axis at a share of its length.
function along(axis, share) {
  if (!axis.log) return axis.from + share * (axis.to - axis.from);
  return axis.from * Math.pow(axis.to / axis.from, share);
}

// Where a value lies on an axis, as a share of its length.
function share(axis, value) {
  if (!axis.log) return (value - axis.from) / (axis.to - axis.from);
  return Math.log(value / axis.from) / Math.log(axis.to / axis.from);
}

function number(value) {
  if (value === null || !isFinite(value)) return "–";
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(3) : String(Number(value.toPrecision(5)));
}

// The value of an image at a place, undefined outside.
function pixel(image, x, y) {
  const column = Math.floor(((x - image.x0) / (image.x1 - image.x0)) * image.columns);
  const row = Math.floor(((y - image.y0) / (image.y1 - image.y0)) * image.rows);
  if (column < 0 || row < 0 || column >= image.columns || row >= image.rows) return undefined;
  return image.values[row * image.columns + column];
}

// The drawn point next to a place, if it is near: [label, x, y].
function nearest(found) {
  const a = found.axes, width = a.box[2] - a.box[0], height = a.box[3] - a.box[1];
  let best = null, least = 0.03;
  for (const line of a.lines) {
    for (let k = 0; k < line.x.length; k++) {
      if (line.x[k] === null || line.y[k] === null) continue;
      const dx = (share(a.x, line.x[k]) - share(a.x, found.x)) * width;
      const dy = (share(a.y, line.y[k]) - share(a.y, found.y)) * height;
      const d = Math.hypot(dx, dy);
      if (d < least) { least = d; best = [line.label, line.x[k], line.y[k]]; }
    }
  }
  return best;
}

// What is said of a place of the figure; "" outside of all axes.
function readout(axes, fx, fy) {
  const found = place(axes, fx, fy);
  if (found === null) return "";
  const a = found.axes;
  let text = (a.x.name || "x") + " " + number(found.x) + ", " + (a.y.name || "y") + " " + number(found.y);
  for (const image of a.images) {
    const value = pixel(image, found.x, found.y);
    if (value !== undefined) text += ": " + (value === null ? "not measured" : number(value));
  }
  const near = nearest(found);
  if (near !== null) text += " · " + (near[0] ? near[0] + " " : "point ") + number(near[1]) + ", " + number(near[2]);
  return text;
}

function watch(figure) {
  const axes = JSON.parse(figure.querySelector("script").textContent);
  const frame = figure.querySelector(".frame"), image = frame.querySelector("img"), said = figure.querySelector("output");
  let zoom = 1, left = 0, top = 0, from = null;
  function show() {
    const w = frame.clientWidth, h = frame.clientHeight;
    left = Math.min(0, Math.max(left, w - w * zoom));
    top = Math.min(0, Math.max(top, h - h * zoom));
    image.style.transform = "translate(" + left + "px," + top + "px) scale(" + zoom + ")";
    frame.classList.toggle("zoomed", zoom > 1);
  }
  function at(event) {
    const box = frame.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
  frame.addEventListener("wheel", (event) => {
    if (zoom === 1 && !event.ctrlKey && !event.shiftKey && event.deltaY > 0) return;
    event.preventDefault();
    const [x, y] = at(event), next = Math.min(20, Math.max(1, zoom * (event.deltaY < 0 ? 1.25 : 0.8)));
    left = x - ((x - left) * next) / zoom;
    top = y - ((y - top) * next) / zoom;
    zoom = next;
    show();
  }, { passive: false });
  frame.addEventListener("pointerdown", (event) => {
    if (zoom > 1) { from = [event.clientX - left, event.clientY - top]; frame.setPointerCapture(event.pointerId); }
  });
  frame.addEventListener("pointerup", () => { from = null; });
  frame.addEventListener("dblclick", () => { zoom = 1; left = top = 0; show(); });
  frame.addEventListener("pointermove", (event) => {
    if (from !== null) { left = event.clientX - from[0]; top = event.clientY - from[1]; show(); }
    const [x, y] = at(event);
    const fx = (x - left) / (frame.clientWidth * zoom), fy = 1 - (y - top) / (frame.clientHeight * zoom);
    said.textContent = readout(axes, fx, fy) || "\u00a0";
  });
  frame.addEventListener("pointerleave", () => { said.textContent = "\u00a0"; });
}

if (typeof document !== "undefined") document.querySelectorAll("figure.live").forEach(watch);
