/** Answers about the grid, each asked for once until the ledger moves; what is still being computed is waited for. */

import { ApiError, get, getWhenReady } from "../base/api.js";
import { say } from "../base/page.js";
import { t } from "../base/texts.js";

const POLL_MS = 20_000;

/** @returns {{ask: function(string): Promise<any>, forget: function(): void}} */
export function openData() {
  let kept = new Map();
  return {
    ask(path) {
      if (!kept.has(path)) {
        const answer = getWhenReady(path, { onWait: () => say(t("computing")) });
        const mine = kept;
        answer.catch(() => mine.delete(path));
        kept.set(path, answer);
      }
      return kept.get(path);
    },
    forget() {
      kept = new Map();
    },
  };
}

/**
 * Look, while the page is seen, whether the ledger or the network moved.
 * @param {Object} grid answer of `/v1/grid` the page began with
 * @param {function(Object): void} onMove
 */
export function watchGrid(grid, onMove) {
  let last = grid;
  setInterval(look, POLL_MS);
  document.addEventListener("visibilitychange", look);

  async function look() {
    if (document.hidden) return;
    try {
      const now = await get("/v1/grid");
      if (now.ledger_seq === last.ledger_seq && now.snapshot_sha256 === last.snapshot_sha256) return;
      last = now;
      onMove(now);
    } catch (error) {
      /* being computed, or away for a moment: the next look tells */
      if (!(error instanceof ApiError) && !(error instanceof TypeError)) throw error;
    }
  }
}
