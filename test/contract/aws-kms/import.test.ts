import {
  constants,
  createCipheriv,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  publicEncrypt,
  randomBytes,
  verify,
} from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { openAwsKmsFake } from "../../fakes/aws-kms/fake.ts";
import { contract, createClient, createKey, expectFailure, onFake, openSubject, present } from "./subject.ts";

const kms = await openSubject();
type Kms = typeof kms;
type Wrapping = "RSAES_OAEP_SHA_1" | "RSAES_OAEP_SHA_256" | "RSA_AES_KEY_WRAP_SHA_1" | "RSA_AES_KEY_WRAP_SHA_256";
type More = Partial<Parameters<Kms["importKeyMaterial"]>[0]>;

const Plaintext = Buffer.from("attack at dawn");
const forever: More = { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" };
const external = { Origin: "EXTERNAL" } as const;

/** What a caller does with its material before an import. */
const wrap = (key: KeyObject, algorithm: Wrapping, material: Buffer): Buffer => {
  const oaepHash = algorithm.endsWith("SHA_1") ? "sha1" : "sha256";
  const seal = (bytes: Buffer): Buffer =>
    publicEncrypt({ key, oaepHash, padding: constants.RSA_PKCS1_OAEP_PADDING }, bytes);
  if (algorithm.startsWith("RSAES")) return seal(material);
  const kek = randomBytes(32);
  const cipher = createCipheriv("id-aes256-wrap-pad", kek, Buffer.from("a65959a6", "hex")); // RFC 5649
  return Buffer.concat([seal(kek), cipher.update(material), cipher.final()]);
};

const bring = async (
  client: Kms,
  KeyId: string,
  material: Buffer,
  { WrappingAlgorithm = "RSAES_OAEP_SHA_256", ...more }: More & { readonly WrappingAlgorithm?: Wrapping } = forever,
): Promise<{ readonly KeyMaterialId?: string | undefined }> => {
  const offer = await client.getParametersForImport({ KeyId, WrappingAlgorithm, WrappingKeySpec: "RSA_2048" });
  const der = Buffer.from(present(offer.PublicKey));
  const EncryptedKeyMaterial = wrap(
    createPublicKey({ key: der, format: "der", type: "spki" }),
    WrappingAlgorithm,
    material,
  );
  return await client.importKeyMaterial({ KeyId, ImportToken: offer.ImportToken, EncryptedKeyMaterial, ...more });
};

const stateOf = async (client: Kms, KeyId: string): Promise<string | undefined> =>
  (await client.describeKey({ KeyId })).KeyMetadata?.KeyState;

describe("AWS KMS import", () => {
  contract("an EXTERNAL key waits for its material", async () => {
    const { id: KeyId, arn } = await createKey(kms, external);
    expect((await kms.describeKey({ KeyId })).KeyMetadata).toMatchObject({
      KeyState: "PendingImport",
      Enabled: false,
      Origin: "EXTERNAL",
    });
    const call = kms.encrypt({ KeyId, Plaintext });
    await expectFailure(call, "KMSInvalidStateException", `${arn} is pending import.`);
  });

  for (const hash of ["SHA_1", "SHA_256"] as const) {
    contract(`32 bytes under RSAES_OAEP_${hash} enable the key`, async () => {
      const { id: KeyId } = await createKey(kms, external);
      await bring(kms, KeyId, randomBytes(32), { ...forever, WrappingAlgorithm: `RSAES_OAEP_${hash}` });
      expect((await kms.describeKey({ KeyId })).KeyMetadata).toMatchObject({
        KeyState: "Enabled",
        ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
      });
      const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext });
      expect(Buffer.from(present((await kms.decrypt({ KeyId, CiphertextBlob })).Plaintext))).toStrictEqual(Plaintext);
    });

    contract(`32 bytes under RSA_AES_KEY_WRAP_${hash} enable the key`, async () => {
      const { id: KeyId } = await createKey(kms, external);
      await bring(kms, KeyId, randomBytes(32), { ...forever, WrappingAlgorithm: `RSA_AES_KEY_WRAP_${hash}` });
      expect(await stateOf(kms, KeyId)).toBe("Enabled");
    });
  }

  contract("an imported HMAC key makes the MACs of node:crypto", async () => {
    const { id: KeyId } = await createKey(kms, { ...external, KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
    const material = randomBytes(32);
    await bring(kms, KeyId, material);
    const { Mac } = await kms.generateMac({ KeyId, Message: Plaintext, MacAlgorithm: "HMAC_SHA_256" });
    const expected = createHmac("sha256", material).update(Plaintext).digest();
    expect(Buffer.from(present(Mac))).toStrictEqual(expected);
  });

  contract("an imported P-256 key signs as itself", async () => {
    const { id: KeyId } = await createKey(kms, { ...external, KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    const pair = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const material = pair.privateKey.export({ type: "pkcs8", format: "der" });
    await bring(kms, KeyId, material, { ...forever, WrappingAlgorithm: "RSA_AES_KEY_WRAP_SHA_256" });
    const { Signature } = await kms.sign({ KeyId, Message: Plaintext, SigningAlgorithm: "ECDSA_SHA_256" });
    expect(verify("sha256", Plaintext, pair.publicKey, present(Signature))).toBe(true);
    const { PublicKey } = await kms.getPublicKey({ KeyId });
    const ours = pair.publicKey.export({ type: "spki", format: "der" });
    expect(Buffer.from(present(PublicKey))).toStrictEqual(ours);
  });

  contract("deleted material is missing until the same is brought again", async () => {
    const { id: KeyId } = await createKey(kms, external);
    const material = randomBytes(32);
    await bring(kms, KeyId, material);
    const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext });
    await kms.deleteImportedKeyMaterial({ KeyId });
    expect(await stateOf(kms, KeyId)).toBe("PendingImport");
    await expectFailure(kms.decrypt({ KeyId, CiphertextBlob }), "KMSInvalidStateException");
    await bring(kms, KeyId, material);
    expect(Buffer.from(present((await kms.decrypt({ KeyId, CiphertextBlob })).Plaintext))).toStrictEqual(Plaintext);
  });

  contract("other material than before is refused", async () => {
    const { id: KeyId } = await createKey(kms, external);
    await bring(kms, KeyId, randomBytes(32));
    await kms.deleteImportedKeyMaterial({ KeyId });
    await expectFailure(bring(kms, KeyId, randomBytes(32)), "IncorrectKeyMaterialException");
    expect(await stateOf(kms, KeyId)).toBe("PendingImport");
  });

  contract("material of another length is refused", async () => {
    const { id: KeyId } = await createKey(kms, external);
    await expectFailure(bring(kms, KeyId, randomBytes(31)), "IncorrectKeyMaterialException");
  });

  contract("garbage in place of wrapped material is refused", async () => {
    const { id: KeyId } = await createKey(kms, external);
    const call = bring(kms, KeyId, randomBytes(32), { ...forever, EncryptedKeyMaterial: randomBytes(256) });
    await expectFailure(call, "InvalidCiphertextException");
  });

  contract("a token serves one key only", async () => {
    const [key, other] = [await createKey(kms, external), await createKey(kms, external)];
    const offer = await kms.getParametersForImport({
      KeyId: other.id,
      WrappingAlgorithm: "RSAES_OAEP_SHA_256",
      WrappingKeySpec: "RSA_2048",
    });
    const call = bring(kms, key.id, randomBytes(32), { ...forever, ImportToken: offer.ImportToken });
    await expectFailure(call, "InvalidImportTokenException");
  });

  contract("material that expires needs a date", async () => {
    const { id: KeyId } = await createKey(kms, external);
    const message = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES";
    await expectFailure(bring(kms, KeyId, randomBytes(32), {}), "ValidationException", message);
  });

  contract("a key of AWS's own material takes no import", async () => {
    const { id: KeyId, arn } = await createKey(kms);
    await expectFailure(
      bring(kms, KeyId, randomBytes(32)),
      "UnsupportedOperationException",
      `${arn} origin is AWS_KMS which is not valid for this operation.`,
    );
  });

  contract("an EXTERNAL key does not rotate by itself", async () => {
    const { id: KeyId, arn } = await createKey(kms, external);
    await bring(kms, KeyId, randomBytes(32));
    const call = kms.enableKeyRotation({ KeyId });
    const message = `${arn} origin is EXTERNAL which is not valid for this operation.`;
    await expectFailure(call, "UnsupportedOperationException", message);
  });

  contract("new material of a symmetric key waits for the rotation on demand", async () => {
    const { id: KeyId } = await createKey(kms, external);
    const first = await bring(kms, KeyId, randomBytes(32));
    const old = await kms.encrypt({ KeyId, Plaintext });
    const ImportType = "NEW_KEY_MATERIAL";
    const second = await bring(kms, KeyId, randomBytes(32), { ...forever, ImportType, KeyMaterialDescription: "two" });
    await expectFailure(bring(kms, KeyId, randomBytes(32), { ...forever, ImportType }), "KMSInvalidStateException");
    const states = async (): Promise<unknown> => {
      const listed = await kms.listKeyRotations({ KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL" });
      return listed.Rotations?.map((each) => [each.KeyMaterialId, each.KeyMaterialState, each.ImportState]);
    };
    expect(await states()).toStrictEqual([
      [first.KeyMaterialId, "CURRENT", "IMPORTED"],
      [second.KeyMaterialId, "PENDING_ROTATION", "IMPORTED"],
    ]);
    await kms.rotateKeyOnDemand({ KeyId });
    await kms.deleteImportedKeyMaterial({ KeyId, KeyMaterialId: present(first.KeyMaterialId) });
    expect(await states()).toStrictEqual([
      [first.KeyMaterialId, "NON_CURRENT", "PENDING_IMPORT"],
      [second.KeyMaterialId, "CURRENT", "IMPORTED"],
    ]);
    const call = kms.decrypt({ KeyId, CiphertextBlob: old.CiphertextBlob });
    await expectFailure(call, "KMSInvalidStateException");
  });

  contract("a rotation on demand needs material that waits", async () => {
    const { id: KeyId, arn } = await createKey(kms, external);
    await bring(kms, KeyId, randomBytes(32));
    const message = `No available key material pending rotation for the key: ${arn}.`;
    await expectFailure(kms.rotateKeyOnDemand({ KeyId }), "KMSInvalidStateException", message);
  });
});

describe.runIf(onFake)("dates of imported material in the AWS KMS fake", async () => {
  const fake = await openAwsKmsFake({ clock: { now: () => Date.UTC(2026, 0, 1) } });
  const own = createClient(fake.endpoint);
  afterAll(async () => {
    own.destroy();
    await fake[Symbol.asyncDispose]();
  });

  it("material expires at its date, with fractions of a second", async () => {
    const { id: KeyId } = await createKey(own, external);
    const ValidTo = new Date(Date.UTC(2026, 0, 1) + 1_500);
    await bring(own, KeyId, randomBytes(32), { ExpirationModel: "KEY_MATERIAL_EXPIRES", ValidTo });
    expect((await own.describeKey({ KeyId })).KeyMetadata).toMatchObject({ KeyState: "Enabled", ValidTo });
    fake.advance(1_499);
    await own.encrypt({ KeyId, Plaintext });
    fake.advance(1);
    expect(await stateOf(own, KeyId)).toBe("PendingImport");
  });

  it("a token lasts a day", async () => {
    const { id: KeyId } = await createKey(own, external);
    const parameters = { KeyId, WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048" } as const;
    const { ImportToken } = await own.getParametersForImport(parameters);
    fake.advance(86_400_000);
    const call = bring(own, KeyId, randomBytes(32), { ...forever, ImportToken });
    await expectFailure(call, "ExpiredImportTokenException");
  });
});
