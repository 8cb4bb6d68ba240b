/** The frame around every page: what the person may open, language, signing in and out, messages read out aloud. */

import { get, ApiError } from "./api.js";
import { h, replace } from "./dom.js";
import { isSignedIn, signOut, takeFromAddress } from "./session.js";
import { addTexts, getLanguage, setLanguage, t, told } from "./texts.js";

const ANYONE = { subject_id: "anonymous", roles: ["public"] };
const LINKS = [
  { path: "/", text: "nav.map", roles: null },
  { path: "/apply", text: "nav.apply", roles: ["customer", "engineer"] },
  { path: "/cases", text: "nav.cases", roles: ["customer"] },
  { path: "/console", text: "nav.console", roles: ["engineer", "planner"] },
  { path: "/console/queue", text: "nav.queue", roles: ["engineer"] },
  { path: "/console/projects", text: "nav.projects", roles: ["planner", "engineer"] },
  { path: "/console/import", text: "nav.import", roles: ["engineer", "planner", "operator"] },
  { path: "/operator", text: "nav.operator", roles: ["operator"] },
];

/**
 * Draw the frame and hand the page its place.
 * @param {{title: string, texts: Object, roles?: string[]|null, wide?: boolean,
 *   draw: function(HTMLElement, {subject_id: string, roles: string[]}): (void|Promise<void>)}} page
 *   `title` is a key of `texts`; `roles`: who may use it, null for anyone; `wide`: the page fills the window (maps).
 */
export async function openPage({ title, texts, roles = null, wide = false, draw }) {
  addTexts(texts);
  takeFromAddress();
  document.documentElement.lang = getLanguage() === "zh" ? "zh-CN" : "en";
  document.title = `${t(title)} · gridscheme`;
  const main = h("main", { id: "main", tabindex: "-1", class: wide ? "wide" : "narrow" });
  const status = h("div", { id: "status", role: "status", "aria-live": "polite" });
  let who = ANYONE;
  let failure = null;
  try {
    who = await whoAmI();
  } catch (error) {
    failure = error;
  }
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#main" }, t("skip")),
    header(who),
    main,
    status,
  );
  if (failure !== null) {
    replace(main, h("h1", null, t(title)), errorBox(failure));
    return;
  }
  if (roles !== null && !roles.some((role) => who.roles.includes(role))) {
    replace(main, refusal(title, roles));
    return;
  }
  try {
    await draw(main, who);
  } catch (error) {
    main.append(errorBox(error));
    if (!(error instanceof ApiError)) throw error;
  }
}

/** Return what the service knows of the person: `{subject_id, roles}`; anyone where the credential is not taken. */
async function whoAmI() {
  try {
    return await get("/v1/session");
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    signOut();
    return ANYONE;
  }
}

function header(who) {
  const here = location.pathname;
  const may = (link) => link.roles === null || link.roles.some((role) => who.roles.includes(role));
  const links = LINKS.filter(may).map(({ path, text }) =>
    h("li", null, h("a", { href: path, "aria-current": here === path ? "page" : null }, t(text))));
  const other = getLanguage() === "zh" ? "en" : "zh";
  return h("header", { class: "top" },
    h("a", { class: "brand", href: "/" }, h("span", { class: "mark", "aria-hidden": "true" }), "gridscheme"),
    h("nav", { "aria-label": t("nav.label") }, h("ul", null, links)),
    h("div", { class: "who" },
      isSignedIn() ? h("span", { class: "name" }, who.roles.filter((role) => role !== "public").map((role) => told("role", role)).join(" · ")) : null,
      isSignedIn()
        ? h("button", { type: "button", class: "plain", onclick: leave }, t("sign_out"))
        : h("a", { href: `/sign-in?then=${encodeURIComponent(here + location.search)}` }, t("sign_in")),
      h("button", { type: "button", class: "plain", lang: other === "en" ? "en" : "zh-CN", onclick: () => setLanguage(other) },
        t(`language.${other}`)),
    ),
  );
}

function leave() {
  signOut();
  location.assign("/");
}

function refusal(title, roles) {
  return h("section", { class: "card refusal" },
    h("h1", null, t(title)),
    h("p", null, t("needs_role", { roles: roles.map((role) => told("role", role)).join(t("or")) })),
    h("p", null, h("a", { class: "button", href: `/sign-in?then=${encodeURIComponent(location.pathname + location.search)}` }, t("sign_in"))),
  );
}

/** Return a box that says what went wrong: title, field, value and what is allowed, as the service told it. */
export function errorBox(error) {
  if (!(error instanceof ApiError)) return h("div", { class: "notice bad", role: "alert" }, t("broken"));
  const problem = { ...error.problem.context, ...error.problem };
  const parts = ["field", "value", "allowed"].filter((name) => problem[name] !== undefined && problem[name] !== null)
    .map((name) => h("div", null, h("dt", null, t(`problem.${name}`)), h("dd", null, String(problem[name]))));
  const single = (problem.errors ?? []).map((one) => h("li", null,
    [one.field ?? (one.loc ?? []).join("."), one.message ?? one.title ?? one.msg, one.allowed].filter(Boolean).join(" · ")));
  return h("div", { class: "notice bad", role: "alert" },
    h("strong", null, told("problem", error.code ?? error.status) === String(error.code ?? error.status)
      ? problem.title ?? t("refused", { status: error.status }) : told("problem", error.code ?? error.status)),
    parts.length > 0 ? h("dl", { class: "facts" }, parts) : null,
    single.length > 0 ? h("ul", null, single) : null,
  );
}

/** Say something to everybody, also to who does not see the page. */
export function say(text) {
  const status = document.getElementById("status");
  replace(status, h("p", { class: "toast" }, text));
  clearTimeout(say.timer);
  say.timer = setTimeout(() => replace(status), 6_000);
}

/** Return a bar of progress; `set(done, total, text)` moves it, without numbers it only shows that work goes on. */
export function progressBar(label) {
  const bar = h("progress", { "aria-label": label });
  const text = h("p", { class: "quiet", "aria-live": "polite" }, label);
  const node = h("div", { class: "progress" }, text, bar);
  return {
    node,
    set(done, total, what) {
      if (total) {
        bar.max = total;
        bar.value = done;
      }
      text.textContent = what ?? label;
    },
  };
}
