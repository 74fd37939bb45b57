// The pictures in the panes: the whole photo, and over it what is in sight where that is enlarged.

import { ask } from "/page/requests.js";

const MOST_PIXELS = 4_000_000, STEP_PIXELS = 50_000;

// An image that shows the last address it was asked for, with one request on its way at a time.
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

  // Nothing is wanted any more: what is on its way is broken off.
  clear() {
    this.#wanted = this.#shown = "";
    this.#waits?.abort();
    this.#waits = null;
    this.image.removeAttribute("src");
    URL.revokeObjectURL(this.#url);
  }

  // Till it has its own picture it shows another's: what was dark brightens, and is not blank before.
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

// Both sides of the photo in sight.
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

  // What `geometry` shows. Enlarged, the part in sight comes first, and the whole stays as it is till then.
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
