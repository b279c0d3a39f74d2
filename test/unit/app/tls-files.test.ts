import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readClientAuthorities } from "#app/client-authorities.ts";
import { type FollowOptions, followTlsFiles } from "#app/follow-tls-files.ts";
import { TlsFiles } from "#app/tls-files.ts";
import type { Tls } from "#http/server.ts";
import { ManualTime } from "../../conformance/manual-time.ts";
import { createAuthority, issue } from "../../fakes/client-certificates.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "claviger-tls-files-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("the files of a listener's certificates", () => {
  /** Files of which one is followed; `tick` lets a second pass. */
  async function follow(text: string) {
    const path = join(folder, "server.pem");
    await writeFile(path, text);
    const seen = {
      renewed: [] as string[],
      told: [] as string[],
      read: text as string | Error,
      due: [] as (() => void)[],
    };
    const files = new TlsFiles({
      paths: [path],
      read: async () => {
        if (seen.read instanceof Error) throw seen.read;
        return await Promise.resolve({ certificate: seen.read, key: "" });
      },
      renew: ({ certificate }: Tls) => {
        if (certificate === "refused") throw new Error("the key is too small");
        seen.renewed.push(certificate);
      },
      scheduler: {
        after: (_ms, run) => {
          seen.due.push(run);
          return { [Symbol.dispose]: () => undefined };
        },
      },
      log: {
        info: (_fields, message) => seen.told.push(message),
        error: (_fields, message) => seen.told.push(message),
      },
    });
    await files.start();
    const tick = async (): Promise<void> => {
      const count = seen.due.length;
      seen.due.at(-1)?.();
      await expect.poll(() => seen.due.length, { interval: 1 }).toBe(count + 1);
    };
    const replace = async (next: string): Promise<void> => {
      await writeFile(`${path}.new`, next);
      await rename(`${path}.new`, path);
    };
    return { seen, files, tick, replace };
  }

  it("are read again when one has changed, and only then", async () => {
    const { seen, files, tick, replace } = await follow("one");
    await tick();
    expect(seen.renewed).toEqual([]);
    seen.read = "two";
    await replace("two");
    await tick();
    await tick();
    expect([seen.renewed, seen.told]).toEqual([["two"], ["the certificates of the listener were read again"]]);
    await files[Symbol.asyncDispose]();
  });

  it.for([
    { name: "cannot be read", read: new Error("listen.tls: no key"), reason: "listen.tls: no key" },
    { name: "are not taken", read: "refused", reason: "the key is too small" },
  ])("change nothing when they $name, are told once, and taken when they are mended", async ({ read, reason }) => {
    const { seen, files, tick, replace } = await follow("one");
    seen.read = read;
    await replace("broken");
    await tick();
    await tick();
    expect(seen.told).toEqual([`TLS_NOT_RELOADED: the certificates before go on to be used: ${reason}`]);
    expect(seen.renewed).toEqual([]);
    seen.read = "mended";
    await replace("mended");
    await tick();
    expect(seen.renewed).toEqual(["mended"]);
    await files[Symbol.asyncDispose]();
  });

  it("are read whenever somebody asks, and no more after the end", async () => {
    const { seen, files } = await follow("one");
    await files.reload();
    expect(seen.renewed).toEqual(["one"]);
    await files[Symbol.asyncDispose]();
    await files.reload();
    expect(seen.renewed).toEqual(["one"]);
  });
});

describe("what a listener does for its certificates", () => {
  const HALF_DAY_MS = 12 * 3_600_000;
  const settle = async (): Promise<void> => {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  };

  async function listen(renewFiles: FollowOptions["renewFiles"]) {
    const time = new ManualTime();
    const seen = { renewed: 0, told: [] as string[], reload: () => undefined as void, listening: true };
    const followed = await followTlsFiles({
      server: { renew: () => void (seen.renewed += 1) },
      scheduler: time.sources.scheduler,
      log: { info: () => undefined, error: (_fields, message) => seen.told.push(message) },
      paths: [],
      read: async () => await Promise.resolve({ certificate: "", key: "" }),
      onReload: (listener) => {
        seen.reload = listener;
        return { [Symbol.dispose]: () => (seen.listening = false) };
      },
      renewFiles,
    });
    return { time, seen, followed };
  }

  it("is to make them anew in time, where they are of the local authority", async () => {
    let made = 0;
    const { time, seen, followed } = await listen(async () => {
      made += 1;
      if (made === 1) throw new Error("the disk is full");
      return await Promise.resolve();
    });
    time.advance(HALF_DAY_MS - 1);
    await settle();
    expect(made).toBe(0);
    time.advance(1);
    await settle();
    expect([made, seen.told]).toEqual([
      1,
      ["TLS_NOT_RENEWED: renewing the certificate failed, and is tried again: the disk is full"],
    ]);
    time.advance(HALF_DAY_MS);
    await settle();
    expect([made, seen.told.length]).toEqual([2, 1]);
    await followed[Symbol.asyncDispose]();
  });

  it("is to read them when it is told to, until it ends", async () => {
    const { seen, followed } = await listen(undefined);
    seen.reload();
    await expect.poll(() => seen.renewed).toBe(1);
    await followed[Symbol.asyncDispose]();
    expect(seen.listening).toBe(false);
  });
});

describe("a bundle of client authorities", () => {
  const bundle = async (text: string): Promise<string> => {
    const path = join(folder, "clients.pem");
    await writeFile(path, text);
    return await readClientAuthorities(path);
  };

  it("is every certificate of the file, whatever stands between them", async () => {
    const [one, two] = [await createAuthority("CN=One"), await createAuthority("CN=Two")];
    const read = await bundle(`# one\n${one.certificate}\n\n# two\n${two.certificate}\n`);
    expect(read).toBe(`${one.certificate.trim()}\n${two.certificate.trim()}\n`);
  });

  it("is refused where it holds none, or one that is no authority", async () => {
    const authority = await createAuthority();
    const { cert } = await issue(authority);
    await expect(bundle("")).rejects.toThrow("has no certificate in PEM");
    await expect(bundle(`${authority.certificate}\n${cert}`)).rejects.toThrow("certificate 2 of");
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    await expect(bundle(broken)).rejects.toThrow("is not that of an authority");
    await expect(readClientAuthorities(join(folder, "nothing.pem"))).rejects.toThrow("cannot be read (ENOENT)");
  });
});
