// What is being done with a video.

import { $ } from "./dom.js";

/** Say it, and which share of it is done; null: not known. */
export function show(step, share = null, since = "") {
  $("progress").hidden = false;
  $("step").textContent = step;
  $("since").textContent = since;
  if (share === null) $("bar").removeAttribute("value");
  else $("bar").value = share;
}

/** Say where an upload is. */
export function tellStep(state) {
  const ahead = state.before;
  if (state.state === "waiting") show(`Waiting: ${ahead === 1 ? "one video is" : `${ahead} videos are`} before yours`);
  else show(state.step[0]?.toUpperCase() + state.step.slice(1), state.share, `for ${Math.round(state.step_s)} s`);
}
