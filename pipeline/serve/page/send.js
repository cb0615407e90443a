// A video is chosen, dropped or recorded.

import { $, clock } from "./dom.js";

/** Let people choose, drop or record a video; `take` gets each with a name for this tab alone. */
export function sending(about, take, problem) {
  const megabytes = Math.round(about.file_bytes / 1e6);
  const minutes = Math.round(about.duration_s / 6) / 10;
  $("limits").textContent =
    `Up to ${megabytes.toLocaleString("en")} MB and ${minutes} minutes; deleted after ` +
    `${Math.round(about.keep_s / 60)} minutes.`;

  const checked = (file, name) => {
    if (file.size > about.file_bytes) {
      problem(`${name} is larger than ${megabytes.toLocaleString("en")} MB, the most that is taken here.`);
    } else if (!file.size) {
      problem(`${name} is empty.`);
    } else take(file, name);
  };
  $("file").addEventListener("change", () => {
    const [file] = $("file").files;
    if (file) checked(file, file.name);
    $("file").value = "";
  });
  const drop = $("drop");
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) checked(file, file.name);
  });

  // Browsers give the camera to pages of this machine and to https only.
  const able = Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);
  for (const [id, video] of [["record-video", true], ["record-sound", false]]) {
    $(id).hidden = !able;
    $(id).addEventListener("click", () => record(video, checked, problem));
  }
}

async function record(video, take, problem) {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: video && { facingMode: "user" } });
  } catch (error) {
    problem(`The ${video ? "camera" : "microphone"} cannot be used: ${error.message}`);
    return;
  }
  const recorder = new MediaRecorder(stream);
  const parts = [];
  const begun = performance.now();
  let kept = false;
  recorder.ondataavailable = (event) => parts.push(event.data);
  recorder.onstop = () => {
    clearInterval(ticking);
    stream.getTracks().forEach((track) => track.stop());
    $("preview").srcObject = null;
    $("recording").hidden = true;
    $("drop").hidden = false;
    if (kept) take(new Blob(parts, { type: recorder.mimeType }), "recording");
  };
  const tick = () => ($("recorded").textContent = clock((performance.now() - begun) / 1000));
  const ticking = setInterval(tick, 200);
  $("preview").hidden = !video;
  $("preview").srcObject = stream;
  $("preview").play().catch(() => {});
  $("recording").hidden = false;
  $("drop").hidden = true;
  $("stop").onclick = () => {
    kept = true;
    recorder.stop();
  };
  $("discard").onclick = () => recorder.stop();
  recorder.start(1000);
  $("stop").focus();
}
