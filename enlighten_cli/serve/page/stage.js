// The current photo: slider or side by side, fit or enlarged, by pointer, fingers, wheel and keys.

import { album, get } from "/page/album.js";
import { Geometry } from "/page/geometry.js";
import { describe } from "/page/intake.js";
import { Pictures } from "/page/pictures.js";

const SETTLED_MS = 120, BUSY_MS = 350, PAN_PX = 80, DIVIDE_STEP = 2;

const stage = get("stage"), divide = get("divide");
const panes = { before: get("pane-before"), after: get("pane-after") };
const geometry = new Geometry();
const pictures = new Pictures(panes, address, showBusy, showTrouble);
let busyTimer = 0, settledTimer = 0;

function address(photo, side, values) {
  // The original depends on no setting, so its picture is fetched only once.
  const plain = side === "before" ? { strength: 0, mode: "auto", model: "" } : {};
  return album.address(photo, { side, ...values, ...plain });
}

function showBusy(count) {
  clearTimeout(busyTimer);
  album.isBusy = Boolean(count); // thumbnails wait until it is false
  const { mode } = album.look();
  get("busy-text").textContent = mode === "full" && geometry.isEnlarged ? "enhancing every pixel in view" : "enhancing";
  if (count) busyTimer = setTimeout(() => { get("busy").hidden = false; }, BUSY_MS);
  else get("busy").hidden = true;
}

function showTrouble(error) {
  if (album.current) album.fail(album.current, error.message);
}

export function draw() {
  const photo = album.current, isReady = Boolean(photo?.width) && photo.state !== "failed";
  stage.classList.toggle("bare", !isReady);
  if (!isReady) return;
  const isStacked = stage.clientWidth < stage.clientHeight;
  stage.classList.toggle("stacked", isStacked);
  geometry.setPane(panes.after.clientWidth, panes.after.clientHeight);
  stage.classList.toggle("enlarged", geometry.isEnlarged);
  stage.classList.toggle("pixels", geometry.drawn * geometry.ratio > 2);
  const [left, top] = geometry.origin;
  for (const pane of Object.values(panes)) {
    Object.assign(pane.firstElementChild.style, {
      transform: `translate(${left}px, ${top}px)`, width: photo.width * geometry.drawn + "px", height: photo.height * geometry.drawn + "px",
    });
  }
  placeDivider();
  get("fit").setAttribute("aria-pressed", !geometry.isEnlarged);
  get("hundred").setAttribute("aria-pressed", Math.abs(geometry.drawn / geometry.hundred - 1) < 0.01 && geometry.isEnlarged);
}

// The divider moves over the photo only, not over the empty parts of the pane.
function span() {
  const left = Math.max(0, geometry.origin[0]);
  const right = Math.min(geometry.paneWidth, geometry.origin[0] + geometry.width * geometry.drawn);
  return [left, Math.max(1, right - left)];
}

function placeDivider() {
  const [left, width] = span();
  stage.style.setProperty("--at", left + (width * divide.value) / 100 + "px");
  divide.setAttribute("aria-valuetext", `${divide.value} percent before`);
}

function moveDivider(clientX) {
  const [left, width] = span();
  divide.value = (100 * (clientX - stage.getBoundingClientRect().left - left)) / width;
  placeDivider();
}

function refreshSoon(milliseconds = SETTLED_MS) {
  clearTimeout(settledTimer);
  settledTimer = setTimeout(refresh, milliseconds);
}

export function refresh() {
  const photo = album.current;
  if (photo?.width && photo.state !== "failed") pictures.refresh(photo, geometry);
}

export async function show(photo) {
  pictures.clear();
  get("trouble").hidden = true;
  tell(photo);
  draw();
  if (!photo?.id || photo.state === "failed") return;
  showBusy(1);
  const isThere = await describe(photo);
  showBusy(0);
  if (!isThere || photo !== album.current) return;
  geometry.place(photo.width, photo.height);
  draw();
  refresh();
}

