import type process from "node:process";
import { BrokenPipe, folderOf, type Host } from "./host.ts";

/** Node's `process`, unused under Deno. */
const node = () => Reflect.get(globalThis, "process") as typeof process;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

const files = () => node().getBuiltinModule("node:fs");

/** The host under Node. */
export const nodeHost: Host = {
  get args() {
    return node().argv.slice(2);
  },
  get platform() {
    return node().platform === "win32" ? "windows" : node().platform;
  },
  env: (name) => node().env[name],
  exit: (code) => node().exit(code),
  write(stream, text) {
    try {
      const descriptor = stream === "stdout" ? 1 : 2;
      const bytes = new TextEncoder().encode(text);
      for (let written = 0; written < bytes.length;) {
        written += files().writeSync(descriptor, bytes, written);
      }
    } catch (error) {
      if (codeOf(error) === "EPIPE") throw new BrokenPipe();
      throw error;
    }
  },
  isTerminal: (stream) => node()[stream].isTTY === true,
  columns: () => node().stderr.columns || 80,
  rows: () => node().stderr.rows || 24,
  async readTextFile(path) {
    try {
      return await files().promises.readFile(path, "utf8");
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  },
  async writeTextFile(path, text) {
    const { mkdir, realpath, rename, rm, writeFile } = files().promises;
    await mkdir(folderOf(path), { recursive: true, mode: 0o700 });
    // A link stays a link.
    const target = await realpath(path).catch((error) => {
      if (codeOf(error) === "ENOENT") return path;
      throw error;
    });
    // Renamed into place, so that no reader sees a partial file.
    const half = `${target}.${crypto.randomUUID()}`;
    try {
      await writeFile(half, text, { mode: 0o600 });
      await rename(half, target);
    } catch (error) {
      await rm(half, { force: true });
      throw error;
    }
  },
  cwd: () => node().cwd(),
  async readPrivateFile(path) {
    try {
      const file = await files().promises.open(path);
      try {
        const { mode } = await file.stat();
        const isExposed = node().platform !== "win32" && (mode & 0o077) !== 0;
        return { text: await file.readFile("utf8"), isExposed };
      } finally {
        await file.close();
      }
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  },
  async createFile(path, text) {
    const { mkdir, writeFile } = files().promises;
    await mkdir(folderOf(path), { recursive: true, mode: 0o700 });
    try {
      await writeFile(path, text, { flag: "wx", mode: 0o600 });
      return true;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      throw error;
    }
  },
  removeFile: (path) => files().promises.rm(path, { force: true }),
  async writtenAt(path) {
    try {
      return (await files().promises.stat(path)).mtimeMs;
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  },
  runShell(command, variables, timeoutMs) {
    const { spawn } = node().getBuiltinModule("node:child_process");
    return new Promise((resolve, reject) => {
      const child = spawn("sh", ["-c", command], {
        env: { ...node().env, ...variables },
        stdio: ["ignore", "pipe", "inherit"],
      });
      let out = "";
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        resolve(undefined);
      }, timeoutMs);
      child.stdout.setEncoding("utf8").on("data", (text: string) => out += text);
      child.on("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      child.on("close", (code) => {
        clearTimeout(timer);
        resolve({ code: code ?? 1, out });
      });
    });
  },
  async listFolder(path) {
    try {
      return await files().promises.readdir(path);
    } catch (error) {
      if (["ENOTDIR", "ENOENT"].includes(codeOf(error))) return undefined;
      throw error;
    }
  },
  async readStdin() {
    const chunks: string[] = [];
    node().stdin.setEncoding("utf8");
    for await (const chunk of node().stdin) chunks.push(String(chunk));
    return chunks.join("");
  },
  async ask(question) {
    const { createInterface } = node().getBuiltinModule("node:readline/promises");
    const lines = createInterface({ input: node().stdin, output: node().stderr });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  },
  onInterrupt(handler) {
    const listener = (signal: string) => handler(signal === "SIGINT" ? "SIGINT" : "SIGTERM");
    for (const signal of SIGNALS) node().on(signal, listener);
    return () => {
      for (const signal of SIGNALS) node().off(signal, listener);
    };
  },
};

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
