// A picture of the service on a canvas: its shapes, each as the page's style shows it.

const SHAPES = "line, rect, circle, polyline, polygon, text";

function number(element, name) {
  return Number(element.getAttribute(name));
}

function points(element) {
  return element.getAttribute("points").split(" ").filter(Boolean).map((pair) => pair.split(",").map(Number));
}

// The outline of a shape.
function outline(element) {
  const path = new Path2D();
  const of = (...names) => names.map((name) => number(element, name));
  if (element.tagName === "line") {
    const [x1, y1, x2, y2] = of("x1", "y1", "x2", "y2");
    path.moveTo(x1, y1);
    path.lineTo(x2, y2);
  }
  if (element.tagName === "rect") path.rect(...of("x", "y", "width", "height"));
  if (element.tagName === "circle") path.arc(...of("cx", "cy", "r"), 0, 2 * Math.PI);
  if (element.hasAttribute("points")) points(element).forEach(([x, y]) => path.lineTo(x, y));
  if (element.tagName === "polygon") path.closePath();
  return path;
}

function write(context, element, style) {
  context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  context.textAlign = { middle: "center", end: "right" }[style.textAnchor] ?? "left";
  const words = [element.textContent, number(element, "x"), number(element, "y")];
  if (style.stroke !== "none") context.strokeText(...words);
  context.fillText(...words);
}

function paint(context, element) {
  const style = getComputedStyle(element);
  if (style.visibility === "hidden" || style.fillOpacity === "0") return;
  const dashes = style.strokeDasharray === "none" ? [] : style.strokeDasharray.split(/[ ,]+/).map(parseFloat);
  Object.assign(context, { fillStyle: style.fill, strokeStyle: style.stroke, lineWidth: parseFloat(style.strokeWidth), lineJoin: style.strokeLinejoin });
  context.setLineDash(dashes);
  if (element.tagName === "text") {
    write(context, element, style);
    return;
  }
  const path = outline(element);
  if (style.fill !== "none" && element.tagName !== "line") context.fill(path);
  if (style.stroke !== "none") context.stroke(path);
}

export function painted(svg, scale) {
  const canvas = document.createElement("canvas"), { width, height } = svg.viewBox.baseVal;
  [canvas.width, canvas.height] = [width * scale, height * scale];
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  svg.querySelectorAll(SHAPES).forEach((element) => paint(context, element));
  return canvas;
}
