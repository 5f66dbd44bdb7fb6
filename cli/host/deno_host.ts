import { BrokenPipe, folderOf, type Host, type Interrupt } from "./host.ts";

const encoder = new TextEncoder();

/** Windows has no signal that asks to terminate. */
const signals = (): readonly Interrupt[] =>
  Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];

/** The host under Deno. */
export const denoHost: Host = {
  get args() {
    return Deno.args;
  },
  get platform() {
    return Deno.build.os;
  },
  env: (name) => Deno.env.get(name),
  exit: (code) => Deno.exit(code),
  write(stream, text) {
    const bytes = encoder.encode(text);
    try {
      for (let written = 0; written < bytes.length;) {
        written += Deno[stream].writeSync(bytes.subarray(written));
      }
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) throw new BrokenPipe();
      throw error;
    }
  },
  isTerminal: (stream) => Deno[stream].isTerminal(),
  columns() {
    try {
      return Deno.consoleSize().columns || 80;
    } catch {
      // Not every terminal reports its size.
      return 80;
    }
  },
  rows() {
    try {
      return Deno.consoleSize().rows || 24;
    } catch {
      // Not every terminal reports its size.
      return 24;
    }
  },
  async readTextFile(path) {
    try {
      return await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  },
  async writeTextFile(path, text) {
    await Deno.mkdir(folderOf(path), { recursive: true, mode: 0o700 });
    // A link stays a link.
    const target = await Deno.realPath(path).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return path;
      throw error;
    });
    // Renamed into place, so that no reader sees a partial file.
    const half = `${target}.${crypto.randomUUID()}`;
    try {
      await Deno.writeTextFile(half, text, { mode: 0o600 });
      await Deno.rename(half, target);
    } catch (error) {
      await Deno.remove(half).catch(() => {});
      throw error;
    }
  },
  cwd: () => Deno.cwd(),
  async readPrivateFile(path) {
    try {
      // Node, which reads this file too, does not know `using`. The end of the stream closes the file.
      const file = await Deno.open(path);
      const { mode } = await file.stat();
      // Windows has no mode.
      const isExposed = mode !== null && Deno.build.os !== "windows" && (mode & 0o077) !== 0;
      return { text: await new Response(file.readable).text(), isExposed };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  },
  async createFile(path, text) {
    await Deno.mkdir(folderOf(path), { recursive: true, mode: 0o700 });
    try {
      await Deno.writeTextFile(path, text, { createNew: true, mode: 0o600 });
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      throw error;
    }
  },
  async removeFile(path) {
    try {
      await Deno.remove(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  },
  async writtenAt(path) {
    try {
      return (await Deno.stat(path)).mtime?.getTime();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  },
  async runShell(command, variables, timeoutMs) {
    const child = new Deno.Command("sh", {
      args: ["-c", command],
      env: { ...variables },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Programs that the shell has started keep its output open after its death.
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        child.kill("SIGKILL");
        resolve(undefined);
      }, timeoutMs);
    });
    try {
      const output = await Promise.race([child.output(), late]);
      return output && { code: output.code, out: new TextDecoder().decode(output.stdout) };
    } finally {
      clearTimeout(timer);
    }
  },
  async listFolder(path) {
    try {
      return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);
    } catch (error) {
      if (error instanceof Deno.errors.NotADirectory) return undefined;
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  },
  readStdin: () => new Response(Deno.stdin.readable).text(),
  async ask(question) {
    denoHost.write("stderr", question);
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(1_024);
    let line = "";
    while (!line.includes("\n")) {
      const read = await Deno.stdin.read(buffer);
      if (read === null) break;
      line += decoder.decode(buffer.subarray(0, read), { stream: true });
    }
    return line.trim();
  },
  onInterrupt(handler) {
    const stops = signals().map((signal) => {
      const listener = () => handler(signal);
      Deno.addSignalListener(signal, listener);
      return () => Deno.removeSignalListener(signal, listener);
    });
    return () => stops.forEach((stop) => stop());
  },
};
