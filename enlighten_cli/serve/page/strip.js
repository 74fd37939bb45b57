// The strip of thumbnails: each shows the original first, then the result.

import { album, get } from "/page/album.js";
import { describe } from "/page/intake.js";
import { ask, pause } from "/page/requests.js";

const PIXELS = 24_000, CALM_MS = 700, WAIT_MS = 60;
const strip = get("strip");
const parts = new Map(); // from photos to their elements
const queue = new Set();
let working = false, calm = 0;

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const photo = entry.target.photo;
    photo.isSeen = entry.isIntersecting;
    if (photo.isSeen) enqueue(photo);
  }
}, { root: strip, rootMargin: "0px 300px" });

function add(photo) {
  const item = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  button.className = "thumb";
  const frame = document.createElement("span"), image = document.createElement("img");
  const label = document.createElement("span"), badge = document.createElement("span");
  frame.className = "frame";
  image.alt = "";
  label.className = "label";
  badge.className = "badge";
  frame.append(image);
  button.append(frame, label, badge);
  button.addEventListener("click", () => album.show(photo));
  item.append(button);
  item.photo = photo;
  parts.set(photo, { item, button, image, label, badge, shown: "" });
  strip.append(item);
  seen.observe(item);
  update(photo);
}

function update(photo) {
  const part = parts.get(photo);
  if (!part) return;
  const { button, label, badge } = part;
  label.textContent = photo.name;
  button.dataset.state = photo.state;
  const marks = { failed: "!", saved: "✓", sending: `${Math.round(100 * photo.progress)} %` };
  badge.textContent = marks[photo.state] || (photo.own ? "●" : "");
  const words = { failed: photo.error, saved: photo.saved, sending: "uploading", ready: photo.own ? "has its own settings" : "" };
  button.title = [photo.name, words[photo.state]].filter(Boolean).join(": ");
  button.setAttribute("aria-label", button.title);
  if (photo.state === "failed") part.image.removeAttribute("src");
  if (photo.isSeen && photo.id) enqueue(photo);
}

function enqueue(photo) {
  if (!photo.id || photo.state === "failed") return;
  queue.add(photo);
  if (!working) work();
}

async function work() {
  working = true;
  try {
    while (queue.size) {
      while (album.isBusy) await pause(WAIT_MS);
      const photo = queue.has(album.current) ? album.current : [...queue][0];
      queue.delete(photo);
      const part = parts.get(photo);
      if (!part || !photo.isSeen) continue;
      if (!(await describe(photo)) || photo.removed) continue;
      if (!part.shown) await put(photo, part, { side: "before", strength: 0 });
      await put(photo, part, { side: "after" });
    }
  } finally {
    working = false;
  }
}

async function put(photo, part, values) {
  const address = album.address(photo, { pixels: PIXELS, ...values });
  if (address === part.shown) return;
  try {
    const url = URL.createObjectURL(await (await ask(address)).blob());
    const before = part.image.src;
    part.image.src = url;
    if (before) URL.revokeObjectURL(before);
    part.shown = address;
  } catch (error) {
    if (photo === album.current || error.status !== 404) album.fail(photo, error.message);
  }
}

export function listen() {
  album.on("added", add);
  album.on("changed", update);
  album.on("removed", (photo) => {
    const part = parts.get(photo);
    parts.delete(photo);
    queue.delete(photo);
    if (!part) return;
    seen.unobserve(part.item);
    if (part.image.src) URL.revokeObjectURL(part.image.src);
    part.item.remove();
  });
  album.on("shown", (photo) => {
    for (const [each, { button }] of parts) {
      if (each === photo) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    parts.get(photo)?.item.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
  album.on("look", () => {
    clearTimeout(calm);
    calm = setTimeout(() => {
      for (const photo of album.photos) {
        update(photo);
      }
    }, CALM_MS);
  });
}
