import assert from "node:assert/strict";
import { ParsedDocuments } from "./parsed_documents.ts";

const body = (labels: Record<string, string>) => JSON.stringify({ name: "a", labels });

Deno.test("ParsedDocuments: a document that is read again is parsed once more, then shared", () => {
  const documents = new ParsedDocuments<{ name: string; labels: Record<string, string> }>();
  const first = documents.parse("a", body({ team: "web" }));
  first.labels["team"] = "own";
  const second = documents.parse("a", body({ team: "web" }));
  assert.deepEqual(second, { name: "a", labels: { team: "web" } });
  assert.equal(documents.parse("a", body({ team: "web" })), second);
  assert.throws(() => second.labels["team"] = "own", TypeError);
});

Deno.test("ParsedDocuments: a changed text is parsed, also if it changes back", () => {
  const documents = new ParsedDocuments<{ name: string }>();
  for (const team of ["web", "web", "data", "web", "web", "web"]) {
    assert.deepEqual(documents.parse("a", body({ team })), { name: "a", labels: { team } });
  }
});

Deno.test("ParsedDocuments: a damaged text is refused each time", () => {
  const documents = new ParsedDocuments<{ name: string }>();
  for (let i = 0; i < 3; i++) assert.throws(() => documents.parse("a", '{"name":'), SyntaxError);
});
