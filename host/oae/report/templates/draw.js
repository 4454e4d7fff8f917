// What every drawing needs. Text from the capture goes into the page as text, never as markup.
const DATA = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, content) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...content.filter(part => part !== null));
  return node;
}
const html = (name, attributes = {}, ...content) => fill(document.createElement(name), attributes, content);
const svg = (name, attributes = {}, ...content) => fill(document.createElementNS(SVG, name), attributes, content);
const text = (x, y, what, attributes = {}) => svg("text", {x, y, ...attributes}, what);
const line = (x1, y1, x2, y2, attributes = {}) => svg("line", {x1, y1, x2, y2, ...attributes});
const title = what => svg("title", {}, what);

// A time in nanoseconds, with as many digits as tell it from `step` nanoseconds later.
function time(nanoseconds, step = 0) {
  const size = Math.abs(nanoseconds);
  const [unit, scale] = size >= 1e9 ? ["s", 1e9] : size >= 1e6 ? ["ms", 1e6] : size >= 1e3 ? ["µs", 1e3] : ["ns", 1];
  const digits = step > 0 ? Math.ceil(Math.log10(scale / step) - 1e-9) : 3 - Math.floor(Math.log10(Math.max(size / scale, 1)));
  return `${(nanoseconds / scale).toFixed(Math.max(0, Math.min(scale === 1 ? 0 : 9, digits)))} ${unit}`;
}

const count = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

// Round numbers from `low` to `high`, about `wanted` of them.
function ticks(low, high, wanted) {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max([1, 2, 5, 10].map(factor => factor * power).find(size => size >= rough), 1);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) found.push(at);
  return {step, found};
}

// The whole numbers of a text of base-64 variable-length quantities (host/oae/report/packing.py).
function unpacked(digits) {
  const numbers = [];
  let value = 0, scale = 1;
  for (const digit of digits) {
    const bits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".indexOf(digit);
    value += (bits & 31) * scale;
    scale *= 32;
    if (bits & 32) continue;
    numbers.push(value % 2 ? -(value - 1) / 2 : value / 2);
    value = 0;
    scale = 1;
  }
  return numbers;
}

// Index of the last element of the sorted list that is not above `value`, -1 if there is none.
function lastNotAbove(list, value) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= value) low = middle + 1; else high = middle;
  }
  return low - 1;
}

// Draws now, and again whenever the place becomes wider or narrower.
function keepDrawn(place, draw) {
  let width = 0;
  const redraw = () => {
    const now = Math.max(Math.floor(place.clientWidth), 300);
    if (now === width) return;
    width = now;
    draw(width);
  };
  redraw();
  new ResizeObserver(redraw).observe(place);
}
