import assert from "node:assert/strict";
import { away, failing, uiTest } from "./ui_world.ts";

uiTest("the overview says how to begin while nothing exists", async (world) => {
  const { status, text } = await world.page("/");
  assert.equal(status, 200);
  assert.match(text, /There are no environments/);
  assert.match(text, /mpctl env create/);
});

uiTest("the overview shows what failed in the place of what could not be read", async (world) => {
  world.answer = failing(away());
  const { status, text } = await world.page("/");
  assert.equal(status, 200);
  assert.match(text, /the server cannot be reached/);
});
