// Functions that run inside a page: each is sent there whole, and uses nothing from here.

// Each chart as it was drawn: its numbers, and of the pixels of each series the nearest to its colour.
export async function charts() {
  const script = document.querySelector("script[src$='charts.js']");
  const drawn = script ? (await import(script.src)).drawn : new Map();
  const root = getComputedStyle(document.documentElement);
  const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const far = (one, other) => Math.max(...one.map((value, at) => Math.abs(value - other[at])));
  function copied({ canvas }) {
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [canvas.width, canvas.height];
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    return context;
  }
  // Where a series is drawn: its points, and between those of a line a few places more.
  function places(chart, index, style) {
    const ys = chart.data[index];
    const spots = chart.data[0].map((x, at) =>
      ys[at] === null ? null : [chart.valToPos(x, "x", true), chart.valToPos(ys[at], "y", true)],
    );
    const found = [];
    spots.forEach((spot, at) => {
      const next = spots[at + 1];
      if (!spot) return;
      found.push(spot);
      if (style !== "line" || !next) return;
      for (const part of [0.2, 0.35, 0.5, 0.65, 0.8]) {
        found.push(spot.map((value, axis) => value + part * (next[axis] - value)));
      }
    });
    return found;
  }
  function nearest(chart, picture, index, style, wanted) {
    let best = null;
    for (const [left, top] of places(chart, index, style)) {
      const { data } = picture.getImageData(Math.round(left) - 1, Math.round(top) - 1, 3, 3);
      for (let place = 0; place < data.length; place += 4) {
        const pixel = [...data.slice(place, place + 3)];
        if (data[place + 3] < 128) continue;
        if (best === null || far(pixel, wanted) < far(best, wanted)) best = pixel;
      }
    }
    return best;
  }
  function told(chart, series) {
    const picture = copied(chart.ctx);
    return series.map((one, index) => {
      const wanted = parts(root.getPropertyValue(`--c${one.hue}${one.faint ? "-faint" : ""}`).trim());
      return { ...one, wanted, pixel: nearest(chart, picture, index + 1, one.style, wanted) };
    });
  }
  return [...drawn].map(([name, { chart, data }]) => ({
    name,
    x: data.x,
    names: data.xNames ?? null,
    drawn: chart.data.map((values) => [...values]),
    width: chart.width,
    room: chart.root.parentElement.clientWidth,
    axis: [chart.scales.y.min, chart.scales.y.max],
    data,
    series: told(chart, data.series),
  }));
}

// What each picture of the service is drawn from, and how wide it is.
export function pictures() {
  return [...document.querySelectorAll("figure.picture:has(svg):has(script)")].map((figure) => ({
    name: figure.id,
    data: JSON.parse(figure.querySelector("script[type='application/json']").textContent),
    width: figure.querySelector("svg").getBoundingClientRect().width,
  }));
}

// Each table, by the figure it stands in.
export function tables() {
  return [...document.querySelectorAll("table:not(.u-legend)")].map((table) => ({
    figure: table.closest("figure")?.id ?? "",
    rows: [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim())),
  }));
}

// The ids that stand more than once.
export function twice() {
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return ids.filter((id, at) => ids.indexOf(id) !== at);
}

// What the keyboard must come to, in this order; from here on it is written down what it comes to.
export function tabbable() {
  const kinds = "a[href], button, input, select, textarea, summary";
  const all = [...document.querySelectorAll(kinds)].filter((one) => one.checkVisibility() && !one.disabled);
  const groups = new Set();
  const there = all.filter((one) => {
    if (one.type !== "radio") return true;
    const isFirst = !groups.has(one.name);
    groups.add(one.name);
    return isFirst;
  });
  const name = (one) => {
    const at = there.findIndex((other) => other === one || (one.type === "radio" && other.name === one.name));
    return at < 0 ? null : `${at} ${one.tagName.toLowerCase()} ${one.textContent.trim().slice(0, 60)}`;
  };
  window.__reached = new Set();
  document.addEventListener("focusin", (event) => {
    const found = name(event.target);
    if (found !== null) window.__reached.add(found);
  });
  return there.map(name);
}

export function order() {
  return [...window.__reached];
}
