/** A place for one file, dropped or chosen; what cannot be read is refused before it is sent. */

import { h, replace } from "../base/dom.js";
import { addTexts, number, t } from "../base/texts.js";
import texts from "../texts/jobs.js";

addTexts(texts);

const MIB = 2 ** 20;

/**
 * Return the box. `onFile` is given the file and the media type its ending stands for.
 * @param {{label: string, hint?: string, mediaTypes: Object<string, string>, limitMib: number,
 *   onFile: function(File, string): void}} options `mediaTypes`: by ending, with the dot.
 */
export function fileBox({ label, hint, mediaTypes, limitMib, onFile }) {
  const formats = Object.keys(mediaTypes).join(", ");
  const told = h("div", { "aria-live": "polite" });
  const input = h("input", { type: "file", class: "visually-hidden", "aria-label": label, accept: formats, onchange: () => take(input.files) });
  const box = h("div", { class: "file-box", ondragover: over, ondragleave: leave, ondrop: drop },
    h("p", { class: "label-text" }, label),
    h("p", null, t("file.drop"), " ", h("button", { type: "button", class: "second", onclick: () => input.click() }, t("file.choose"))),
    input,
    h("p", { class: "quiet" }, t("file.formats", { formats }), hint ? h("span", null, " · ", hint) : null),
    told);
  return box;

  function over(event) {
    event.preventDefault();
    box.classList.add("over");
  }

  function leave() {
    box.classList.remove("over");
  }

  function drop(event) {
    event.preventDefault();
    leave();
    take(event.dataTransfer.files);
  }

  function take(files) {
    const [file] = files;
    input.value = "";
    if (file === undefined) return;
    const ending = Object.keys(mediaTypes).find((one) => file.name.toLowerCase().endsWith(one));
    const wrong = ending === undefined ? t("file.unknown", { name: file.name, formats })
      : file.size > limitMib * MIB ? t("file.too_large", { name: file.name, size_mib: number(file.size / MIB, 1), limit_mib: limitMib }) : null;
    replace(told, wrong ? h("p", { class: "notice bad", role: "alert" }, wrong) : null);
    if (wrong === null) onFile(file, mediaTypes[ending]);
  }
}

/** Return a file's name without ending, as the service takes it: letters, digits, `_` and `-`. */
export function plainName(file, otherwise) {
  const plain = file.name.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 64);
  return /[A-Za-z0-9]/.test(plain) ? plain : otherwise;
}
