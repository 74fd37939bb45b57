"use strict";
const get = (id) => document.getElementById(id);
const all = (what, where = document) => [...where.querySelectorAll(what)];
const pictures = (photo, method) =>
  get(`picture-${photo.dataset.number}-${method}`).textContent.split(" ").map((text) => "data:image/jpeg;base64," + text);

// Load thumbnails when they scroll into view.
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    target.src = pictures(target.closest(".photo"), target.closest(".cell").dataset.method)[0];
    seen.unobserve(target);
  }
}, { rootMargin: "400px" });
all("[data-lazy]").forEach((image) => seen.observe(image));

// Tables wider than the screen show a hint, and can be scrolled by keyboard.
function cue(box) {
  const frame = box.parentElement, hidden = box.scrollWidth - box.clientWidth;
  frame.classList.toggle("more-left", hidden > 1 && box.scrollLeft > 1);
  frame.classList.toggle("more-right", hidden > 1 && box.scrollLeft < hidden - 1);
  frame.querySelector(".hint").hidden = hidden <= 1;
  if (hidden > 1) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
}
const sized = new ResizeObserver((entries) => entries.forEach(({ target }) => cue(target.closest(".scroll"))));
for (const box of all(".scroll")) {
  box.addEventListener("scroll", () => cue(box), { passive: true });
  sized.observe(box);
  sized.observe(box.firstElementChild);
}

// Show the verdicts of one method only.
const versus = get("versus");
function narrow() {
  for (const row of all("[data-pair]")) row.hidden = versus.value && !row.dataset.pair.split(" ").includes(versus.value);
}
if (versus) {
  versus.addEventListener("change", narrow);
  narrow();
}

// Sorting and filtering.
const photos = all(".photo"), form = get("controls"), turn = get("turn");
const number = (text) => (text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text));
const entered = (id) => get(id)?.value ?? "";

function score(photo) {
  const cell = photo.querySelector(`[data-method="${entered("method")}"] [data-metric="${entered("metric")}"]`);
  return cell ? number(cell.dataset.value) : NaN;
}

function arrange() {
  const find = entered("find").toLowerCase(), set = entered("set"), least = entered("least"), most = entered("most");
  for (const photo of photos) {
    const value = score(photo);
    photo.hidden = !photo.dataset.name.toLowerCase().includes(find) || (set && photo.dataset.set !== set)
      || (least && !(value >= Number(least))) || (most && !(value <= Number(most)));
  }
  const sort = entered("sort"), way = turn.getAttribute("aria-pressed") === "true" ? -1 : 1;
  const order = [...photos].sort((one, other) => {
    if (sort === "name") return way * one.dataset.name.localeCompare(other.dataset.name, "en", { numeric: true });
    if (sort !== "score") return way * (one.dataset.number - other.dataset.number);
    const [a, b] = [score(one), score(other)];
    if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b); // photos without a score come last, in either order
    return a === b ? 0 : way * (a < b ? -1 : 1);
  });
  get("photos").append(...order);
  get("count").textContent = `${photos.filter((photo) => !photo.hidden).length} of ${photos.length} photos`;
}

function turned(down) {
  turn.setAttribute("aria-pressed", down);
  turn.textContent = down ? "\u2193 descending" : "\u2191 ascending";
}
form.addEventListener("input", arrange);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(() => { turned(false); arrange(); }));
turn.addEventListener("click", () => { turned(turn.getAttribute("aria-pressed") !== "true"); arrange(); });

// The dialog that compares two methods on one photo.
const view = get("view"), stage = get("stage"), slider = get("slider"), range = get("range");
const left = get("left"), right = get("right");
let current = null, zoomed = false, drag = null, scale = 1;
let middle = [0.5, 0.5]; // the point of the picture, relative to its size, at the centre of the view
const size = () => [Number(current.dataset.width), Number(current.dataset.height)];
const cellOf = (method) => current.querySelector(`.cell[data-method="${method}"]`);

function move(share) {
  range.value = share;
  slider.style.setProperty("--at", share + "%");
}

function lay() {
  const [width, height] = size(), space = [stage.clientWidth, stage.clientHeight];
  scale = zoomed ? 1 / devicePixelRatio : Math.min(space[0] / width, space[1] / height);
  const drawn = [width * scale, height * scale];
  const shown = drawn.map((length, axis) => Math.min(length, space[axis]));
  middle = middle.map((part, axis) => {
    const margin = shown[axis] / drawn[axis] / 2;
    return Math.min(Math.max(part, margin), 1 - margin);
  });
  slider.style.width = shown[0] + "px";
  slider.style.height = shown[1] + "px";
  slider.style.setProperty("--width", drawn[0] + "px");
  slider.style.setProperty("--height", drawn[1] + "px");
  slider.style.setProperty("--x", shown[0] / 2 - middle[0] * drawn[0] + "px");
  slider.style.setProperty("--y", shown[1] / 2 - middle[1] * drawn[1] + "px");
  slider.classList.toggle("zoomed", zoomed);
  get("zoom").setAttribute("aria-pressed", zoomed);
}

function pan(x, y) {
  const drawn = size().map((length) => length * scale);
  middle = [middle[0] + x / drawn[0], middle[1] + y / drawn[1]];
  lay();
}

