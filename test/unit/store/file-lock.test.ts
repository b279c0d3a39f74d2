import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { holdFile } from "#store/file-lock.ts";

const MODULE = new URL("../../../src/store/file-lock.ts", import.meta.url).href;

describe("a file that is held", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "claviger-lock-"));
    path = join(folder, "lock");
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it("is nobody else's until it is let go", () => {
    const first = holdFile(path);
    expect(first).toBeDefined();
    expect(holdFile(path)).toBeUndefined();
    first?.[Symbol.dispose]();
    using second = holdFile(path);
    expect(second).toBeDefined();
  });

  it("has mode 0600", async () => {
    using _ = holdFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("is free as soon as the process that held it is killed", async () => {
    const script = `const { holdFile } = await import(${JSON.stringify(MODULE)});
      globalThis.held = holdFile(${JSON.stringify(path)});
      console.log("held");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    expect(holdFile(path)).toBeUndefined();
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    using held = holdFile(path);
    expect(held).toBeDefined();
  });

  it("that cannot be made is told", () => {
    expect(() => holdFile(join(folder, "none", "lock"))).toThrow("directory does not exist");
  });
});
