import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PinMemory } from "#providers/pkcs11/pin-memory.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pin-memory-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("a PIN that was refused", () => {
  it("is refused here from then on, over restarts, until it is another one", async () => {
    const file = join(folder, "deep", "hsm.pin-refused");
    await new PinMemory(file, "token 1234").require();
    await new PinMemory(file, "token 1234").note(0xa0);
    await expect(new PinMemory(file, "token 1234").require()).rejects.toMatchObject({ code: 0xa0 });
    await new PinMemory(file, "token 5678").require();
    await new PinMemory(file, "token 5678").forget();
    await new PinMemory(file, "token 1234").require();
  });

  it("is not written down", async () => {
    const file = join(folder, "hsm.pin-refused");
    await new PinMemory(file, "token 1234").note(0xa4);
    expect(await readFile(file, "utf8")).toMatch(/^164 [0-9a-f]{32} [0-9a-f]{64}\n$/u);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});
