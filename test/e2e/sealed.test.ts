import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { get } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsKmsFake, openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";
import { Gateway } from "./live-gateway.ts";
import { awsLine, BRISK, configOf } from "./two-providers.ts";
import { createKey, decrypt, encrypt } from "./use-keys.ts";

type Sealed = { readonly child: ChildProcess; readonly port: number; readonly starting: Promise<Gateway> };

describe("a gateway whose only provider is away when it starts", { timeout: 60_000 }, () => {
  let fake: AwsKmsFake;
  let folder: DataFolder;
  let config: string;
  let ciphertext: string;

  beforeAll(async () => {
    fake = await openAwsKmsFake();
    folder = await openDataFolder();
    config = configOf({ providers: [awsLine("aws", fake)], minimum: 1, resilience: BRISK });
    await using gateway = await Gateway.start({ data: folder.path, config });
    await createKey(gateway, { name: "orders" });
    ({ ciphertext } = await encrypt(gateway, "orders", "before"));
    await gateway.stop();
    await fake.stop();
  }, 120_000);
  afterAll(async () => {
    await folder[Symbol.asyncDispose]();
    await fake[Symbol.asyncDispose]();
  });

  /** Starts one and waits until it says where it listens while it serves nothing. */
  async function startSealed(): Promise<Sealed> {
    const { promise, resolve } = Promise.withResolvers<Omit<Sealed, "starting">>();
    let output = "";
    const onSpawn = (child: ChildProcess): void => {
      child.stderr?.on("data", (text: string) => {
        output += text;
        const port = /SEALED: no provider opens .* listens on 127\.0\.0\.1:(\d+)/u.exec(output)?.[1];
        if (port !== undefined) resolve({ child, port: Number(port) });
      });
    };
    const starting = Gateway.start({ data: folder.path, config, onSpawn });
    starting.catch(() => undefined); // told by whoever waits for it
    const sealed = await Promise.race([promise, starting.then(() => undefined)]);
    if (sealed === undefined) throw new Error("it serves without its provider");
    return { ...sealed, starting };
  }

  async function ask({ port }: Sealed, path: string): Promise<{ readonly status: number; readonly body: unknown }> {
    const ca = await readFile(join(folder.path, "ca.pem"), "utf8");
    const [response] = await once(get({ host: "127.0.0.1", port, path, ca, agent: false }), "response");
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown };
  }

  it("is sealed, and ends when it is told to", async () => {
    const sealed = await startSealed();
    expect(await ask(sealed, "/healthz")).toMatchObject({ status: 200, body: { status: "ok" } });
    expect(await ask(sealed, "/readyz")).toEqual({ status: 503, body: { ready: false, because: ["sealed"] } });
    expect(await ask(sealed, "/v1/keys")).toMatchObject({ status: 503, body: { code: "SEALED", retry: "later" } });
    sealed.child.kill("SIGTERM");
    await expect(sealed.starting).rejects.toThrow("did not start");
    expect(sealed.child.exitCode).toBe(0);
  });

  it("serves as soon as the provider is back", async () => {
    const sealed = await startSealed();
    await fake.start();
    await using gateway = await sealed.starting;
    expect((await decrypt(gateway, ciphertext)).text).toBe("before");
  });

  it("serves as soon as the provider is there, from the first start on", async () => {
    await fake.stop();
    await using empty = await openDataFolder();
    let output = "";
    const waiting = Promise.withResolvers<void>();
    const onSpawn = (child: ChildProcess): void => {
      child.stderr?.on("data", (text: string) => {
        output += text;
        if (output.includes("SEALED: no provider can hold the root key")) waiting.resolve();
      });
    };
    const starting = Gateway.start({ data: empty.path, config, onSpawn });
    await Promise.race([waiting.promise, starting]);
    await fake.start();
    await using gateway = await starting;
    await createKey(gateway, { name: "orders" });
    expect((await encrypt(gateway, "orders", "x")).keyVersion).toBe(1);
  });
});
