/** The graph of the repository's files, read by a parser: who imports, names and starts what. */
import { dirname, join, normalize } from "node:path";
import { parseSync } from "@swc/core";

export interface SourceFile {
  /** Path from the repository's root. */
  readonly path: string;
  readonly text: string;
}

/** One file as the rules see it. */
export interface Module {
  readonly path: string;
  /** What it imports: values, types, re-exports, dynamic imports, `require` and `reference`. */
  readonly imports: readonly Import[];
  /** Every other string, the fixed parts of templates included. */
  readonly strings: readonly string[];
  /** Dynamic imports and `require`s of what only the running program knows. */
  readonly computedImports: number;
  /** The ways in which it starts programs or workers, for instance `Deno.Command`. */
  readonly starts: readonly string[];
  readonly readsEnvironment: boolean;
}

export interface Import {
  readonly specifier: string;
  /** The imported file; undefined for packages. */
  readonly target: string | undefined;
}

/** The import map: aliases, and prefixes of aliases that end with a slash. */
export type Aliases = Readonly<Record<string, string>>;

/** What starts another program or a worker; the functions of `node:child_process` are added. */
const STARTERS = /(?:^|\.)(?:Deno\.Command|Worker)$/;

/** Reads one file. */
export function readModule({ path, text }: SourceFile, aliases: Aliases): Module {
  const specifiers: string[] = [...text.matchAll(REFERENCE)].map(([, file = ""]) =>
    file.startsWith(".") ? file : `./${file}`
  );
  const strings: string[] = [];
  const starts = new Set<string>();
  const childProcess = new Set<string>();
  let computedImports = 0;
  let readsEnvironment = false;

  const importOf = (argument: unknown) => {
    const literal = textOf(argument);
    if (literal === undefined) computedImports++;
    else specifiers.push(literal);
  };
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (!isNode(value)) {
      if (isRecord(value)) Object.values(value).forEach(visit);
      return;
    }
    const rest = { ...value };
    switch (value.type) {
      case "ImportDeclaration":
      case "ExportAllDeclaration":
      case "ExportNamedDeclaration": {
        if (!value["source"]) break;
        importOf(value["source"]);
        delete rest["source"];
        const specifier = textOf(value["source"]);
        if (specifier === "node:child_process") {
          for (const name of localNames(value)) childProcess.add(name);
        }
        if (specifier === "node:worker_threads" && localNames(value).includes("Worker")) {
          starts.add("Worker");
        }
        readsEnvironment ||= specifier === "node:process" && importsName(value, "env");
        break;
      }
      case "TsImportType":
        importOf(value["argument"]);
        delete rest["argument"];
        break;
      case "TsExternalModuleReference":
        importOf(value["expression"]);
        delete rest["expression"];
        break;
      case "CallExpression": {
        const [first] = value["arguments"] as readonly { expression: unknown }[];
        const callee = nameOf(value["callee"]);
        if (callee === "import" || callee === "require") {
          importOf(first?.expression);
          if (textOf(first?.expression) !== undefined) delete rest["arguments"];
        }
        if (
          /(?:^|\.)getBuiltinModule$/.test(callee) &&
          textOf(first?.expression) === "node:child_process"
        ) starts.add("node:child_process");
        if (childProcess.has(callee.split(".")[0] ?? "")) starts.add(callee);
        break;
      }
      case "NewExpression": {
        const callee = nameOf(value["callee"]);
        if (STARTERS.test(callee)) starts.add(callee);
        break;
      }
      case "MemberExpression":
        readsEnvironment ||= /(?:^|\.)(?:Deno|process)\.env$/.test(nameOf(value));
        break;
      case "VariableDeclarator":
        readsEnvironment ||= /(?:^|\.)(?:Deno|process)$/.test(nameOf(value["init"])) &&
          takesName(value["id"], "env");
        break;
      case "StringLiteral":
        strings.push(String(value["value"]));
        break;
      case "TemplateElement":
        strings.push(String(value["cooked"]));
        break;
    }
    Object.values(rest).forEach(visit);
  };
  visit(parseSync(text, { syntax: "typescript", tsx: path.endsWith("x"), target: "esnext" }).body);

  const imports = specifiers.map((specifier) => ({
    specifier,
    target: resolve(path, specifier, aliases),
  }));
  return { path, imports, strings, computedImports, starts: [...starts], readsEnvironment };
}

