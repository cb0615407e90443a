// The video, and over it the face that was followed.

import { $ } from "./dom.js";
import * as api from "./api.js";

const player = $("player");
const overlay = $("overlay");
let face = null;
let moved = () => {};

/** Call `told` with the time, s, whenever it changes. */
export function onmove(told) {
  moved = told;
}

/** Show a version of a video. */
export function show(id, version, found) {
  const time = player.currentTime || 0;
  $("unplayable").hidden = true;
  $("stage").classList.toggle("sound", !found.has_video);
  player.src = api.video(id, version);
  player.addEventListener("loadedmetadata", () => (player.currentTime = Math.min(time, found.duration_s)), { once: true });
  setFace(null);
}

/** Stop, and let go of the video. */
export function leave() {
  player.pause();
  player.removeAttribute("src");
  player.load();
  setFace(null);
}

/** Where the face is, as the API gives it; null: not known. */
export function setFace(found) {
  face = found && found.rows.some(Boolean) ? found : null;
  $("face-choice").hidden = !face;
  paint();
}

export const go = (time) => {
  player.currentTime = Math.max(0, Math.min(time, player.duration || time));
  moved(player.currentTime);
};
export const now = () => player.currentTime || 0;
export const toggle = () => (player.paused ? player.play() : player.pause());

player.addEventListener("error", () => {
  if (player.hasAttribute("src")) $("unplayable").hidden = false;
});
for (const kind of ["timeupdate", "seeked", "pause", "loadeddata"]) player.addEventListener(kind, tell);
player.addEventListener("play", function follow() {
  tell();
  if (!player.paused && !player.ended) requestAnimationFrame(follow);
});
$("show-face").addEventListener("change", paint);
new ResizeObserver(paint).observe(player);

function tell() {
  moved(now());
  paint();
}

/** Draw the box and the landmarks of the row that the time is in. */
function paint() {
  const scale = window.devicePixelRatio || 1;
  const box = player.getBoundingClientRect();
  overlay.width = Math.round(box.width * scale);
  overlay.height = Math.round(box.height * scale);
  const canvas = overlay.getContext("2d");
  canvas.clearRect(0, 0, overlay.width, overlay.height);
  if (!face || !$("show-face").checked || !player.videoWidth) return;
  const row = face.rows[Math.floor((now() - face.start_s) / face.step_s)];
  if (!row) return;
  // The picture is centred in its element, and keeps its shape.
  const fit = Math.min(overlay.width / player.videoWidth, overlay.height / player.videoHeight);
  const wide = player.videoWidth * fit, high = player.videoHeight * fit;
  const left = (overlay.width - wide) / 2, top = (overlay.height - high) / 2;
  canvas.strokeStyle = canvas.fillStyle = "#35d0ba";
  canvas.lineWidth = 2 * scale;
  const [x, y, w, h] = row.box;
  canvas.strokeRect(left + x * wide, top + y * high, w * wide, h * high);
  for (const [px, py] of row.points) {
    canvas.beginPath();
    canvas.arc(left + px * wide, top + py * high, 0.9 * scale, 0, 7);
    canvas.fill();
  }
}
