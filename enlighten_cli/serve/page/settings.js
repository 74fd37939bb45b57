// The settings, for all photos or for the current one.

import { album, get } from "/page/album.js";

const STEP = 0.05;

function show() {
  const look = album.look(), isOwn = Boolean(album.current?.own);
  get("for-all").setAttribute("aria-pressed", !isOwn);
  get("for-one").setAttribute("aria-pressed", isOwn);
  get("strength").value = look.strength;
  get("strength-text").textContent = look.strength.toFixed(2);
  get("model").value = look.model;
  get("mode").value = look.mode;
  get("mode-help").textContent = look.mode === "full" ? "Visible at 100 %. Saving takes a second per megapixel, or more." : "";
  const isAuto = look.denoise === "auto";
  get("denoise-auto").checked = isAuto;
  get("denoise").disabled = isAuto;
  get("denoise-text").textContent = isAuto ? "automatic" : look.denoise === "off" ? "off" : (+look.denoise).toFixed(2);
}

export function setStrength(value) {
  const strength = Math.min(album.facts.most_strength, Math.max(0, Math.round(100 * value) / 100));
  album.setLook({ strength });
}

export const stepStrength = (sign) => setStrength(album.look().strength + sign * STEP);

export function listen() {
  const { models, most_strength: most, most_denoise: mostDenoise } = album.facts;
  get("strength").max = most;
  get("denoise").max = mostDenoise;
  for (const { name, default: isDefault } of models) get("model").add(new Option(isDefault ? `${name} (default)` : name, name));
  album.shared.model = models[0].name;

  get("strength").addEventListener("input", (event) => setStrength(+event.target.value));
  get("strength").addEventListener("dblclick", () => setStrength(1));
  get("strength-reset").addEventListener("click", () => setStrength(1));
  get("model").addEventListener("change", (event) => album.setLook({ model: event.target.value }));
  get("mode").addEventListener("change", (event) => album.setLook({ mode: event.target.value }));
  const setDenoise = () => {
    const amount = +get("denoise").value;
    album.setLook({ denoise: get("denoise-auto").checked ? "auto" : amount || "off" });
  };
  get("denoise").addEventListener("input", setDenoise);
  get("denoise-auto").addEventListener("change", setDenoise);
  get("for-all").addEventListener("click", () => album.setOwn(false));
  get("for-one").addEventListener("click", () => album.setOwn(true));
  album.on("look", show);
  album.on("shown", show);
  show();
}
