// The time that was dragged over, in the address: whoever has the link sees the same, and so does a renewed page.

const SHORTEST_DRAG = 8; // pixels: less is a click
const BEFORE = "kullback-before-zoom"; // where the pages are kept that were zoomed into
const ENDS = ["from", "to"];

// Whether the service reads the time of the page from its address; else its charts do, by themselves.
const takesTimes = () => document.querySelector("#times [name='from']") !== null;
const kept = () => JSON.parse(sessionStorage.getItem(BEFORE) ?? "[]");
const keep = (addresses) => sessionStorage.setItem(BEFORE, JSON.stringify(addresses));
const written = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 19);

const isZoomed = () => ENDS.every((name) => new URLSearchParams(location.search).has(name));

// What charts that zoom by themselves show; null where that is all.
export function zoomed(data) {
  if (takesTimes() || data.local) return null;
  const query = new URLSearchParams(location.search);
  const [from, to] = ENDS.map((name) => Date.parse(`${query.get(name)}Z`) / 1000);
  return from < to ? [from, to] : null;
}

// From the step in which a drag begins to the end of that in which it ends.
function dragged({ x }, from, to) {
  const step = x.length > 1 ? x.at(-1) - x.at(-2) : 3600;
  return [x.findLast((value) => value <= from) ?? x[0], x.find((value) => value >= to) ?? x.at(-1) + step];
}

// The page anew at the same place, or where its charts zoom by themselves all of them.
function go(address, figure) {
  if (takesTimes()) {
    address.hash = figure?.id ?? "course";
    location.assign(address);
    return;
  }
  history.pushState(null, "", address);
  document.dispatchEvent(new Event("zoomed"));
}

function without(address) {
  ENDS.forEach((name) => address.searchParams.delete(name));
  return address;
}

export function zoom(chart, figure, data) {
  const { left, width } = chart.select;
  if (width < SHORTEST_DRAG) return;
  const [from, to] = dragged(data, chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
  chart.setSelect({ left: 0, width: 0 }, false);
  if (data.local) {
    chart.setScale("x", { min: from, max: to });
    return;
  }
  const address = new URL(location.href);
  address.searchParams.delete("range");
  [from, to].forEach((end, at) => address.searchParams.set(ENDS[at], written(end)));
  if (takesTimes()) keep([...kept(), location.href]);
  go(address, figure);
}

// Back to what was there before, or where nothing was to what the page shows by itself.
export function back(chart, figure, data) {
  if (data?.local) {
    chart.setScale("x", { min: data.x[0], max: data.x.at(-1) });
    return;
  }
  const before = takesTimes() ? kept() : [], last = before.pop();
  let address = new URL(last ?? location.href);
  if (address.pathname !== location.pathname || last === undefined) {
    if (!isZoomed()) return;
    address = without(new URL(location.href));
  }
  if (takesTimes()) keep(before);
  go(address, figure);
}

// The way back, for whoever knows of no double-click.
export function offerReset() {
  document.querySelectorAll(".zooms").forEach((hint) => {
    const link = hint.querySelector("a");
    link.hidden = !isZoomed();
    if (link.hidden) return;
    link.href = without(new URL(location.href)).href;
    link.onclick = (event) => {
      event.preventDefault();
      back(null, hint.nextElementSibling?.querySelector("figure"), null);
    };
  });
}
