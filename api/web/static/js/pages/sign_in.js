/** Signing in with a key or a token; where one came from stands in the address, and only there. */

import { get, ApiError } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { openPage, errorBox } from "../base/page.js";
import { isSignedIn, signIn, signOut } from "../base/session.js";
import { t } from "../base/texts.js";
import texts from "../texts/sign_in.js";

openPage({ title: "sign_in.title", texts, draw });

function draw(main) {
  const told = h("div", null, isSignedIn() ? h("p", { class: "notice good" }, t("sign_in.is")) : null);
  const input = h("input", { id: "credential", type: "password", autocomplete: "off", spellcheck: "false", required: true });
  const form = h("form", { class: "card refusal", onsubmit: submit },
    h("h1", null, t("sign_in.title")),
    told,
    h("div", { class: "field" }, h("label", { for: "credential" }, t("sign_in.key")), input, h("p", { class: "hint" }, t("sign_in.hint"))),
    h("button", { type: "submit" }, t("sign_in")));
  replace(main, form);

  async function submit(event) {
    event.preventDefault();
    signIn(input.value);
    try {
      await get("/v1/session");
      location.assign(next());
    } catch (error) {
      signOut();
      replace(told, error instanceof ApiError && error.status === 401 ? h("p", { class: "notice bad", role: "alert" }, t("sign_in.wrong")) : errorBox(error));
    }
  }
}

/** Return the page the person came from: of this service only. */
function next() {
  const wanted = new URLSearchParams(location.search).get("then") ?? "/";
  return /^\/(?![/\\])/.test(wanted) ? wanted : "/";
}
