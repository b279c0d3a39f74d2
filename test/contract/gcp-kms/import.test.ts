import {
  constants,
  createCipheriv,
  createHmac,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  sign,
} from "node:crypto";
import { describe, expect, it } from "vitest";
import { bytes, createKey, expectFailure, once, openSubject, present, RING } from "./subject.ts";

const { fake, kms } = await openSubject({ clock: { now: () => Date.UTC(2026, 0, 1) } });
const data = Buffer.from("attack at dawn");
const DAY_MS = 86_400_000;

type Method = "RSA_OAEP_3072_SHA256_AES_256" | "RSA_OAEP_3072_SHA256";

/** Makes a job and gives what wraps material for it. */
const openJob = async (
  importMethod: Method,
): Promise<{ readonly importJob: string; readonly wrap: (material: Buffer) => Buffer }> => {
  const importJobId = `j-${crypto.randomUUID()}`;
  const job = { importMethod, protectionLevel: "SOFTWARE" as const };
  const [made] = await kms.createImportJob({ parent: RING, importJobId, importJob: job }, once);
  expect(made).toMatchObject({ state: "PENDING_GENERATION", publicKey: null });
  const importJob = present(made.name);
  const [active] = await kms.getImportJob({ name: importJob }, once);
  expect(active).toMatchObject({ state: "ACTIVE", importMethod });
  const key = present(active.publicKey?.pem);
  const seal = (plain: Buffer): Buffer =>
    publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }, plain);
  const wrap = (material: Buffer): Buffer => {
    if (importMethod === "RSA_OAEP_3072_SHA256") return seal(material);
    const kek = randomBytes(32);
    const cipher = createCipheriv("id-aes256-wrap-pad", kek, Buffer.from("a65959a6", "hex"));
    return Buffer.concat([seal(kek), cipher.update(material), cipher.final()]);
  };
  return { importJob, wrap };
};

const HMAC = ["MAC", "HMAC_SHA256"] as const;
const forImports = { importOnly: true, skip: true, destroyScheduledDuration: { seconds: 86_400 } };

describe("imports into Cloud KMS", () => {
  it.for(["RSA_OAEP_3072_SHA256_AES_256", "RSA_OAEP_3072_SHA256"] as const)("%s brings a secret", async (method) => {
    const { importJob, wrap } = await openJob(method);
    const { name: parent, version: name } = await createKey(kms, HMAC, forImports);
    const material = randomBytes(32);
    const request = { parent, algorithm: HMAC[1], importJob, wrappedKey: wrap(material) };
    const [imported] = await kms.importCryptoKeyVersion(request, once);
    expect(imported).toMatchObject({ name, state: "PENDING_IMPORT", importJob });
    expect((await kms.getCryptoKeyVersion({ name }, once))[0]).toMatchObject({ state: "ENABLED", importJob });
    const [{ mac }] = await kms.macSign({ name, data }, once);
    expect(bytes(mac)).toStrictEqual(createHmac("sha256", material).update(data).digest());
  });

  it("a pair comes as PKCS#8, and an RSA one not under RSA alone", async () => {
    const { importJob, wrap } = await openJob("RSA_OAEP_3072_SHA256_AES_256");
    const { privateKey } = generateKeyPairSync("ed25519");
    const key = await createKey(kms, ["ASYMMETRIC_SIGN", "EC_SIGN_ED25519"], forImports);
    const wrappedKey = wrap(privateKey.export({ type: "pkcs8", format: "der" }));
    const request = { parent: key.name, algorithm: "EC_SIGN_ED25519", importJob, wrappedKey } as const;
    await kms.importCryptoKeyVersion(request, once);
    const [{ signature }] = await kms.asymmetricSign({ name: key.version, data }, once);
    expect(bytes(signature)).toStrictEqual(sign(null, data, privateKey));
    const direct = await openJob("RSA_OAEP_3072_SHA256");
    const algorithm = "RSA_SIGN_PSS_2048_SHA256" as const;
    const other = {
      parent: key.name,
      algorithm,
      importJob: direct.importJob,
      wrappedKey: direct.wrap(randomBytes(32)),
    };
    await expectFailure(kms.importCryptoKeyVersion(other, once), 3);
  });

  it("what cannot be unwrapped, or is no such key, ends as IMPORT_FAILED", async () => {
    const { importJob, wrap } = await openJob("RSA_OAEP_3072_SHA256_AES_256");
    const { name: parent } = await createKey(kms, HMAC, forImports);
    for (const wrappedKey of [randomBytes(500), wrap(randomBytes(31))]) {
      const request = { parent, algorithm: HMAC[1], importJob, wrappedKey };
      const [imported] = await kms.importCryptoKeyVersion(request, once);
      const name = present(imported.name);
      const [version] = await kms.getCryptoKeyVersion({ name }, once);
      expect(version).toMatchObject({ state: "IMPORT_FAILED", reimportEligible: true });
      expect(version.importFailureReason).not.toBe("");
      await expectFailure(kms.macSign({ name, data }, once), 9);
    }
  });

  it("a destroyed version takes the same material again and no other", async () => {
    const { importJob, wrap } = await openJob("RSA_OAEP_3072_SHA256_AES_256");
    const { name: parent, version: name } = await createKey(kms, HMAC, forImports);
    const material = randomBytes(32);
    const again = async (cryptoKeyVersion: string, secret: Buffer): Promise<unknown> =>
      await kms.importCryptoKeyVersion(
        { parent, cryptoKeyVersion, algorithm: HMAC[1], importJob, wrappedKey: wrap(secret) },
        once,
      );
    await again("", material);
    await expectFailure(again(name, material), 9);
    await kms.destroyCryptoKeyVersion({ name }, once);
    fake.advance(DAY_MS);
    const [destroyed] = await kms.getCryptoKeyVersion({ name }, once);
    expect(destroyed).toMatchObject({ state: "DESTROYED", reimportEligible: true });
    await again(name, randomBytes(32));
    expect((await kms.getCryptoKeyVersion({ name }, once))[0].state).toBe("IMPORT_FAILED");
    await again(name, material);
    expect((await kms.getCryptoKeyVersion({ name }, once))[0].state).toBe("ENABLED");
  });

  it("a job ends after three days, and an import-only key makes no version of its own", async () => {
    const { importJob, wrap } = await openJob("RSA_OAEP_3072_SHA256_AES_256");
    const { name: parent } = await createKey(kms, HMAC, forImports);
    await expectFailure(kms.createCryptoKeyVersion({ parent, cryptoKeyVersion: {} }, once), 9);
    const hsm = await createKey(kms, HMAC, {
      ...forImports,
      versionTemplate: { algorithm: HMAC[1], protectionLevel: "HSM" },
    });
    const request = { parent, algorithm: HMAC[1], importJob, wrappedKey: wrap(randomBytes(32)) };
    await expectFailure(kms.importCryptoKeyVersion({ ...request, parent: hsm.name }, once), 3);
    fake.advance(3 * DAY_MS);
    const [expired] = await kms.getImportJob({ name: importJob }, once);
    expect(expired).toMatchObject({ state: "EXPIRED", publicKey: null });
    await expectFailure(kms.importCryptoKeyVersion(request, once), 9);
  });
});
