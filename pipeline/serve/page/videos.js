// Videos of this tab. What they are called never leaves it.

import { $, make } from "./dom.js";

const all = () => JSON.parse(sessionStorage.getItem("videos") ?? "[]");
const write = (videos) => sessionStorage.setItem("videos", JSON.stringify(videos));

export const add = (id, name) => write([...all().filter((video) => video.id !== id), { id, name }]);
export const drop = (id) => write(all().filter((video) => video.id !== id));

/** Show them, unless there is none but the one that is shown; `go` gets the one that is pressed. */
export function show(shown, go) {
  const videos = all();
  $("videos").hidden = videos.every((video) => video.id === shown);
  $("videos").replaceChildren(
    ...videos.map((video) =>
      make("button", { type: "button", "aria-pressed": String(video.id === shown), onclick: () => go(video.id) }, video.name),
    ),
  );
}
