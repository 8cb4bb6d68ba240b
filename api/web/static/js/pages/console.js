/** The engineer's map: what every node can still carry, what binds it, and who was promised what. */

import { getWhenReady } from "../base/api.js";
import { replace } from "../base/dom.js";
import { openPage, progressBar } from "../base/page.js";
import { t } from "../base/texts.js";
import { runConsole } from "../parts/console_view.js";
import texts from "../texts/console.js";

openPage({ title: "console.title", texts, roles: ["engineer", "planner"], wide: true, draw });

async function draw(main) {
  const bar = progressBar(t("loading"));
  replace(main, bar.node);
  const grid = await getWhenReady("/v1/grid", { onWait: () => bar.set(0, 0, t("computing")) });
  await runConsole(main, grid);
}
