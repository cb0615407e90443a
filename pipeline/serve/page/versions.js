// Versions of a video: as it came, and a copy that was damaged.

import * as api from "./api.js";
import { $, make } from "./dom.js";
import { tellStep } from "./progress.js";

const LOOK_MS = 400; // between two looks at where the copy is
const NAMED = { original: "As it came", damaged: "Damaged copy" };

/** Let people choose between the versions that there are; `change` gets the one that is chosen. */
export function showVersions({ versions, version }, change) {
  $("versions").hidden = versions.length < 2;
  $("versions").replaceChildren(
    make("legend", { class: "unseen" }, "Version of the video"),
    ...versions.map((each) =>
      make("label", {}, make("input", { type: "radio", name: "version", value: each, checked: each === version, onchange: () => change(each) }), ` ${NAMED[each] ?? each}`),
    ),
  );
}

/** Have a copy damaged, and wait for it as long as `waiting` says; the versions there are then. */
export async function damagedCopy(id, damages, waiting) {
  let state = await api.damage(id, damages);
  while (state.damaging && waiting()) {
    tellStep({ ...state, state: state.step === "waiting" ? "waiting" : "working" });
    await new Promise((go) => setTimeout(go, LOOK_MS));
    state = await api.state(id);
  }
  if (state.error && waiting()) throw new api.Refused(state.error, 400, null);
  return state.versions;
}
