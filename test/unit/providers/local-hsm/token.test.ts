import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Secret } from "#core/secret.ts";
import type { LocalHsmOptions } from "#providers/local-hsm/options.ts";
import { call } from "../../../conformance/provider/subject.ts";
import { editFile, filesOf, freshFolder, newKey, newWrap, objectPath, openLocal } from "./local.ts";

const passphrase = (text: string): Partial<LocalHsmOptions> => ({
  seal: { kind: "passphrase", passphrase: new Secret(text) },
});

describe("the folder of a software hsm", () => {
  it("is made at first use, for its owner alone", async () => {
    const local = await openLocal();
    const ref = await newKey(local, "AES-KWP");
    const modes = ["", "objects", `objects/${ref}`, "token.json", "master.key", `objects/${ref}/1.json`].map(
      (path) => statSync(join(local.folder, path)).mode & 0o777,
    );
    expect(modes.map((mode) => mode.toString(8))).toEqual(["700", "700", "700", "600", "600", "600"]);
    expect(filesOf(local, ref)).toEqual(["1.json"]);
  });

  it("keeps its identity and its keys when it is opened again, under another name and at another place", async () => {
    const dataFolder = freshFolder();
    const first = await openLocal({ dataFolder });
    const ref = await newKey(first, "AES-KWP");
    const made = await newWrap(first, ref);
    const identity = await first.provider.identify(call());
    symlinkSync(first.folder, join(dataFolder, "moved"));
    const second = await openLocal({ dataFolder, options: { folder: "moved" } });
    expect(await second.provider.identify(call())).toEqual(identity);
    expect((await second.provider.wrapper.unwrap(made, call())).value.equals(made.payload)).toBe(true);
  });

  it("shows no material in its files", async () => {
    const local = await openLocal();
    const ref = await newKey(local, "HMAC-SHA-256");
    const { meta, sealed } = JSON.parse(readFileSync(objectPath(local, ref, 1), "utf8")) as Record<string, unknown>;
    expect(sealed).toEqual(expect.stringMatching(/^[A-Za-z0-9+/]{54}==$/u)); // 40 bytes: KWP of 32
    expect(Object.keys(meta as object)).not.toContain("material");
  });

  it("keeps the master key where the configuration says", async () => {
    const dataFolder = freshFolder();
    const { folder } = await openLocal({ dataFolder, options: { seal: { kind: "file", file: "keys/hsm.key" } } });
    expect(readFileSync(join(dataFolder, "keys/hsm.key"))).toHaveLength(32);
    expect(existsSync(join(folder, "master.key"))).toBe(false);
  });

  it("is opened by two at once, who make one token", async () => {
    const dataFolder = freshFolder();
    const opened = await Promise.all(Array.from({ length: 6 }, async () => await openLocal({ dataFolder })));
    const identities = await Promise.all(opened.map(async ({ provider }) => await provider.identify(call())));
    expect(new Set(identities.map((identity) => JSON.stringify(identity))).size).toBe(1);
  });

  it("is opened by the passphrase that made it, and by no other", { timeout: 60_000 }, async () => {
    const dataFolder = freshFolder();
    const first = await openLocal({ dataFolder, options: passphrase("correct horse battery") });
    const made = await newWrap(first, await newKey(first, "AES-KWP"));
    const again = await openLocal({ dataFolder, options: passphrase("correct horse battery") });
    expect((await again.provider.wrapper.unwrap(made, call())).value.equals(made.payload)).toBe(true);
    const wrong = openLocal({ dataFolder, options: passphrase("correct horse batterx") });
    await expect(wrong).rejects.toThrow(`the master key is not the one that seals ${first.folder}`);
    await expect(openLocal({ dataFolder })).rejects.toThrow("is sealed by a passphrase, not by a file");
    expect(readFileSync(join(first.folder, "token.json"), "utf8")).not.toContain("horse");
  });
});

describe("a software hsm refuses to open, in one sentence,", () => {
  type Damage = { readonly name: string; readonly sentence: RegExp; readonly damage: (folder: string) => void };
  const flip = (text: string) =>
    text.replace(/"check":"./u, (start) => `${start.slice(0, -1)}${start.endsWith("0") ? "1" : "0"}`);
  it.each<Damage>([
    {
      name: "a master key file that others may read",
      sentence: /^the master key file .*master\.key may be read by others: chmod 600 it$/u,
      damage: (folder) => {
        chmodSync(join(folder, "master.key"), 0o640);
      },
    },
    {
      name: "a folder that others may write",
      sentence: /^the folder .* may be written by others: chmod 700 it$/u,
      damage: (folder) => {
        chmodSync(folder, 0o770);
      },
    },
    {
      name: "a missing master key file, and makes no new one",
      sentence: /^the master key file .*master\.key is missing: put it back$/u,
      damage: (folder) => {
        rmSync(join(folder, "master.key"));
      },
    },
    {
      name: "a short master key file",
      sentence: /^the master key file .*master\.key has 31 bytes, wanted 32$/u,
      damage: (folder) => {
        writeFileSync(join(folder, "master.key"), Buffer.alloc(31));
      },
    },
    {
      name: "another master key",
      sentence: /^the master key is not the one that seals /u,
      damage: (folder) => {
        writeFileSync(join(folder, "master.key"), Buffer.alloc(32));
      },
    },
    {
      name: "a token file that is not JSON",
      sentence: /^.*token\.json is damaged: put it back from a backup$/u,
      damage: (folder) => {
        writeFileSync(join(folder, "token.json"), "{");
      },
    },
    {
      name: "a token file with a member more",
      sentence: /^.*token\.json is damaged/u,
      damage: (folder) => {
        editFile(join(folder, "token.json"), (text) => text.replace("{", `{"extra":1,`));
      },
    },
    {
      name: "a token file whose check was edited",
      sentence: /^the master key is not the one/u,
      damage: (folder) => {
        editFile(join(folder, "token.json"), flip);
      },
    },
    {
      name: "keys without a token, of which it makes no new one",
      sentence: /^.*token\.json is missing beside keys: put it back$/u,
      damage: (folder) => {
        rmSync(join(folder, "token.json"));
      },
    },
    {
      name: "a file where the folder should be",
      sentence: /^the folder .*hsm cannot be made or opened$|^.*hsm is no folder$/u,
      damage: (folder) => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, "");
      },
    },
  ])("$name", async ({ sentence, damage }) => {
    const dataFolder = freshFolder();
    const local = await openLocal({ dataFolder });
    await newKey(local, "AES-KWP");
    damage(local.folder);
    await expect(openLocal({ dataFolder })).rejects.toThrow(sentence);
  });

  it("a folder that cannot be made", async () => {
    const dataFolder = freshFolder();
    writeFileSync(join(dataFolder, "file"), "");
    await expect(openLocal({ dataFolder, options: { folder: "file/hsm" } })).rejects.toThrow(
      /^the folder .*file\/hsm cannot be made or opened$/u,
    );
  });

  it("but goes on where only the master key was made before a crash", async () => {
    const dataFolder = freshFolder();
    mkdirSync(join(dataFolder, "hsm"), { mode: 0o700 });
    writeFileSync(join(dataFolder, "hsm/master.key"), Buffer.alloc(32, 7), { mode: 0o600 });
    const { provider } = await openLocal({ dataFolder });
    expect((await provider.identify(call())).uid).toMatch(/^local-hsm:/u);
  });
});
