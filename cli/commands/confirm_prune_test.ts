import assert from "node:assert/strict";
import { confirmPrune } from "./confirm_prune.ts";

/** Asks about a name, or several. @returns what was printed, what was asked, and the result */
async function asked(names: readonly string[], answer: string, interactive = true) {
  const printed: string[] = [];
  const questions: string[] = [];
  const confirmed = await confirmPrune({
    terminal: { interactive, err: (text) => printed.push(text) },
    host: {
      ask: (question) => {
        questions.push(question);
        return Promise.resolve(answer);
      },
    },
  }, names);
  return { printed: printed.join(""), questions, confirmed };
}

Deno.test("confirmPrune() lists what would be deleted, and only 'y' or 'yes' confirms it", async () => {
  const names = ["environments/a", "environments/b"];
  for (const [answer, confirmed] of [["y", true], ["Yes\n", true], ["", false], ["no", false]]) {
    assert.deepEqual(await asked(names, String(answer)), {
      printed: "- environments/a\n- environments/b\n",
      questions: ["Delete these 2 resources, which no file contains? [y/N] "],
      confirmed,
    });
  }
});

Deno.test("confirmPrune() asks nothing without a terminal, and where nothing is deleted", async () => {
  const silent = { printed: "", questions: [], confirmed: true };
  assert.deepEqual(await asked(["environments/a"], "n", false), silent);
  assert.deepEqual(await asked([], "n"), silent);
});
