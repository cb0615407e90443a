// The page: one video at a time, and what the models say of it.

import * as api from "./api.js";
import { damageForm } from "./damage.js";
import { $, calm, make } from "./dom.js";
import { showDownloads } from "./downloads.js";
import * as player from "./player.js";
import { show, tellStep } from "./progress.js";
import { showScores, unread } from "./scores.js";
import { sending } from "./send.js";
import { showLegend, timeline } from "./timeline.js";
import { colourWords, markWords, showWords } from "./transcript.js";
import { damagedCopy, showVersions } from "./versions.js";
import * as videos from "./videos.js";
import { offerStretch, whatIf } from "./whatif.js";

const LOOK_MS = 400; // between two looks at where an upload is

let about;
let now = null; // the video that is shown: id, version, found, scores, before, clip
let sent = null; // the upload that is on its way
const wanted = {}; // the last question, which makes earlier ones void

const line = timeline($("timeline"), { go: player.go, choose: chosen, toggle: player.toggle });
const missing = whatIf(calm(120, () => ask()));

function problem(text) {
  $("problem").textContent = text ?? "";
  $("problem").hidden = !text;
  if (text) $("problem").scrollIntoView({ block: "nearest" });
}

/** Do something, and say what went wrong. */
async function trying(work) {
  problem(null);
  try {
    return await work();
  } catch (error) {
    if (error.name === "AbortError") return null;
    if (error.status === 404) gone(now?.id);
    problem(error.message);
    return null;
  }
}

const showVideos = () => videos.show(now?.id, (id) => trying(() => follow(id)));

function take(file, name) {
  trying(async () => {
    hide();
    showVideos(); // those from before can be looked at meanwhile, and whatever becomes of this one
    show("Sending", 0);
    sent = api.upload(file, (share) => show("Sending", share));
    try {
      const { id } = await sent.done;
      videos.add(id, name);
      sent = null;
      await follow(id);
    } finally {
      sent = null;
      $("progress").hidden = true;
    }
  });
}

/** Wait until a video is ready, and show it. */
async function follow(id) {
  hide();
  location.hash = `video=${id}`;
  const mine = (now = { id });
  showVideos();
  for (;;) {
    const state = await api.state(id).catch((error) => {
      if (now !== mine) return;
      if (error.status !== 404) hide(), showVideos(); // from where it can be asked for again
      throw error;
    });
    if (now !== mine) return; // stopped, or another one is looked at
    if (state.state === "ready") return open(id, state);
    if (state.state === "failed") {
      await api.remove(id).catch(() => {});
      gone(id);
      throw new api.Refused(state.error, 400, null);
    }
    tellStep(state);
    await new Promise((go) => setTimeout(go, LOOK_MS));
  }
}

function hide() {
  $("look").hidden = true;
  $("progress").hidden = true;
  player.leave();
  wanted.stop?.abort();
  now = null;
}

function gone(id) {
  if (id) videos.drop(id);
  hide();
  history.replaceState(null, "", location.pathname);
  showVideos();
}

async function open(id, state, version = "original") {
  $("progress").hidden = true;
  now = { id, version, versions: state.versions, expires: Date.now() + 1000 * state.expires_s, clip: 0, before: {} };
  missing.reset();
  line.clear();
  $("look").hidden = false;
  showChoice();
  showVideos();
  await load();
}

async function load() {
  const mine = now;
  const { id, version } = mine;
  const shown = () => now === mine && mine.version === version;
  mine.scores = mine.bands = null;
  $("progress").hidden = true;
  $("scores").replaceChildren(make("p", { class: "hint" }, "Asking the models ..."));
  const found = await api.found(id, version).catch((error) => {
    if (shown()) throw error;
  });
  if (!shown()) return; // another one is looked at
  now.found = found;
  player.show(id, version, now.found);
  if (now.found.bands.vision.some((band) => band.what === "observed")) player.setFace((from, to) => api.face(id, version, from, to));
  showMovements();
  renderWords();
  render();
  showDownloads(now.id, now.version, now.found.downloads);
  await ask();
}

function showMovements() {
  const { movements } = now.found.clips[now.clip] ?? { movements: [] };
  $("movements").textContent = movements.length ? `Moves most: ${movements.join(", ")}` : "";
}

