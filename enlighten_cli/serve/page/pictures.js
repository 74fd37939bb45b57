// The pictures in the panes: the whole photo, and above it the visible part if the photo is enlarged.

import { ask } from "/page/requests.js";

const MOST_PIXELS = 4_000_000, STEP_PIXELS = 50_000;

// An image that shows the last address that was requested, with one request in flight at a time.
export class Picture {
  #wanted = ""; #shown = ""; #waits = null; #onShown = null; #url = "";

  constructor(image, onBusy, onTrouble) {
    Object.assign(this, { image, onBusy, onTrouble });
  }

  want(address, onShown = () => {}) {
    this.#wanted = address;
    this.#onShown = onShown;
    if (address === this.#shown) onShown();
    else if (!this.#waits) this.#fetch();
  }

  // Show nothing, and abort the request in flight.
  clear() {
    this.#wanted = this.#shown = "";
    this.#waits?.abort();
    this.#waits = null;
    this.image.removeAttribute("src");
    URL.revokeObjectURL(this.#url);
  }

  // Until its own picture arrives, show another one: the dark photo then brightens, instead of a blank pane.
  borrow(other) {
    if (!this.#shown) this.image.src = other.image.src;
  }

  async #fetch() {
    const address = this.#wanted, waits = (this.#waits = new AbortController());
    this.onBusy(1);
    try {
      const url = URL.createObjectURL(await (await ask(address, { signal: waits.signal })).blob());
      const ready = new Image();
      ready.src = url;
      await ready.decode();
      if (waits.signal.aborted) return URL.revokeObjectURL(url);
      this.image.src = url;
      URL.revokeObjectURL(this.#url);
      this.#url = url;
      this.#shown = address;
      if (address === this.#wanted) this.#onShown();
    } catch (error) {
      if (waits.signal.aborted) return;
      this.#wanted = this.#shown;
      this.onTrouble(error);
    } finally {
      this.onBusy(-1);
      if (this.#waits === waits) {
        this.#waits = null;
        if (this.#wanted && this.#wanted !== this.#shown) this.#fetch();
      }
    }
  }
}

// Both sides of the current photo: before and after.
export class Pictures {
  #busy = 0;

  constructor(panes, address, onBusy, onTrouble) {
    const busy = (by) => onBusy((this.#busy += by));
    this.address = address;
    this.sides = Object.fromEntries(
      Object.entries(panes).map(([side, pane]) => [
        side,
        {
          base: new Picture(pane.querySelector(".base"), busy, onTrouble),
          detail: new Picture(pane.querySelector(".detail"), busy, onTrouble),
        },
      ]),
    );
  }

  clear() {
    for (const { base, detail } of Object.values(this.sides)) {
      base.clear();
      detail.clear();
    }
  }

  // Fetch what `geometry` shows. If the photo is enlarged, fetch the visible part first, then the whole.
  refresh(photo, geometry) {
    const pixels = (count) => Math.min(MOST_PIXELS, Math.ceil(count / STEP_PIXELS) * STEP_PIXELS);
    const whole = pixels(photo.width * photo.height * (geometry.fit * geometry.ratio) ** 2);
    for (const [side, { base, detail }] of Object.entries(this.sides)) {
      const lend = () => { if (side === "before") this.sides.after.base.borrow(base); };
      const showWhole = () => base.want(this.address(photo, side, { pixels: whole }), lend);
      if (!geometry.isEnlarged) {
        detail.clear();
        showWhole();
        continue;
      }
      const seen = geometry.seen, scale = Math.min(1, geometry.drawn * geometry.ratio);
      const address = this.address(photo, side, { ...seen, pixels: Math.min(MOST_PIXELS, Math.ceil(seen.width * seen.height * scale ** 2)) });
      detail.want(address, () => {
        Object.assign(detail.image.style, {
          left: (100 * seen.left) / photo.width + "%", top: (100 * seen.top) / photo.height + "%",
          width: (100 * seen.width) / photo.width + "%", height: (100 * seen.height) / photo.height + "%",
        });
        showWhole();
      });
    }
  }
}
