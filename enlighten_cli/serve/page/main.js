// Begin a visit, connect the parts of the page, and listen to keys.

import { album, get, say } from "/page/album.js";
import * as intake from "/page/intake.js";
import { askJson } from "/page/requests.js";
import * as saving from "/page/saving.js";
import * as settings from "/page/settings.js";
import * as stage from "/page/stage.js";
import * as strip from "/page/strip.js";

const ALIVE_MS = 45_000;

function removeCurrent() {
  const photo = album.current;
  if (!photo || saving.isSaving()) return;
  album.remove(photo);
  intake.drop(photo);
}

const KEYS = {
  z: () => stage.toggleZoom(), "+": () => stage.zoomBy(1.25), "=": () => stage.zoomBy(1.25), "-": () => stage.zoomBy(0.8),
  s: () => stage.setPair(!stage.isPair()), "[": () => settings.stepStrength(-1), "]": () => settings.stepStrength(1),
  d: () => saving.saveOne("file"), PageUp: () => album.step(-1), PageDown: () => album.step(1), Delete: removeCurrent,
  ArrowLeft: () => stage.arrow("ArrowLeft"), ArrowRight: () => stage.arrow("ArrowRight"),
  ArrowUp: () => stage.arrow("ArrowUp"), ArrowDown: () => stage.arrow("ArrowDown"),
};

function listenToKeys() {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || get("keys").open) return;
    if (event.key === "?") return get("keys").showModal();
    if (!album.current) return;
    const isField = event.target.closest("input, select, dialog");
    if (isField && (event.key.startsWith("Arrow") || event.key.startsWith("Page") || event.target.tagName === "SELECT")) return;
    if (event.key.startsWith("Arrow") && event.target.closest("aside, header, #strip")) return;
    if (event.key === "b") return stage.showAsItWas(true);
    const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  addEventListener("keyup", (event) => { if (event.key === "b") stage.showAsItWas(false); });
  addEventListener("blur", () => stage.showAsItWas(false));
  get("help").addEventListener("click", () => get("keys").showModal());
  get("close-keys").addEventListener("click", () => get("keys").close());
}

async function begin() {
  const facts = await askJson("/visits", { method: "POST" });
  album.visit = facts.visit;
  return facts;
}

// Keep the visit open. If the server has forgotten it, because the machine slept for example, begin a new one.
async function stayAlive() {
  try {
    await askJson(`/visits/${album.visit}/alive`, { method: "POST" });
  } catch (error) {
    if (error.status === 404) {
      await begin();
      intake.sendAgain();
    } else say(error.message);
  }
}

function listenToEnd() {
  addEventListener("pagehide", () => navigator.sendBeacon(`/visits/${album.visit}/close`));
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  addEventListener("beforeunload", (event) => { if (saving.isSaving()) event.preventDefault(); });
  addEventListener("visibilitychange", () => { if (!document.hidden) stayAlive().catch(() => {}); });
  setInterval(() => stayAlive().catch(() => {}), ALIVE_MS);
}

async function start() {
  // Accept photos even before the server has answered.
  for (const part of [intake, stage, strip]) part.listen();
  album.facts = await begin();
  for (const part of [settings, saving]) part.listen();
  const isEmpty = () => get("main").toggleAttribute("data-empty", !album.photos.length);
  album.on("added", isEmpty);
  album.on("removed", isEmpty);
  get("remove").addEventListener("click", removeCurrent);
  get("formats").textContent = "JPEG, PNG, WebP, TIFF, AVIF and BMP; HEIC, JPEG XL and camera RAW if their packages are installed.";
  listenToKeys();
  listenToEnd();
  for (const photo of album.facts.photos) album.add(photo);
  album.begin();
}

start().catch((error) => say(error.message));
