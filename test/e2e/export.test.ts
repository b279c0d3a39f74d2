import {
  constants,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  privateDecrypt,
  sign,
  verify,
} from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsKmsFake, openAwsKmsFake } from "../fakes/aws-kms/fake.ts";
import { Estate } from "./estate.ts";
import { awsLine } from "./two-providers.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 3072 });
const spki = publicKey.export({ format: "der", type: "spki" });
const wrappingKey = spki.toString("base64");
const HSM = { kind: "native", provider: "hsm" };
let aws: AwsKmsFake;
let estate: Estate;
beforeAll(async () => {
  aws = await openAwsKmsFake();
  estate = await Estate.create(`
providers:
  hsm: { kind: local-hsm, failureDomain: hsm }
  ${awsLine("aws", aws)}
listen: { port: 0, insecureHttp: true }
`);
}, 60_000);
afterAll(async () => {
  await estate[Symbol.asyncDispose]();
  await aws[Symbol.asyncDispose]();
}, 60_000);

/** What the private half of the wrapping key gets out of an answer. */
function opened({ wrapped }: Record<string, unknown>): Buffer {
  const bytes = Buffer.from(String(wrapped), "base64");
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const kek = privateDecrypt({ key: privateKey, padding, oaepHash: "sha256" }, bytes.subarray(0, 384));
  const decipher = createDecipheriv("id-aes256-wrap-pad", kek, Buffer.from("a65959a6", "hex"));
  return Buffer.concat([decipher.update(bytes.subarray(384)), decipher.final()]);
}

async function extractable(name: string, more: object): Promise<void> {
  const exportability = { extractable: true };
  await estate.succeed("POST", "/v1/keys", { name, custody: HSM, exportability, ...more });
}

describe("an extractable key", () => {
  it("leaves wrapped, version by version, and does outside what it does inside", async () => {
    await extractable("tokens", { purpose: "mac" });
    await estate.succeed("POST", "/v1/keys/tokens/rotate");
    const macs: string[] = [];
    for (const version of [1, 2]) {
      const answer = await estate.succeed("POST", "/v1/keys/tokens/export", { wrappingKey, version });
      expect(answer).toMatchObject({ keyVersion: version, provider: "hsm", wrappingAlgorithm: "RSA-AES-KWP-SHA256" });
      macs.push(createHmac("sha256", opened(answer)).update("a message").digest("base64"));
    }
    const message = Buffer.from("a message").toString("base64");
    expect(await estate.succeed("POST", "/v1/keys/tokens/mac", { message })).toMatchObject({ mac: macs[1] });
    expect(macs[0]).not.toBe(macs[1]);
    for (const [index, mac] of macs.entries())
      expect(await estate.succeed("POST", `/v1/keys/tokens@${index + 1}/verify-mac`, { message, mac })).toMatchObject({
        valid: true,
      });
  });

  it("signs outside what its public half inside verifies", async () => {
    await extractable("releases", { purpose: "sign", algorithm: "EC-P256-SHA256" });
    const answer = await estate.succeed("POST", "/v1/keys/releases/export", { wrappingKey, reason: "a move" });
    const key = createPrivateKey({ key: opened(answer), format: "der", type: "pkcs8" });
    const message = Buffer.from("what is released");
    const signature = sign("sha256", message, key).toString("base64");
    const { pem } = await estate.succeed("GET", "/v1/keys/releases/public-key");
    expect(verify("sha256", message, String(pem), Buffer.from(signature, "base64"))).toBe(true);
    expect(
      await estate.succeed("POST", "/v1/keys/releases/verify", { message: message.toString("base64"), signature }),
    ).toMatchObject({ valid: true });
  });

  it("tells of it in its history, its trail and its exposure, and never shows the bytes there", async () => {
    await extractable("told", { purpose: "mac" });
    const before = await estate.succeed("GET", "/v1/keys/told/exposure");
    expect(JSON.stringify(before)).not.toContain("export-holder");
    const answer = await estate.succeed("POST", "/v1/keys/told/export", { wrappingKey, reason: "to the other site" });
    const fingerprint = createHash("sha256").update(spki).digest("hex");
    expect(answer["wrappingKeySha256"]).toBe(fingerprint);
    const { items } = await estate.succeed("GET", "/v1/keys/told/history");
    expect((items as object[]).at(-1)).toMatchObject({
      action: "export",
      reason: "to the other site",
      detail: `wrapped under the key with SHA-256 ${fingerprint}`,
    });
    const after = await estate.succeed("GET", "/v1/keys/told/exposure");
    expect(after["relations"]).toContainEqual(
      expect.objectContaining({ entity: "export-holder", relation: "possess", standing: "yes" }),
    );
    const erasable = "destroying the key makes every copy of it worthless, backups included";
    expect([before["mayBeSaid"], after["mayNotBeSaid"]]).toEqual([
      expect.arrayContaining([erasable]),
      expect.arrayContaining([erasable]),
    ]);
    const trail = await estate.succeed("GET", `/v1/audit?key=${String(answer["keyId"])}&operation=keys.export`);
    expect((trail["items"] as object[]).map((item) => (item as { outcome: string }).outcome)).toEqual(["ok", "begun"]);
    expect(await estate.filesWith(String(answer["wrapped"]).slice(0, 40))).toEqual([]);
    expect(await estate.filesWith(opened(answer).toString("base64").slice(0, 20))).toEqual([]);
  });
});