function draw() {
  const rows = [], titles = new Map();
  for (const [select, image, tag] of [[left, "before", ".tag.l"], [right, "after", ".tag.r"]]) {
    const cell = cellOf(select.value), name = cell.querySelector(".method"), label = slider.querySelector(tag);
    get(image).src = pictures(current, select.value)[1];
    get(image).alt = name.textContent;
    label.textContent = name.textContent;
    label.style.setProperty("--colour", name.style.getPropertyValue("--colour"));
    const figures = new Map(all("dd", cell).map((figure) => [figure.dataset.metric, figure]));
    figures.forEach((figure, metric) => titles.set(metric, figure.previousElementSibling.textContent));
    rows.push([name, figures]);
  }
  const metrics = view.dataset.metrics.split(" ").filter((metric) => titles.has(metric));
  const head = document.createElement("tr");
  head.append(...["", ...metrics.map((metric) => titles.get(metric))].map((text) => {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = text;
    return cell;
  }));
  get("heads").replaceChildren(head);
  get("foot").replaceChildren(...rows.map(([name, figures], which) => {
    const row = document.createElement("tr"), title = document.createElement("th");
    title.scope = "row";
    title.append(name.cloneNode(true));
    row.append(title, ...metrics.map((metric) => {
      const cell = document.createElement("td"), one = figures.get(metric), other = rows[1 - which][1].get(metric);
      cell.textContent = one ? one.textContent : "\u2013";
      if (one && other && one.dataset.better !== "neither") {
        const ahead = number(one.dataset.value) - number(other.dataset.value);
        if (one.dataset.better === "higher" ? ahead > 0 : ahead < 0) cell.className = "best";
      }
      return cell;
    }));
    return row;
  }));
}

function show(photo, method) {
  current = photo;
  const present = all(".cell", photo).map((cell) => cell.dataset.method);
  const names = present.map((each) => cellOf(each).querySelector(".method").textContent);
  const before = left.value, after = method ?? right.value;
  for (const select of [left, right]) select.replaceChildren(...present.map((each, place) => new Option(names[place], each)));
  right.value = present.includes(after) && (after !== "0" || method === undefined) ? after : present[1] ?? present[0];
  left.value = present.includes(before) && (before !== right.value || method === undefined) ? before : present[0];
  if (method === "0") left.value = "0";
  const [width, height] = size(), whole = photo.dataset.full;
  get("name").textContent = photo.dataset.name;
  get("name").title = photo.dataset.set;
  get("size").textContent = whole === `${width} \u00d7 ${height}` ? `${whole} pixels, not reduced.`
    : `${whole} pixels, reduced to ${width} \u00d7 ${height} in this page: 100 % shows the reduced picture.`;
  get("zoom").title = get("size").textContent;
  if (!view.open) view.showModal();
  move(50);
  draw();
  lay();
  range.focus();
}

function step(by) {
  const shown = all(".photo", get("photos")).filter((photo) => !photo.hidden);
  show(shown[(shown.indexOf(current) + by + shown.length) % shown.length]);
}

function swap() {
  [left.value, right.value] = [right.value, left.value];
  draw();
}

function zoom(x = 0.5, y = 0.5) {
  zoomed = !zoomed;
  middle = [x, y];
  lay();
}

get("photos").addEventListener("click", (event) => {
  const button = event.target.closest(".open");
  if (button) show(button.closest(".photo"), button.closest(".cell").dataset.method);
});
range.addEventListener("input", () => move(Number(range.value)));
left.addEventListener("change", draw);
right.addEventListener("change", draw);
get("swap").addEventListener("click", swap);
get("zoom").addEventListener("click", () => zoom());
get("previous").addEventListener("click", () => step(-1));
get("next").addEventListener("click", () => step(1));
get("close").addEventListener("click", () => view.close());
view.addEventListener("close", () => cellOf(right.value).querySelector(".open").focus());

const place = (event) => {
  const box = slider.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
};
const slide = (event) => move(Math.min(Math.max(place(event)[0] * 100, 0), 100));
slider.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  event.preventDefault();
  slider.setPointerCapture(event.pointerId);
  const away = Math.abs(place(event)[0] - parseFloat(slider.style.getPropertyValue("--at")) / 100) * slider.clientWidth;
  drag = zoomed && away > 24 ? "picture" : "edge";
  if (drag === "edge") slide(event);
  range.focus();
});
slider.addEventListener("pointermove", (event) => {
  if (drag === "edge") slide(event);
  else if (drag === "picture") pan(-event.movementX, -event.movementY);
});
for (const end of ["pointerup", "pointercancel"]) slider.addEventListener(end, () => { drag = null; });
slider.addEventListener("wheel", (event) => {
  if (!zoomed || event.ctrlKey) return;
  event.preventDefault();
  pan(event.deltaX, event.deltaY);
}, { passive: false });

const PAN_PX = 80;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
view.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = event.shiftKey && zoomed && ARROWS[event.key];
  if (arrow) pan(arrow[0] * PAN_PX, arrow[1] * PAN_PX);
  else if (event.target instanceof HTMLSelectElement) return;
  else if (event.key === "PageUp") step(-1);
  else if (event.key === "PageDown") step(1);
  else if (event.key === "z" || event.key === "Z") zoom();
  else if (event.key === "x" || event.key === "X") swap();
  else return;
  event.preventDefault();
});
addEventListener("resize", () => { if (view.open) lay(); });
arrange(); // browsers restore the form when the page is opened again