/** `/// <reference path="…" />`, a comment that imports. */
const REFERENCE = /^\s*\/\/\/\s*<reference\s+(?:path|types)\s*=\s*["']([^"']+)["']/gm;

function resolve(from: string, specifier: string, aliases: Aliases): string | undefined {
  if (specifier.startsWith(".")) return normalize(join(dirname(from), specifier));
  const exact = aliases[specifier];
  const prefix = Object.keys(aliases).find((key) => key.endsWith("/") && specifier.startsWith(key));
  const target = exact ?? (prefix && `${aliases[prefix]}${specifier.slice(prefix.length)}`);
  return target?.startsWith("./") ? normalize(target) : undefined;
}

/**
 * Every set of files that import each other, directly or by way of others: the strongly connected
 * components (Tarjan, "Depth-first search and linear graph algorithms") with more than one file, and
 * files that import themselves.
 */
export function cyclesOf(modules: readonly Module[]): readonly (readonly string[])[] {
  const targets = new Map(
    modules.map(({ path, imports }) =>
      [path, imports.flatMap(({ target }) => target ?? [])] as const
    ),
  );
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const cycles: string[][] = [];
  const lowest = (path: string, other: number) =>
    low.set(path, Math.min(low.get(path) ?? other, other));
  const connect = (path: string): void => {
    order.set(path, order.size);
    lowest(path, order.size - 1);
    open.push(path);
    const next = targets.get(path) ?? [];
    for (const target of next) {
      if (!targets.has(target)) continue;
      if (!order.has(target)) {
        connect(target);
        lowest(path, low.get(target)!);
      } else if (open.includes(target)) {
        lowest(path, order.get(target)!);
      }
    }
    if (low.get(path) !== order.get(path)) return;
    const component = open.splice(open.indexOf(path));
    if (component.length > 1 || next.includes(path)) cycles.push(component.sort());
  };
  for (const path of targets.keys()) if (!order.has(path)) connect(path);
  return cycles.sort();
}

interface Node {
  readonly type: string;
  [key: string]: unknown;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isNode(value: unknown): value is Node {
  return isRecord(value) && typeof value["type"] === "string";
}

/** The text of a string, or of a template without placeholders. */
function textOf(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === "StringLiteral") return String(value["value"]);
  const quasis = value.type === "TemplateLiteral" ? value["quasis"] : undefined;
  if (Array.isArray(quasis) && quasis.length === 1) return String(quasis[0].cooked);
}

/** `a.b.c` of an expression that is a path of names; "" for any other. */
function nameOf(value: unknown): string {
  if (!isNode(value)) return "";
  switch (value.type) {
    case "Import":
      return "import";
    case "Identifier":
      return String(value["value"]);
    case "Computed":
      return textOf(value["expression"]) ?? "";
    case "MemberExpression":
      return `${nameOf(value["object"])}.${nameOf(value["property"])}`;
    case "ParenthesisExpression":
      return nameOf(value["expression"]);
    default:
      return "";
  }
}

function specifiersOf(declaration: Node): readonly Node[] {
  const specifiers = declaration["specifiers"];
  return Array.isArray(specifiers) ? specifiers.filter(isNode) : [];
}

/** The names that an import declares in its file. */
function localNames(declaration: Node): readonly string[] {
  return specifiersOf(declaration).map((specifier) => nameOf(specifier["local"]));
}

/** Whether an import takes this name of its module, under whatever other name. */
function importsName(declaration: Node, name: string): boolean {
  return specifiersOf(declaration).some((specifier) =>
    nameOf(specifier["imported"] ?? specifier["local"]) === name
  );
}

/** Whether a destructuring pattern takes this property. */
function takesName(pattern: unknown, name: string): boolean {
  const properties = isNode(pattern) && pattern.type === "ObjectPattern" && pattern["properties"];
  return Array.isArray(properties) && properties.some(({ key }) => nameOf(key) === name);
}