describe("an export is refused", () => {
  const refused = async (name: string, body: object): Promise<unknown> => {
    const { status, body: problem } = await estate.ask("POST", `/v1/keys/${name}/export`, body);
    return { status, code: problem["code"], errors: problem["errors"] };
  };

  it("of a key that was not made extractable, and of a portable one", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "staying", purpose: "mac", custody: HSM });
    await estate.succeed("POST", "/v1/keys", { name: "portable", exportability: { extractable: true } });
    expect(await refused("staying", { wrappingKey })).toMatchObject({ status: 409, code: "ILLEGAL_TRANSITION" });
    expect(await refused("portable", { wrappingKey })).toMatchObject({ status: 422, code: "UNSUPPORTED_COMBINATION" });
  });

  it("under what is no RSA public key of 2048 bits or more, and of a version that is not there", async () => {
    await extractable("asked", { purpose: "mac" });
    const curve = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
    const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey;
    for (const key of [curve, short]) {
      const bytes = key.export({ format: "der", type: "spki" }).toString("base64");
      expect(await refused("asked", { wrappingKey: bytes })).toMatchObject({
        status: 400,
        code: "INVALID_ARGUMENT",
        errors: [{ pointer: "/wrappingKey" }],
      });
    }
    expect(await refused("asked", { wrappingKey, version: 7 })).toMatchObject({ code: "VERSION_NOT_USABLE" });
    expect(await refused("asked", {})).toMatchObject({ status: 400, errors: [{ pointer: "/wrappingKey" }] });
  });

  it("of a suspended key", async () => {
    await extractable("held", { purpose: "mac" });
    await estate.succeed("POST", "/v1/keys/held/suspend", { reason: "hold", processing: "deny" });
    expect(await refused("held", { wrappingKey })).toMatchObject({ status: 409, code: "KEY_NOT_ACTIVE" });
  });

  it("before anything is made, where no provider could ever give the key", async () => {
    const { status, body } = await estate.ask("POST", "/v1/keys", {
      name: "nowhere",
      purpose: "mac",
      custody: { kind: "native", provider: "aws" },
      exportability: { extractable: true },
    });
    expect({ status, code: body["code"] }).toEqual({ status: 422, code: "UNSUPPORTED_COMBINATION" });
    expect(body["detail"]).toContain("aws: it does not export HMAC-SHA-256");
    expect(body["help"]).toContain("hsm");
    expect((await estate.ask("GET", "/v1/keys/nowhere")).status).toBe(404);
  });
});
