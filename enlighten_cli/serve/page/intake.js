// New photos: dropped, chosen, pasted, or a whole folder; uploaded to the server two at a time.

import { album, get, say } from "/page/album.js";
import { ask, askJson, upload } from "/page/requests.js";

const SENT_AT_ONCE = 2;
const waiting = [];
let sending = 0;

const isPhoto = (file) =>
  file.type.startsWith("image/") || album.facts.endings.some((ending) => file.name.toLowerCase().endsWith(ending));

export async function take(files) {
  await album.begun;
  const photos = [...files].filter((file) => isPhoto(file) && !file.name.startsWith("."));
  const left = files.length - photos.length;
  if (photos.length || left) {
    const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
    say(`${count(photos.length, "photo")} added${left ? `; ${count(left, "other file")} skipped` : ""}`);
  }
  for (const file of photos) send(album.add({ name: file.name || "pasted.png", file }));
}

export function send(photo) {
  waiting.push(photo);
  next();
}

async function next() {
  if (sending >= SENT_AT_ONCE || !waiting.length) return;
  const photo = waiting.shift();
  sending++;
  try {
    if (!photo.removed) await sendOne(photo);
  } finally {
    sending--;
    next();
  }
}

async function sendOne(photo) {
  if (photo.file.size > album.facts.most_bytes) {
    return album.fail(photo, `the file is larger than ${Math.round(album.facts.most_bytes / 1e6)} MB (--max-mb)`);
  }
  album.change(photo, { state: "sending", progress: 0 });
  try {
    const path = `/visits/${album.visit}/photos?name=${encodeURIComponent(photo.name)}`;
    const { id, name } = await upload(path, photo.file, (progress) => album.change(photo, { progress }));
    if (photo.removed) drop({ ...photo, id });
    else album.change(photo, { id, name, state: "waiting" });
  } catch (error) {
    album.fail(photo, error.message);
  }
}

// Ask the server once for a photo's size, or for what is wrong with it.
export function describe(photo) {
  if (!photo.id || photo.state === "failed" || photo.width) return Promise.resolve(Boolean(photo.width));
  photo.described ||= askJson(`/visits/${album.visit}/photos/${photo.id}`)
    .then((facts) => {
      if (facts.trouble) throw new Error(facts.trouble);
      album.change(photo, { ...facts, state: photo.state === "waiting" ? "ready" : photo.state });
      return true;
    })
    .catch((error) => {
      album.fail(photo, error.message);
      return false;
    });
  return photo.described;
}

export function drop(photo) {
  if (photo.id && !photo.given) ask(`/visits/${album.visit}/photos/${photo.id}`, { method: "DELETE" }).catch(() => {});
}

// The server forgets a page that was inactive for long; then upload its photos again.
export function sendAgain() {
  for (const photo of album.photos) {
    if (photo.file && photo.state !== "failed") {
      album.change(photo, { id: null, described: null, width: 0, state: "waiting" });
      send(photo);
    }
  }
}

async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  const reader = entry.createReader(), found = [];
  for (;;) { // a reader returns its entries in parts
    const part = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!part.length) break;
    found.push(...part);
  }
  found.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  const files = [];
  for (const each of found) if (!each.name.startsWith(".")) files.push(...(await filesOf(each)));
  return files;
}

export function listen() {
  const files = get("files"), folder = get("folder"), shade = get("drop");
  for (const [button, input] of [["add", files], ["choose", files], ["add-folder", folder], ["choose-folder", folder]]) {
    get(button).addEventListener("click", () => input.click());
  }
  for (const input of [files, folder]) {
    input.addEventListener("change", () => {
      take([...input.files]);
      input.value = "";
    });
  }
  album.begun.then(() => { files.accept = ["image/*", ...album.facts.endings].join(","); });

  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    shade.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) shade.classList.remove("over");
  });
  addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    shade.classList.remove("over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const plain = [...event.dataTransfer.files];
    try {
      await take(entries.some((entry) => entry.isDirectory) ? (await Promise.all(entries.map(filesOf))).flat() : plain);
    } catch {
      say("a folder could not be read; add its photos instead");
    }
  });
  addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files || [])];
    if (pasted.length) take(pasted);
  });
}
