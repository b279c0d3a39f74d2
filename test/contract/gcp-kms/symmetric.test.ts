import { describe, expect, it } from "vitest";
import {
  bytes,
  createKey,
  expectFailure,
  expectSum,
  flip,
  once,
  openSubject,
  RING,
  sum,
  SYMMETRIC,
} from "./subject.ts";

const { kms } = await openSubject();
const plaintext = Buffer.from("attack at dawn");
const aad = Buffer.from("context");

const FAILED = "Decryption failed: verify that 'ciphertext' and 'additional_authenticated_data' are correct.";

describe("Encrypt and Decrypt of Cloud KMS", () => {
  it("round trip with checksums both ways, and name the version", async () => {
    const { name, version } = await createKey(kms, SYMMETRIC);
    const [sealed] = await kms.encrypt(
      {
        name,
        plaintext,
        plaintextCrc32c: sum(plaintext),
        additionalAuthenticatedData: aad,
        additionalAuthenticatedDataCrc32c: sum(aad),
      },
      once,
    );
    expect(sealed).toMatchObject({
      name: version,
      verifiedPlaintextCrc32c: true,
      verifiedAdditionalAuthenticatedDataCrc32c: true,
      protectionLevel: "SOFTWARE",
    });
    expectSum(sealed.ciphertext, sealed.ciphertextCrc32c);
    const ciphertext = bytes(sealed.ciphertext);
    const [opened] = await kms.decrypt(
      { name, ciphertext, ciphertextCrc32c: sum(ciphertext), additionalAuthenticatedData: aad },
      once,
    );
    expect(bytes(opened.plaintext)).toStrictEqual(plaintext);
    expectSum(opened.plaintext, opened.plaintextCrc32c);
    expect(opened).toMatchObject({ usedPrimary: true, protectionLevel: "SOFTWARE" });
  });

  it("say that no checksum was verified where none was sent", async () => {
    const { name } = await createKey(kms, SYMMETRIC);
    const [sealed] = await kms.encrypt({ name, plaintext }, once);
    expect(sealed).toMatchObject({
      verifiedPlaintextCrc32c: false,
      verifiedAdditionalAuthenticatedDataCrc32c: false,
    });
  });

  it("refuse bytes that do not match their checksum, by the name of the field", async () => {
    const { name } = await createKey(kms, SYMMETRIC);
    await expectFailure(
      kms.encrypt({ name, plaintext, plaintextCrc32c: sum(aad) }, once),
      3,
      "The checksum in field plaintext_crc32c did not match the data in field plaintext.",
    );
    await expectFailure(
      kms.decrypt({ name, ciphertext: plaintext, ciphertextCrc32c: sum(aad) }, once),
      3,
      "The checksum in field ciphertext_crc32c did not match the data in field ciphertext.",
    );
  });

  it("refuse wrong additional data and any changed byte with one text", async () => {
    const { name } = await createKey(kms, SYMMETRIC);
    const [sealed] = await kms.encrypt({ name, plaintext, additionalAuthenticatedData: aad }, once);
    const ciphertext = bytes(sealed.ciphertext);
    await expectFailure(kms.decrypt({ name, ciphertext }, once), 3, FAILED);
    const changed = flip(ciphertext, ciphertext.length - 1);
    await expectFailure(kms.decrypt({ name, ciphertext: changed, additionalAuthenticatedData: aad }, once), 3, FAILED);
  });

  it("tell a ciphertext of another key from what never was one", async () => {
    const [mine, other] = [await createKey(kms, SYMMETRIC), await createKey(kms, SYMMETRIC)];
    const [sealed] = await kms.encrypt({ name: other.name, plaintext }, once);
    await expectFailure(
      kms.decrypt({ name: mine.name, ciphertext: bytes(sealed.ciphertext) }, once),
      3,
      "Decryption failed: verify that 'name' refers to the correct CryptoKey.",
    );
    await expectFailure(
      kms.decrypt({ name: mine.name, ciphertext: plaintext }, once),
      3,
      "Decryption failed: the ciphertext is invalid.",
    );
  });

  it("decrypt with a version that is primary no longer", async () => {
    const { name, version } = await createKey(kms, SYMMETRIC);
    const [sealed] = await kms.encrypt({ name, plaintext }, once);
    await kms.createCryptoKeyVersion({ parent: name, cryptoKeyVersion: {} }, once);
    const [key] = await kms.updateCryptoKeyPrimaryVersion({ name, cryptoKeyVersionId: "2" }, once);
    expect(key.primary?.name).toBe(`${name}/cryptoKeyVersions/2`);
    const [opened] = await kms.decrypt({ name, ciphertext: bytes(sealed.ciphertext) }, once);
    expect(opened.usedPrimary).toBe(false);
    const [again] = await kms.encrypt({ name, plaintext }, once);
    expect(again.name).toBe(`${name}/cryptoKeyVersions/2`);
    const [named] = await kms.encrypt({ name: version, plaintext }, once);
    expect(named.name).toBe(version);
  });

  it.for([
    ["SOFTWARE", 65_536, 65_536, true],
    ["SOFTWARE", 65_537, 0, false],
    ["SOFTWARE", 0, 65_537, false],
    ["HSM", 8_000, 192, true],
    ["HSM", 8_000, 193, false],
  ] as const)("%s takes %i and %i bytes: %s", async ([protectionLevel, size, aadSize, fits]) => {
    const versionTemplate = { algorithm: SYMMETRIC[1], protectionLevel };
    const { name } = await createKey(kms, SYMMETRIC, { versionTemplate });
    const call = kms.encrypt(
      { name, plaintext: Buffer.alloc(size), additionalAuthenticatedData: Buffer.alloc(aadSize) },
      once,
    );
    if (fits) expect((await call)[0].protectionLevel).toBe(protectionLevel);
    else await expectFailure(call, 3);
  });

  it("need a key of their purpose, with a primary version", async () => {
    const mac = await createKey(kms, ["MAC", "HMAC_SHA256"]);
    await expectFailure(kms.encrypt({ name: mac.name, plaintext }, once), 9);
    const bare = await createKey(kms, SYMMETRIC, { skip: true });
    await expectFailure(kms.encrypt({ name: bare.name, plaintext }, once), 9);
    await expectFailure(
      kms.encrypt({ name: `${RING}/cryptoKeys/none`, plaintext }, once),
      5,
      `CryptoKey ${RING}/cryptoKeys/none not found.`,
    );
    await expectFailure(kms.encrypt({ name: "nonsense", plaintext }, once), 3);
  });
});

