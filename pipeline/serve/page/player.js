// The video, and over it the face that was followed.

import { $ } from "./dom.js";
import * as api from "./api.js";

const FACE_S = 20; // of a face are fetched at a time
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

/** Where the face is: `get` fetches the rows of a stretch; null: there is no face. */
export function setFace(get) {
  face = get && { get, rows: [], step_s: 0, lines: [], from: 0, to: 0, asked: false };
  $("face-choice").hidden = !face;
  paint();
}

/** The row that a time is in; rows that are not here are fetched. */
function rowAt(time) {
  if (!face.asked && (time < face.from || time >= face.to)) {
    const mine = face;
    const from = Math.max(0, time - 5);
    mine.asked = true;
    mine.get(from, from + FACE_S).then(
      (found) => {
        Object.assign(mine, found, { from, to: from + FACE_S, asked: false });
        if (face === mine) paint();
      },
      () => setTimeout(() => (mine.asked = false), 2000),
    );
  }
  let low = 0, high = face.rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (face.rows[middle].time_s <= time) low = middle + 1;
    else high = middle;
  }
  const row = face.rows[low - 1];
  return row && time < row.time_s + face.step_s + 1e-6 ? row : null;
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
  const row = rowAt(now());
  if (!row) return;
  // The picture is centred in its element, and keeps its shape.
  const fit = Math.min(overlay.width / player.videoWidth, overlay.height / player.videoHeight);
  const wide = player.videoWidth * fit, high = player.videoHeight * fit;
  const x = (part) => (overlay.width - wide) / 2 + part * wide;
  const y = (part) => (overlay.height - high) / 2 + part * high;
  canvas.strokeStyle = "#35d0ba";
  canvas.lineWidth = 2 * scale;
  const [left, top, right, bottom] = row.box;
  canvas.strokeRect(x(left), y(top), x(right) - x(left), y(bottom) - y(top));
  canvas.lineWidth = scale;
  canvas.beginPath();
  for (const [a, b] of face.lines) {
    canvas.moveTo(x(row.points[a][0]), y(row.points[a][1]));
    canvas.lineTo(x(row.points[b][0]), y(row.points[b][1]));
  }
  canvas.stroke();
}
