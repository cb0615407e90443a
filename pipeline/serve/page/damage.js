// Damage to a copy of the video itself: everything is measured anew.

import { $, make } from "./dom.js";

const SAID = {
  noise: "White noise", pink_noise: "Pink noise", music: "Music", clipping: "Clipping", band_limit: "A narrow line",
  black: "Black picture", frozen: "Frozen picture", blur: "Blur", low_light: "Low light", covered_face: "Covered face",
};
const FIRST = { noise: 0, pink_noise: 0, music: 0, clipping: 0.3, band_limit: 2000, black: 0.5, frozen: 0.5, blur: 0.03, low_light: 4, covered_face: 0.5 };

/** The form; `begin` gets the damages by name. */
export function damageForm(about, begin) {
  const form = $("damage");
  const kind = make("select", { id: "kind" }, ...about.damages.map((d) => make("option", { value: d.name }, SAID[d.name] ?? d.name)));
  const severity = make("input", { id: "severity", type: "number", required: true });
  const unit = make("span", { class: "hint", id: "unit" });
  const button = make("button", { type: "submit", id: "do-damage" }, "Damage a copy and look again");
  const chosen = () => about.damages.find((d) => d.name === kind.value);
  const adjust = () => {
    const damage = chosen();
    severity.min = damage.least;
    severity.max = damage.most;
    severity.step = "any";
    severity.value = FIRST[damage.name] ?? damage.least;
    unit.textContent = `${damage.severity}, ${damage.unit} (${damage.least} to ${damage.most})`;
  };
  kind.addEventListener("change", adjust);
  adjust();
  form.replaceChildren(
    make("p", { class: "hint" }, "Noise, a black picture and the like are done to a copy of the file. Words, voice and face are then measured anew in it."),
    make("p", {}, make("label", { for: "kind" }, "Damage "), kind, " ", make("label", { for: "severity" }, "how much "), severity),
    make("p", {}, unit),
    make("p", {}, button),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin({ [kind.value]: Number(severity.value) });
  });
  return { busy: (is) => (button.disabled = is) };
}
