import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unsafeRevealSecret } from "#core/secret.ts";
import { Failure } from "#cli/failure.ts";
import { findSettings, type Settings, type SettingsInput } from "#cli/settings.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "claviger-settings-"));
  await mkdir(join(root, "home/.config/claviger"), { recursive: true });
  await mkdir(join(root, "cwd/data"), { recursive: true });
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const find = async (input: Partial<SettingsInput> = {}): Promise<Settings> =>
  await findSettings({ flags: {}, environment: {}, home: join(root, "home"), cwd: join(root, "cwd"), ...input });

async function write(path: string, content: unknown, mode = 0o600): Promise<string> {
  const file = join(root, path);
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  await chmod(file, mode);
  return file;
}
const profile = "home/.config/claviger/client.json";
const local = "cwd/data/client.json";

function apiKey({ credential }: Settings): string | undefined {
  return credential?.kind === "api-key" ? unsafeRevealSecret(credential.secret) : undefined;
}

async function failure(promise: Promise<unknown>): Promise<Failure> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Failure) return error;
  throw new Error("wanted a failure", { cause: error });
}

describe("where settings are found", () => {
  const environment = {
    CLAVIGER_ADDR: "https://environment:1",
    CLAVIGER_NAMESPACE: "environment",
    CLAVIGER_API_KEY: "environment",
  };

  it("a flag comes before the environment, that before the profile, that before ./data", async () => {
    await write(local, { address: "https://local:1", namespace: "local", apiKey: "local" });
    expect((await find()).address.hostname).toBe("local");
    await write(profile, { address: "https://profile:1", namespace: "profile", apiKey: "profile" });
    expect((await find()).address.hostname).toBe("profile");
    expect((await find({ environment })).address.hostname).toBe("environment");
    expect((await find({ environment, flags: { address: "https://flag:1" } })).address.hostname).toBe("flag");
  });

  it("each setting is found on its own", async () => {
    await write(local, { address: "https://local:1", apiKey: "local" });
    await write(profile, { namespace: "profile" });
    const settings = await find({ environment: { CLAVIGER_API_KEY: "environment" } });
    expect([settings.address.hostname, settings.namespace, apiKey(settings)]).toEqual([
      "local",
      "profile",
      "environment",
    ]);
  });

  it("files are left alone once nothing is missing", async () => {
    const cacert = await write("ca.pem", "PEM");
    await write(local, "not JSON");
    const settings = await find({ environment: { ...environment, CLAVIGER_CACERT: cacert } });
    expect(settings).toMatchObject({ cacert: "PEM", namespace: "environment" });
  });

  it("a certificate stands beside the file that names it", async () => {
    await write("cwd/data/ca.pem", "LOCAL PEM");
    await write(local, { address: "https://local:1", cacert: "ca.pem" });
    expect((await find()).cacert).toBe("LOCAL PEM");
  });

  it("an empty variable is as absent", async () => {
    await write(local, { address: "https://local:1" });
    expect((await find({ environment: { CLAVIGER_ADDR: "" } })).address.hostname).toBe("local");
  });

  it("an API key may stand in a file, with a line feed after it", async () => {
    const file = await write("key", "clv_sk_from-a-file\n");
    expect(apiKey(await find({ environment: { CLAVIGER_ADDR: "https://a", CLAVIGER_API_KEY_FILE: file } }))).toBe(
      "clv_sk_from-a-file",
    );
  });

  it("a client certificate takes both its halves", async () => {
    const [certificate, key] = [await write("c.pem", "CERT"), await write("k.pem", "KEY")];
    const halves = { CLAVIGER_ADDR: "https://a", CLAVIGER_CLIENT_CERT: certificate };
    const { credential } = await find({ environment: { ...halves, CLAVIGER_CLIENT_KEY: key } });
    expect(credential).toMatchObject({ kind: "certificate", certificate: "CERT" });
    expect((await failure(find({ environment: halves }))).exitCode).toBe(2);
  });

  it("no address at all is a mistake of use", async () => {
    expect((await failure(find())).exitCode).toBe(2);
  });
});

describe("what is refused", () => {
  it.for([0o640, 0o604, 0o644, 0o666])("a client file with a key and mode %o", async (mode) => {
    await write(local, { address: "https://local:1", apiKey: "local" }, mode);
    expect((await failure(find())).text.code).toBe("SECRET_EXPOSED");
  });

  it("an API key file or a private key that others may read", async () => {
    const file = await write("key", "clv_sk_x", 0o644);
    const environment = { CLAVIGER_ADDR: "https://a" };
    expect((await failure(find({ environment: { ...environment, CLAVIGER_API_KEY_FILE: file } }))).text.code).toBe(
      "SECRET_EXPOSED",
    );
    const halves = { ...environment, CLAVIGER_CLIENT_CERT: file, CLAVIGER_CLIENT_KEY: file };
    expect((await failure(find({ environment: halves }))).text.code).toBe("SECRET_EXPOSED");
  });

  it("a client file without a secret may be read by all", async () => {
    await write(local, { address: "https://local:1" }, 0o644);
    expect((await find()).address.hostname).toBe("local");
  });

  it("more than one credential in the environment", async () => {
    const environment = { CLAVIGER_ADDR: "https://a", CLAVIGER_API_KEY: "a", CLAVIGER_API_KEY_FILE: "b" };
    expect((await failure(find({ environment }))).exitCode).toBe(2);
  });

  it.for([
    "http://kms.example.com",
    "http://127.0.0.1.example.com",
    "ftp://127.0.0.1",
    "127.0.0.1:8443",
    "https://u:p@host",
    "https://host/?key=x",
  ])("the address %s", async (address) => {
    expect((await failure(find({ flags: { address } }))).exitCode).toBe(2);
  });

  it.for(["http://127.0.0.1:8443", "http://localhost:1", "http://[::1]:1", "https://kms.example.com/prefix"])(
    "not the address %s",
    async (address) => {
      expect((await find({ flags: { address } })).address.href).toContain(address);
    },
  );

  it("a broken client file, without quoting it", async () => {
    await write(local, '{"apiKey":"clv_sk_secret');
    const { text } = await failure(find());
    expect(text.code).toBe("MALFORMED_JSON");
    expect(JSON.stringify(text)).not.toContain("clv_sk_secret");
  });

  it("a credential that would be two headers, without quoting it", async () => {
    const { text } = await failure(
      find({ environment: { CLAVIGER_ADDR: "https://a", CLAVIGER_API_KEY: "clv\r\nX-Admin: 1" } }),
    );
    expect(text.code).toBe("UNAUTHENTICATED");
    expect(JSON.stringify(text)).not.toContain("X-Admin");
  });
});
