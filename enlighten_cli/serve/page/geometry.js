// The photo's place in its pane: fit to the pane, or enlarged around a point.

const MOST_ENLARGED = 8; // screen pixels per photo pixel

export class Geometry {
  width = 1; height = 1; // of the photo
  paneWidth = 1; paneHeight = 1; // in CSS pixels
  scale = 0; // CSS pixels per photo pixel; 0 fits the photo to the pane
  x = 0; y = 0; // the point of the photo at the centre of the pane

  get ratio() {
    return window.devicePixelRatio || 1;
  }

  get hundred() {
    return 1 / this.ratio;
  }

  get fit() {
    return Math.min(this.paneWidth / this.width, this.paneHeight / this.height, this.hundred);
  }

  get drawn() {
    return this.scale || this.fit;
  }

  get isEnlarged() {
    return this.scale > this.fit * 1.001;
  }

  place(width, height) {
    Object.assign(this, { width, height, scale: 0, x: width / 2, y: height / 2 });
  }

  setPane(width, height) {
    this.paneWidth = Math.max(1, width);
    this.paneHeight = Math.max(1, height);
    this.settle();
  }

  // Zoom around a point of the pane: the point of the photo under it stays there.
  zoomTo(scale, atX = this.paneWidth / 2, atY = this.paneHeight / 2) {
    const [x, y] = this.pointAt(atX, atY);
    const next = Math.min(Math.max(scale, this.fit), Math.max(this.fit, MOST_ENLARGED * this.hundred));
    this.scale = next <= this.fit * 1.001 ? 0 : next;
    this.x = x - (atX - this.paneWidth / 2) / this.drawn;
    this.y = y - (atY - this.paneHeight / 2) / this.drawn;
    this.settle();
  }

  pan(byX, byY) {
    this.x -= byX / this.drawn;
    this.y -= byY / this.drawn;
    this.settle();
  }

  // Keep the pane filled where the photo is large enough; otherwise centre the photo.
  settle() {
    const settled = (at, whole, pane) => {
      const half = pane / this.drawn / 2;
      return half * 2 >= whole ? whole / 2 : Math.min(Math.max(at, half), whole - half);
    };
    this.x = settled(this.x, this.width, this.paneWidth);
    this.y = settled(this.y, this.height, this.paneHeight);
  }

  pointAt(atX, atY) {
    return [this.x + (atX - this.paneWidth / 2) / this.drawn, this.y + (atY - this.paneHeight / 2) / this.drawn];
  }

  get origin() {
    return [this.paneWidth / 2 - this.x * this.drawn, this.paneHeight / 2 - this.y * this.drawn];
  }

  // The visible part of the photo, in whole pixels.
  get seen() {
    const [left, top] = this.pointAt(0, 0).map((value) => Math.max(0, Math.floor(value)));
    const [right, bottom] = this.pointAt(this.paneWidth, this.paneHeight);
    return { left, top, width: Math.min(this.width, Math.ceil(right)) - left, height: Math.min(this.height, Math.ceil(bottom)) - top };
  }
}