// Show the photo's facts, or what is wrong with it.
export function tell(photo) {
  get("name").textContent = photo?.name || "";
  get("name").title = photo?.name || "";
  const megapixels = photo?.width ? (photo.width * photo.height) / 1e6 : 0;
  const facts = photo?.width ? [`${photo.width} × ${photo.height}`, `${megapixels.toFixed(megapixels < 10 ? 1 : 0)} MP`, photo.format, `${photo.bits} bits`] : [];
  get("facts").textContent = facts.join(" · ");
  get("facts").title = photo?.notes?.join("\n") || "";
  const trouble = get("trouble"), isFailed = photo?.state === "failed";
  trouble.hidden = !isFailed;
  if (isFailed) {
    const title = document.createElement("b");
    title.textContent = photo.width ? "This photo could not be enhanced" : "This photo cannot be shown";
    trouble.replaceChildren(title, `${photo.name}: ${photo.error}`);
  }
}

export function toggleZoom(x, y) {
  geometry.zoomTo(geometry.isEnlarged ? geometry.fit : geometry.hundred, x, y);
  redraw();
}

export function zoomBy(factor, x, y) {
  geometry.zoomTo(geometry.drawn * factor, x, y);
  redraw();
}

export function setPair(isPair) {
  stage.classList.toggle("pair", isPair);
  get("as-slider").setAttribute("aria-pressed", !isPair);
  get("as-pair").setAttribute("aria-pressed", isPair);
  redraw();
}

export const isPair = () => stage.classList.contains("pair");
export const showAsItWas = (isSo) => stage.classList.toggle("as-it-was", isSo);

function redraw() {
  draw();
  refreshSoon();
}

export function arrow(key) {
  const [x, y] = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
  if (geometry.isEnlarged) {
    geometry.pan(x * PAN_PX, y * PAN_PX);
    redraw();
  } else if (x && !isPair()) {
    divide.value = +divide.value - x * DIVIDE_STEP;
    placeDivider();
  }
}

function paneOf(event) {
  const pane = isPair() && panes.before.getBoundingClientRect();
  const inside = pane && event.clientX >= pane.left && event.clientX < pane.right && event.clientY >= pane.top && event.clientY < pane.bottom;
  return (inside ? panes.before : panes.after).getBoundingClientRect();
}

export function listen() {
  const fingers = new Map();
  let dividing = false, spread = 0;
  const middle = () => {
    const [one, other] = [...fingers.values()];
    return { clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2, spread: Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) };
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button || !album.current?.width) return;
    fingers.set(event.pointerId, event);
    stage.setPointerCapture(event.pointerId);
    dividing = fingers.size === 1 && !isPair() && (!geometry.isEnlarged || Boolean(event.target.closest("#divider")));
    if (fingers.size === 2) spread = middle().spread;
    if (dividing) moveDivider(event.clientX);
    stage.classList.toggle("held", !dividing);
  });
  stage.addEventListener("pointermove", (event) => {
    const last = fingers.get(event.pointerId);
    if (!last) return;
    if (fingers.size === 1 && dividing) moveDivider(event.clientX);
    else if (fingers.size === 1) {
      geometry.pan(event.clientX - last.clientX, event.clientY - last.clientY);
      redraw();
    }
    fingers.set(event.pointerId, event);
    if (fingers.size === 2) {
      const now = middle(), pane = paneOf(now);
      if (spread) zoomBy(now.spread / spread, now.clientX - pane.left, now.clientY - pane.top);
      spread = now.spread;
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      dividing = false;
      stage.classList.remove("held");
    });
  }
  stage.addEventListener("dblclick", (event) => {
    const pane = paneOf(event);
    toggleZoom(event.clientX - pane.left, event.clientY - pane.top);
  });
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const pane = paneOf(event);
    zoomBy(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), event.clientX - pane.left, event.clientY - pane.top);
  }, { passive: false });
  divide.addEventListener("input", placeDivider);
  get("fit").addEventListener("click", () => zoomBy(1e-6));
  get("hundred").addEventListener("click", () => { geometry.zoomTo(geometry.hundred); redraw(); });
  get("as-slider").addEventListener("click", () => setPair(false));
  get("as-pair").addEventListener("click", () => setPair(true));
  new ResizeObserver(redraw).observe(stage);
  album.on("shown", show);
  album.on("look", refresh);
  album.on("changed", (photo) => {
    if (photo !== album.current) return;
    tell(photo);
    if (photo.state === "failed") { pictures.clear(); draw(); }
    else if (photo.id && !photo.width && photo.state === "waiting") show(photo);
  });
}
