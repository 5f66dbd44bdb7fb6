import { BrokenPipe, type Host, type Interrupt } from "./host.ts";

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
    const folder = path.replace(/[/\\][^/\\]*$/, "");
    if (folder !== path) await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
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
