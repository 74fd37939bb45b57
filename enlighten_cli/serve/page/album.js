// The photos on the page, their settings, and which one is current.

class Album extends EventTarget {
  visit = "";
  facts = {};
  begun = new Promise((done) => { this.begin = done; }); // resolved once the server has answered
  photos = [];
  current = null;
  isBusy = false;
  shared = { strength: 1, mode: "auto", model: "", denoise: "auto" };

  tell(what, photo = null) {
    this.dispatchEvent(new CustomEvent(what, { detail: photo }));
  }

  on(what, listener) {
    this.addEventListener(what, (event) => listener(event.detail));
  }

  // state: waiting, sending, ready, failed, saved
  add(photo) {
    const whole = { id: null, file: null, given: false, state: "waiting", progress: 0, notes: [], error: "", saved: "", own: null, ...photo };
    this.photos.push(whole);
    this.tell("added", whole);
    if (!this.current) this.show(whole);
    return whole;
  }

  change(photo, values) {
    Object.assign(photo, values);
    this.tell("changed", photo);
  }

  fail(photo, message) {
    this.change(photo, { state: "failed", error: message });
  }

  remove(photo) {
    const place = this.photos.indexOf(photo);
    if (place < 0) return;
    this.photos.splice(place, 1);
    photo.removed = true;
    this.tell("removed", photo);
    if (photo === this.current) this.show(this.photos[Math.min(place, this.photos.length - 1)] || null);
  }

  show(photo) {
    this.current = photo;
    this.tell("shown", photo);
  }

  step(count) {
    const place = this.photos.indexOf(this.current) + count;
    if (this.photos[place]) this.show(this.photos[place]);
  }

  look(photo = this.current) {
    return photo?.own || this.shared;
  }

  // Settings apply to all photos except those that have their own.
  setLook(values) {
    Object.assign(this.look(), values);
    for (const photo of this.photos) {
      if (photo.state === "saved" && (photo === this.current || (!photo.own && !this.current?.own))) {
        this.change(photo, { state: "ready", saved: "" });
      }
    }
    this.tell("look", this.current);
  }

  setOwn(isOwn) {
    if (!this.current) return;
    this.current.own = isOwn ? { ...this.look() } : null;
    this.tell("look", this.current);
  }

  address(photo, values) {
    const look = this.look(photo);
    const { strength, mode, model, denoise } = look;
    const words = new URLSearchParams({ strength, mode, model, denoise, ...values });
    return `/visits/${this.visit}/photos/${photo.id}/view?${words}`;
  }

  wish(photo) {
    const { strength, mode, model, denoise } = this.look(photo);
    return { id: photo.id, strength, mode, model, denoise };
  }
}

export const album = new Album();
export const get = (id) => document.getElementById(id);
export const say = (text) => { get("status").textContent = text; };