describe("RawEncrypt and RawDecrypt of Cloud KMS", () => {
  it.for(["AES_128_GCM", "AES_256_GCM"] as const)(
    "%s: the service makes the IV, the tag stands behind",
    async (algorithm) => {
      const { version: name } = await createKey(kms, ["RAW_ENCRYPT_DECRYPT", algorithm]);
      const additionalAuthenticatedData = aad;
      const [sealed] = await kms.rawEncrypt(
        { name, plaintext, plaintextCrc32c: sum(plaintext), additionalAuthenticatedData },
        once,
      );
      expect(sealed).toMatchObject({ name, tagLength: 16, verifiedPlaintextCrc32c: true });
      const ciphertext = bytes(sealed.ciphertext);
      const initializationVector = bytes(sealed.initializationVector);
      expect([ciphertext.length, initializationVector.length]).toStrictEqual([plaintext.length + 16, 12]);
      expectSum(ciphertext, sealed.ciphertextCrc32c);
      expectSum(initializationVector, sealed.initializationVectorCrc32c);
      const request = { name, ciphertext, initializationVector, additionalAuthenticatedData };
      const [opened] = await kms.rawDecrypt(
        { ...request, ciphertextCrc32c: sum(ciphertext), initializationVectorCrc32c: sum(initializationVector) },
        once,
      );
      expect(bytes(opened.plaintext)).toStrictEqual(plaintext);
      expect(opened).toMatchObject({ verifiedCiphertextCrc32c: true, verifiedInitializationVectorCrc32c: true });
      await expectFailure(kms.rawDecrypt({ ...request, ciphertext: flip(ciphertext, 0) }, once), 3, FAILED);
      await expectFailure(kms.rawEncrypt({ name, plaintext, initializationVector }, once), 3);
    },
  );
});

describe("GenerateRandomBytes of Cloud KMS", () => {
  it("gives 8 to 1024 bytes of an HSM with their checksum", async () => {
    const location = RING.replace(/\/keyRings.*/, "");
    const [answer] = await kms.generateRandomBytes({ location, lengthBytes: 32, protectionLevel: "HSM" }, once);
    expect(bytes(answer.data)).toHaveLength(32);
    expectSum(answer.data, answer.dataCrc32c);
    for (const lengthBytes of [7, 1025]) {
      await expectFailure(kms.generateRandomBytes({ location, lengthBytes, protectionLevel: "HSM" }, once), 3);
    }
    await expectFailure(kms.generateRandomBytes({ location, lengthBytes: 8, protectionLevel: "SOFTWARE" }, once), 3);
  });
});

const data = Buffer.from("attack at dawn");

describe("MacSign and MacVerify of Cloud KMS", () => {
  it.for([
    ["HMAC_SHA224", 28],
    ["HMAC_SHA256", 32],
    ["HMAC_SHA384", 48],
    ["HMAC_SHA512", 64],
  ] as const)("%s gives %i bytes and knows them again", async ([algorithm, length]) => {
    const { version: name } = await createKey(kms, ["MAC", algorithm]);
    const [signed] = await kms.macSign({ name, data, dataCrc32c: sum(data) }, once);
    const mac = bytes(signed.mac);
    expect(mac).toHaveLength(length);
    expectSum(mac, signed.macCrc32c);
    expect(signed).toMatchObject({ name, verifiedDataCrc32c: true, protectionLevel: "SOFTWARE" });
    const [known] = await kms.macVerify({ name, data, dataCrc32c: sum(data), mac, macCrc32c: sum(mac) }, once);
    expect(known).toMatchObject({
      success: true,
      verifiedDataCrc32c: true,
      verifiedMacCrc32c: true,
      verifiedSuccessIntegrity: true,
    });
  });

  it("a wrong tag is no error", async () => {
    const { version: name } = await createKey(kms, ["MAC", "HMAC_SHA256"]);
    const mac = bytes((await kms.macSign({ name, data }, once))[0].mac);
    const [answer] = await kms.macVerify({ name, data, mac: flip(mac, 31) }, once);
    expect(answer).toMatchObject({ success: false, verifiedSuccessIntegrity: false, verifiedMacCrc32c: false });
    await expectFailure(
      kms.macVerify({ name, data, mac, macCrc32c: sum(data) }, once),
      3,
      "The checksum in field mac_crc32c did not match the data in field mac.",
    );
  });

  it("need a version of a MAC key, and data of no more than 64 KiB", async () => {
    await expectFailure(kms.macSign({ name: (await createKey(kms, SYMMETRIC)).version, data }, once), 9);
    const { version: name } = await createKey(kms, ["MAC", "HMAC_SHA256"]);
    await expectFailure(kms.macSign({ name, data: Buffer.alloc(65_537) }, once), 3);
  });
});
