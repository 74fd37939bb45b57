// Save results at full size: into the folder, as downloads, or in one archive.

import { album, get } from "/page/album.js";
import { lines, post } from "/page/requests.js";

let running = null;

const countOf = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
const ready = () => album.photos.filter((photo) => photo.id && !(photo.state === "failed" && !photo.width));

export const isSaving = () => Boolean(running);

function enable() {
  const isBusy = Boolean(running), some = ready(), one = some.includes(album.current);
  for (const id of ["write-one", "download-one"]) get(id).disabled = isBusy || !one;
  for (const id of ["write-all", "download-all"]) get(id).disabled = isBusy || !some.length;
  get("remove").disabled = isBusy; // the Delete key waits for the same
  get("progress").hidden = !isBusy;
}

function fetchFile(address) {
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

function showProgress(done, total, part, words) {
  get("progress-bar").value = (done + part) / Math.max(1, total);
  get("progress-text").textContent = words || `${done} of ${countOf(total, "photo")}`;
}

// `to` is the server's word for the destination: folder, file or archive.
export async function save(photos, to) {
  if (running || !photos.length) return;
  const control = (running = new AbortController());
  const byId = new Map(photos.map((photo) => [photo.id, photo]));
  const counts = { done: 0, skipped: 0, failed: 0 };
  let finished = 0, trouble = "";
  get("saved").textContent = "";
  get("saved").className = "";
  enable();
  showProgress(0, photos.length, 0);
  try {
    const wish = { to, conflict: get("conflict").value, photos: photos.map((photo) => album.wish(photo)) };
    const response = await post(`/visits/${album.visit}/saves`, wish, control.signal);
    await lines(response, (event) => {
      if (event.error) trouble = event.error;
      if (event.href) fetchFile(event.href);
      const photo = byId.get(event.photo);
      if (!photo) return;
      if (!event.status) return showProgress(finished, photos.length, event.done / event.total, photos.length === 1 ? `${photo.name}: ${Math.round((100 * event.done) / event.total)} %` : "");
      counts[event.status]++;
      finished++;
      showProgress(finished, photos.length, 0);
      note(photo, event, to);
    });
  } catch (error) {
    trouble = control.signal.aborted ? "stopped" : error.message;
  }
  running = null;
  enable();
  report(counts, photos, to, trouble);
}

function note(photo, event, to) {
  if (event.status === "failed") return album.fail(photo, event.reason);
  const words = event.status === "skipped" ? `skipped: ${event.name} exists already` : to === "folder" ? `written as ${event.name}` : `saved as ${event.name}`;
  album.change(photo, { state: event.status === "done" ? "saved" : photo.state, saved: [words, ...event.notes].join("; ") });
}

function report(counts, photos, to, trouble) {
  const where = to === "folder" ? `written to ${album.facts.folder}` : "saved";
  const parts = [];
  if (counts.done) parts.push(photos.length === 1 ? photos[0].saved : `${countOf(counts.done, "photo")} ${where}`);
  if (counts.skipped) parts.push(photos.length === 1 ? photos[0].saved : `${counts.skipped} skipped: their results exist already`);
  if (counts.failed) parts.push(`${countOf(counts.failed, "photo")} failed, marked below`);
  if (trouble) parts.push(trouble);
  get("saved").textContent = parts.join(". ") + (parts.length ? "." : "");
  get("saved").classList.toggle("bad", Boolean(trouble || counts.failed));
}

export const saveOne = (to) => save(ready().filter((photo) => photo === album.current), to);

export function listen() {
  const { folder } = album.facts;
  get("into-folder").hidden = folder === null;
  get("folder-name").textContent = folder || "";
  get("write-all").addEventListener("click", () => save(ready(), "folder"));
  get("write-one").addEventListener("click", () => saveOne("folder"));
  get("download-all").addEventListener("click", () => save(ready(), "archive"));
  get("download-one").addEventListener("click", () => saveOne("file"));
  get("stop").addEventListener("click", () => running?.abort());
  for (const what of ["added", "changed", "removed", "shown"]) album.on(what, enable);
  enable();
}
