// SPDX-License-Identifier: MIT
#include "report/report_page.h"

namespace ebm {

std::string_view report_style() {
  return R"css(
:root { --page: #fff; --card: #f6f7f9; --ink: #1c1e22; --soft: #5d636e; --line: #d5d9e0; --mark: #fff1c2;
  --k0: #0072b2; --k1: #d55e00; --k2: #009e73; --k3: #b4508c; --k4: #3a9bd9; --k5: #b97f00; --k6: #5b4bb7; --k7: #444;
  color-scheme: light; }
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) { --page: #15171b; --card: #1e2127; --ink: #e4e7ec;
  --soft: #9aa2af; --line: #363b45; --mark: #43391a; --k0: #56a8e8; --k1: #ff8c42; --k2: #35c79b; --k3: #e389bd;
  --k4: #8fd0ff; --k5: #f0b93a; --k6: #a497ff; --k7: #bbb; color-scheme: dark; } }
:root[data-theme=dark] { --page: #15171b; --card: #1e2127; --ink: #e4e7ec; --soft: #9aa2af; --line: #363b45;
  --mark: #43391a; --k0: #56a8e8; --k1: #ff8c42; --k2: #35c79b; --k3: #e389bd; --k4: #8fd0ff; --k5: #f0b93a;
  --k6: #a497ff; --k7: #bbb; color-scheme: dark; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; }
header { display: flex; gap: 1rem; align-items: start; justify-content: space-between; padding: .8rem 1.2rem;
  border-bottom: 1px solid var(--line); }
h1 { font-size: 1.15rem; margin: .2rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
main { padding: .4rem 1.2rem 3rem; max-width: 110rem; margin: auto; }
section { margin-top: 1.6rem; }
button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .4rem;
  padding: .25rem .7rem; cursor: pointer; white-space: nowrap; }
label { color: var(--soft); }
.ink { display: inline-block; width: .8em; height: .8em; border-radius: 50%; margin-right: .4em; background: var(--k); }
.k0 { --k: var(--k0); } .k1 { --k: var(--k1); } .k2 { --k: var(--k2); } .k3 { --k: var(--k3); }
.k4 { --k: var(--k4); } .k5 { --k: var(--k5); } .k6 { --k: var(--k6); } .k7 { --k: var(--k7); }
#legend { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; position: sticky; top: 0; z-index: 2;
  background: var(--page); padding: .3rem 0; }
#legend button { max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
#legend button[aria-pressed=false] { opacity: .45; }
#legend p { margin: 0; color: var(--soft); font-size: .85rem; }
#charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: .8rem; }
.chart { position: relative; margin: 0; background: var(--card); border-radius: .5rem; padding: .5rem .5rem .2rem; }
.chart figcaption { font-weight: 600; font-size: .9rem; overflow-wrap: anywhere; }
.chart svg { display: block; width: 100%; height: 11.5rem; touch-action: pan-y; cursor: crosshair; }
.chart svg * { pointer-events: none; } .chart text { fill: var(--soft); font-size: 11px; }
.grid { stroke: var(--line); stroke-width: 1; } .cross { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; }
.curve { fill: none; stroke: var(--k); stroke-width: 1.5; stroke-linejoin: round; } .dot { fill: var(--k); }
.chosen { fill: var(--k0); opacity: .18; }
.tip { position: absolute; top: calc(100% - 1.2rem); pointer-events: none; background: var(--page); border: 1px solid var(--line);
  border-radius: .35rem; padding: .2rem .5rem; font-size: .8rem; max-width: 85%; overflow-wrap: anywhere; z-index: 1; }
.slider { display: flex; gap: .7rem; align-items: center; flex-wrap: wrap; margin-bottom: .5rem; }
.slider input { flex: 1 1 12rem; max-width: 40rem; accent-color: var(--k0); }
.beside { display: flex; flex-wrap: wrap; gap: 1rem; }
.beside figure { margin: 0; flex: 1 1 16rem; max-width: 44rem; min-width: 0; }
.beside figcaption { overflow-wrap: anywhere; margin-bottom: .25rem; } .beside span { color: var(--soft); }
.beside img { max-width: 100%; height: auto; background: #fff; image-rendering: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .7rem; border-bottom: 1px solid var(--line); }
td { overflow-wrap: anywhere; min-width: 7rem; max-width: 34rem; font-variant-numeric: tabular-nums; }
tr { background: var(--page); } tr > th:first-child { position: sticky; left: 0; background: inherit; }
tbody th { font-weight: 500; color: var(--soft); }
.differs { background: var(--mark); } .differs th { color: inherit; }
.only tr:not(.differs):not(:has(th[scope=col])) { display: none; }
@media (max-width: 40rem) { main { padding: .2rem .7rem 2rem; } header { padding: .6rem .7rem; }
  th, td { padding: .2rem .4rem; } #legend { position: static; } }
)css";
}

std::string_view report_script() {
  return R"js(
"use strict";
const runs = JSON.parse(document.getElementById("data").textContent).runs;
const hidden = new Set();
let zoom = null;  // the iterations of all curves, or null: each curve's own

function element(name, attributes, parent, text) {
  const svg = ["svg", "path", "line", "text", "circle", "rect", "g"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

// --- curves ---
const number = new Intl.NumberFormat("en", {maximumSignificantDigits: 6});
const large = new Intl.NumberFormat("en", {maximumSignificantDigits: 6, notation: "scientific"});
const format = v => v === null ? "–" : (v !== 0 && (Math.abs(v) >= 1e7 || Math.abs(v) < 1e-4) ? large : number).format(v);
function ticks(lo, hi, most) {
  const rough = (hi - lo) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(f => f * power).find(s => s >= rough);
  const found = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + 1e-9 * step; ++k) found.push(k * step);
  return found;
}
function short(v) {
  const size = Math.abs(v);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return v.toExponential(1).replace("e+", "e");
  return String(+v.toPrecision(6));
}
// The point of a curve that is nearest to an iteration.
function nearest(x, at) {
  let lo = 0, hi = x.length - 1;
  while (hi - lo > 1) {
    const middle = (lo + hi) >> 1;
    if (x[middle] < at) lo = middle; else hi = middle;
  }
  return at - x[lo] <= x[hi] - at ? lo : hi;
}
const names = [...new Set(runs.flatMap(run => Object.keys(run.metrics)))];
const charts = names.map(name => {
  const card = element("figure", {class: "chart"}, document.getElementById("charts"));
  element("figcaption", {}, card, name);
  const chart = {name, card, svg: element("svg", {role: "img", "aria-label": name + " by iteration"}, card), from: null};
  chart.curves = runs.map((run, r) => ({r, ...run.metrics[name]})).filter(curve => curve.x);
  return chart;
});

function domain(chart) {
  let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
  const shown = chart.curves.filter(curve => !hidden.has(curve.r));
  for (const {x} of shown) { x0 = Math.min(x0, x[0]); x1 = Math.max(x1, x[x.length - 1]); }
  if (zoom) [x0, x1] = zoom;
  if (!(x1 > x0)) { x1 = x0 + 1; x0 = x0 - 1; }
  for (const {x, y} of shown) {
    for (let i = 0; i < x.length; ++i) {
      if (y[i] === null || x[i] < x0 || x[i] > x1) continue;
      y0 = Math.min(y0, y[i]); y1 = Math.max(y1, y[i]);
    }
  }
  if (!(y1 >= y0)) [y0, y1] = [0, 1];
  const room = y1 > y0 ? .06 * (y1 - y0) : Math.max(Math.abs(y0), 1) * .1;
  return {shown, x0, x1, y0: y0 - room, y1: y1 + room};
}

function draw(chart) {
  const {svg} = chart, width = Math.max(svg.clientWidth, 120), height = Math.max(svg.clientHeight, 120);
  const d = domain(chart), left = 58, right = width - 10, top = 8, bottom = height - 20;
  chart.scale = {...d, left, right, top, bottom,
    x: v => left + (v - d.x0) / (d.x1 - d.x0) * (right - left), y: v => bottom - (v - d.y0) / (d.y1 - d.y0) * (bottom - top)};
  const s = chart.scale;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  for (const v of ticks(d.y0, d.y1, 5)) {
    element("line", {class: "grid", x1: left, x2: right, y1: s.y(v), y2: s.y(v)}, svg);
    element("text", {x: left - 6, y: s.y(v) + 4, "text-anchor": "end"}, svg, short(v));
  }
  for (const v of ticks(d.x0, d.x1, Math.max(3, Math.floor(width / 80)))) {
    element("line", {class: "grid", x1: s.x(v), x2: s.x(v), y1: top, y2: bottom}, svg);
    const near = s.x(v) > right - 25;  // a label in the middle would be cut, and a cut number is a wrong one
    element("text", {x: near ? width : s.x(v), y: height - 5, "text-anchor": near ? "end" : "middle"}, svg, short(v));
  }
  for (const curve of d.shown) drawCurve(svg, s, curve);
  chart.over = element("g", {}, svg);
}

function drawCurve(svg, s, {r, x, y}) {
  let path = "", pen = false;
  // One point more on either side, so that lines lead out of the range; clipped by the svg's own edges.
  const first = Math.max(0, x.findIndex(v => v >= s.x0) - 1);
  for (let i = first; i < x.length && (i === first || x[i - 1] <= s.x1); ++i) {
    if (y[i] === null) { pen = false; continue; }
    const alone = !pen && (i + 1 >= x.length || y[i + 1] === null);
    if (alone) element("circle", {class: "dot k" + r % 8, cx: s.x(x[i]), cy: s.y(y[i]), r: 2.2}, svg);
    path += (pen ? "L" : "M") + s.x(x[i]).toFixed(1) + " " + s.y(y[i]).toFixed(1);
    pen = true;
  }
  const id = "clip" + (drawCurve.count = (drawCurve.count || 0) + 1);
  const clip = element("g", {}, svg);
  clip.innerHTML = `<clipPath id="${id}"><rect x="${s.left}" y="${s.top - 4}" width="${s.right - s.left + 2}" height="${s.bottom - s.top + 8}"/></clipPath>`;
  element("path", {class: "curve k" + r % 8, d: path, "clip-path": `url(#${id})`}, svg);
}

function hover(chart, px) {
  const s = chart.scale, at = s.x0 + (px - s.left) / (s.right - s.left) * (s.x1 - s.x0);
  chart.over.replaceChildren();
  chart.tip?.remove();
  const room = .05 * (s.x1 - s.x0);  // a run that ended long before has no value here
  const near = s.shown.filter(({x}) => at > x[0] - room && at < x[x.length - 1] + room).map(curve => ({curve, i: nearest(curve.x, at)}));
  if (!near.length) return;
  const iteration = near.map(({curve, i}) => curve.x[i]).reduce((a, b) => Math.abs(a - at) <= Math.abs(b - at) ? a : b);
  element("line", {class: "cross", x1: s.x(iteration), x2: s.x(iteration), y1: s.top, y2: s.bottom}, chart.over);
  chart.tip = element("div", {class: "tip"}, chart.card);
  element("div", {}, chart.tip, "iteration " + iteration.toLocaleString("en"));
  for (const {curve, i} of near) {
    const line = element("div", {}, chart.tip);
    element("i", {class: "ink k" + curve.r % 8}, line);
    const other = curve.x[i] === iteration ? "" : ` at ${curve.x[i].toLocaleString("en")}`;
    line.append((runs.length > 1 ? runs[curve.r].name + ": " : "") + format(curve.y[i]) + other);
    if (curve.y[i] !== null && curve.x[i] >= s.x0 && curve.x[i] <= s.x1)
      element("circle", {class: "dot k" + curve.r % 8, cx: s.x(curve.x[i]), cy: s.y(curve.y[i]), r: 3.5}, chart.over);
  }
  if (s.x(iteration) > (s.left + s.right) / 2) chart.tip.style.left = "3.8rem"; else chart.tip.style.right = ".8rem";
}
function leave(chart) {
  chart.from = null;
  chart.over.replaceChildren();
  chart.tip?.remove();
}
function drag(chart, px) {
  const s = chart.scale, a = Math.min(chart.from, px), b = Math.max(chart.from, px);
  element("rect", {class: "chosen", x: a, y: s.top, width: b - a, height: s.bottom - s.top}, chart.over);
}
function setZoom(range) {
  zoom = range;
  document.getElementById("whole").hidden = !zoom;
  charts.forEach(draw);
}
for (const chart of charts) {
  const {svg} = chart;
  const within = event => {
    const box = svg.getBoundingClientRect();
    return Math.min(Math.max(event.clientX - box.left, chart.scale.left), chart.scale.right);
  };
  svg.addEventListener("pointerdown", event => { chart.from = within(event); svg.setPointerCapture(event.pointerId); });
  svg.addEventListener("pointermove", event => {
    hover(chart, within(event));
    if (chart.from !== null) drag(chart, within(event));
  });
  svg.addEventListener("pointerup", event => {
    const from = chart.from, to = within(event), s = chart.scale;
    chart.from = null;
    if (from === null || Math.abs(to - from) < 8) { hover(chart, to); return; }
    const at = px => s.x0 + (px - s.left) / (s.right - s.left) * (s.x1 - s.x0);
    leave(chart);
    setZoom([at(Math.min(from, to)), at(Math.max(from, to))]);
  });
  svg.addEventListener("pointerleave", () => leave(chart));
  svg.addEventListener("pointercancel", () => leave(chart));
  svg.addEventListener("dblclick", () => setZoom(null));
}

const legend = document.getElementById("legend");
if (runs.length > 1) runs.forEach((run, r) => {
  const button = element("button", {type: "button", "aria-pressed": "true"}, legend);
  element("i", {class: "ink k" + r % 8}, button);
  button.append(run.name);
  button.addEventListener("click", () => {
    if (!hidden.delete(r)) hidden.add(r);
    button.setAttribute("aria-pressed", String(!hidden.has(r)));
    charts.forEach(draw);
  });
});
element("button", {type: "button", id: "whole", hidden: ""}, legend, "whole range").addEventListener("click", () => setZoom(null));
element("p", {}, legend, "by iteration; drag over a curve to zoom, double click for the whole range");
new ResizeObserver(() => charts.forEach(draw)).observe(document.getElementById("charts"));

// --- pictures ---
for (const section of document.querySelectorAll("[data-pictures]")) {
  const name = section.dataset.pictures, images = [...section.querySelectorAll("img")].map(image => {
    const list = runs[image.dataset.run].pictures[name].map(([iteration, uri]) => [iteration, uri || image.src]);
    return {image, list, said: image.parentElement.querySelector("span")};
  });
  const iterations = [...new Set(images.flatMap(({list}) => list.map(entry => entry[0])))].sort((a, b) => a - b);
  if (iterations.length < 2) continue;
  const label = element("label", {}, section.querySelector(".slider"), "iteration ");
  const said = element("output", {}, label);
  const slider = element("input", {type: "range", min: 0, max: iterations.length - 1, "aria-label": name + ": iteration"},
                         section.querySelector(".slider"));
  slider.value = iterations.length - 1;
  const show = () => {
    const at = iterations[slider.value];
    said.textContent = at.toLocaleString("en");
    for (const {image, list, said} of images) {
      const [iteration, uri] = list.filter(entry => entry[0] <= at).pop() || list[0];
      image.src = uri;
      said.textContent = "iteration " + iteration.toLocaleString("en");
    }
  };
  slider.addEventListener("input", show);
  show();
}

// --- tables, theme ---
for (const box of document.querySelectorAll("[data-only]"))
  box.addEventListener("change", () => document.getElementById(box.dataset.only).classList.toggle("only", box.checked));
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
)js";
}

}  // namespace ebm
