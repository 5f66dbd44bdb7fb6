import assert from "node:assert/strict";
import { parseSelector, selectorFilter, selects } from "./selector.ts";

const CASES: readonly (readonly [string, string, Record<string, string>, boolean])[] = [
  ["", "", {}, true],
  ["team=web", 'labels.team = "web"', { team: "web" }, true],
  ["team==web", 'labels.team = "web"', { team: "api" }, false],
  ["team!=web", 'labels.team != "web"', {}, true],
  ["team!=web", 'labels.team != "web"', { team: "web" }, false],
  ["team", 'labels:"team"', { team: "" }, true],
  ["team , tier=db", 'labels:"team" AND labels.tier = "db"', { team: "x", tier: "db" }, true],
  ["example.com/team=web", 'labels.example.com/team = "web"', {}, false],
  ["!team", 'NOT labels:"team"', {}, true],
  ["!team", 'NOT labels:"team"', { team: "" }, false],
  ["team in (a, b)", 'labels.team = "a" OR labels.team = "b"', { team: "b" }, true],
  ["team in (a)", 'labels.team = "a"', {}, false],
  ["team notin (a,b),x", 'labels.team != "a" AND labels.team != "b" AND labels:"x"', {
    x: "",
  }, true],
  ["team notin (a,b)", 'labels.team != "a" AND labels.team != "b"', { team: "a" }, false],
  [" ", "", {}, true],
  ["! team", 'NOT labels:"team"', {}, true],
  ["team=", 'labels.team = ""', { team: "" }, true],
  ["team=,x", 'labels.team = "" AND labels:"x"', { team: "a", x: "" }, false],
  ["team in (a,)", 'labels.team = "a" OR labels.team = ""', { team: "" }, true],
  ["team in()", 'labels.team = ""', { team: "x" }, false],
  ["in=notin", 'labels.in = "notin"', { in: "notin" }, true],
  ["a in (in,notin)", 'labels.a = "in" OR labels.a = "notin"', { a: "notin" }, true],
  ["constructor", 'labels:"constructor"', {}, false],
];

for (const [text, filter, labels, selected] of CASES) {
  Deno.test(
    `-l '${text}' is a filter, and ${selected ? "selects" : "does not select"} ${
      JSON.stringify(labels)
    }`,
    () => {
      const conditions = parseSelector(text);
      assert.equal(selectorFilter(conditions), filter);
      assert.equal(selects(conditions, labels), selected);
    },
  );
}

for (
  const text of [
    "=web",
    "a b",
    'team="web"',
    "team in a",
    "team in (a",
    "team of (a)",
    "!",
    ",team",
    "team,",
    "team,,tier",
    "team!=web;x",
    "!nope>",
    "team>3",
    "team<3",
    "team=>3",
    "team=a=b",
    "team=!a",
    "team=a b",
    "team=(a)",
    "team in (a))",
    "team in (a b)",
    "team in ((a))",
    "!team=web",
    "!!team",
    "-team",
    "team-",
    "Example.com/team",
    "a/b/c",
    "/team",
    "team/",
    "team=a/b",
    "team=*",
    "team=-a",
    `team=${"a".repeat(64)}`,
    `${"a".repeat(64)}=x`,
    "labels.team = web OR true",
    "team=web\u0000",
    "téam=web",
  ]
) {
  Deno.test(`-l '${text}' is rejected`, () => {
    assert.throws(() => parseSelector(text), /Cannot select by/);
  });
}