/** Ask the models, with what is left out; the last question counts. */
async function ask() {
  if (!now?.found) return;
  wanted.stop?.abort();
  wanted.stop = new AbortController();
  const { id, version, clip } = now;
  const begun = performance.now();
  const answer = await trying(() =>
    api.score(id, { ...missing.question(), version, explain: clip }, wanted.stop.signal),
  );
  if (!answer || now?.id !== id || now.version !== version) return;
  now.scores = answer.scores;
  now.bands = answer.bands;
  if (!missing.anything() && !now.found.clips.some((each) => each.corrected)) {
    now.before[version] = { scores: answer.scores, clip };
  }
  $("scores").dataset.tookMs = Math.round(performance.now() - begun);
  render();
}

/** What the models said of the version as it was found; of a damaged copy, of the original. */
function before() {
  if (now.version === "damaged" && !missing.anything()) return now.before.original;
  return now.before[now.version];
}

function renderWords() {
  showWords($("said"), now.found, { chosen: now.clip, choose: chooseClip, correct, go: player.go });
}

/** Have the answer to another utterance explained. */
function chooseClip(clip) {
  now.clip = clip;
  renderWords();
  showMovements();
  ask();
}

function render() {
  const { found, scores, clip } = now;
  if (scores) showScores($("scores"), about, scores, before(), clip);
  const first = scores?.[0];
  const range = about.models[0].label_range;
  const parts = first?.contributions ? [...first.contributions.words, ...first.contributions.audio, ...first.contributions.vision] : [];
  line.show({
    duration_s: found.duration_s,
    clips: found.clips,
    bands: now.bands ?? found.bands,
    contributions: first?.contributions,
    most: Math.max(0.05 * (range[1] - range[0]), ...parts.map((p) => Math.abs(p.contribution))),
    answers: first?.clips,
    range,
  });
  colourWords($("said"), clip, first?.contributions, range);
  const warnings = [...found.warnings, ...unread(first, found)];
  $("odd").hidden = !warnings.length;
  $("warnings").replaceChildren(...warnings.map((text) => make("li", {}, text)));
}

async function correct(clip, words) {
  const { id, version } = now;
  const begun = performance.now();
  const found = await trying(() => api.correct(id, version, clip, words));
  if (!found || now?.id !== id) return;
  now.found = found;
  now.clip = clip;
  renderWords();
  showMovements();
  await ask();
  $("said").dataset.tookMs = Math.round(performance.now() - begun);
}

function chosen(stretch) {
  offerStretch(stretch, (span) => {
    missing.add(span);
    line.clear();
  });
}

const showChoice = () => showVersions(now, (version) => trying(() => change(version)));

async function change(version) {
  now.version = version;
  await load();
}

async function beginDamage(damages) {
  const { id } = now;
  form.busy(true);
  try {
    await trying(async () => {
      const versions = await damagedCopy(id, damages, () => now?.id === id);
      if (now?.id !== id) return;
      Object.assign(now, { versions, version: "damaged" });
      showChoice();
      await load();
    });
  } finally {
    $("progress").hidden = true;
    form.busy(false);
  }
}

$("delete").addEventListener("click", () =>
  trying(async () => {
    const { id } = now;
    $("delete").disabled = true;
    try {
      await api.remove(id);
    } finally {
      $("delete").disabled = false;
    }
    gone(id);
    $("file").focus();
  }),
);
$("cancel").addEventListener("click", () =>
  trying(async () => {
    if (sent) return sent.stop();
    if (!now) return hide();
    const { id } = now;
    gone(id);
    await api.remove(id);
  }),
);
player.onmove((time) => {
  line.move(time);
  markWords($("said"), time);
});
setInterval(() => {
  if (!now?.expires) return;
  const left = now.expires - Date.now();
  $("expires").textContent = left > 0 ? `Deleted by itself in ${Math.ceil(left / 60000)} min.` : "";
}, 1000);
// A file that misses the place for it would be opened instead of this page.
for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());

let form;

async function begin() {
  const said = new URLSearchParams(location.hash.slice(1));
  if (said.has("token")) {
    history.replaceState(null, "", location.pathname); // out of sight, and out of the history
    await api.login(said.get("token"));
  }
  about = await api.about();
  document.title = `lnln: ${about.models.map((m) => m.name).join(", ")}`;
  $("notices").replaceChildren(...about.models.filter((m) => m.notice).map((m) => make("li", {}, `${m.name}: ${m.notice}.`)));
  sending(about, take, problem);
  form = damageForm(about, beginDamage);
  showLegend();
  showVideos();
  if (said.has("video")) await follow(said.get("video"));
}

trying(begin);
