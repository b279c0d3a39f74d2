import { describe, expect, it } from "vitest";
import { createKey, expectFailure, LOCATION, once, onePage, openSubject, present, RING, SYMMETRIC } from "./subject.ts";

const { kms } = await openSubject({ clock: { now: () => Date.UTC(2026, 0, 1) } });
const DAY_S = 86_400;

describe("key rings of Cloud KMS", () => {
  it("are made once, found and listed", async () => {
    const keyRing = {};
    await expectFailure(
      kms.createKeyRing({ parent: LOCATION, keyRingId: "contract", keyRing }, once),
      6,
      `KeyRing ${RING} already exists.`,
    );
    expect((await kms.getKeyRing({ name: RING }, once))[0]).toMatchObject({ name: RING });
    const [rings] = await kms.listKeyRings({ parent: LOCATION }, onePage);
    expect(rings.map(({ name }) => name)).toStrictEqual([RING]);
    await expectFailure(kms.getKeyRing({ name: `${RING}-none` }, once), 5, `KeyRing ${RING}-none not found.`);
    await expectFailure(kms.createKeyRing({ parent: LOCATION, keyRingId: "no spaces", keyRing }, once), 3);
  });
});

describe("keys of Cloud KMS", () => {
  it("are described with their primary version, template, labels and durations", async () => {
    const { name, version } = await createKey(kms, SYMMETRIC, { labels: { team: "payments" } });
    const [key] = await kms.getCryptoKey({ name }, once);
    expect(key).toMatchObject({
      name,
      purpose: "ENCRYPT_DECRYPT",
      primary: { name: version, state: "ENABLED", algorithm: "GOOGLE_SYMMETRIC_ENCRYPTION" },
      versionTemplate: { protectionLevel: "SOFTWARE", algorithm: "GOOGLE_SYMMETRIC_ENCRYPTION" },
      labels: { team: "payments" },
      importOnly: false,
    });
    expect(Number(key.destroyScheduledDuration?.seconds)).toBe(30 * DAY_S);
    expect(Number(key.createTime?.seconds)).toBe(Date.UTC(2026, 0, 1) / 1000);
  });

  it("have no primary unless they are for ENCRYPT_DECRYPT", async () => {
    const { name } = await createKey(kms, ["MAC", "HMAC_SHA256"]);
    expect((await kms.getCryptoKey({ name }, once))[0].primary).toBeNull();
    await expectFailure(kms.updateCryptoKeyPrimaryVersion({ name, cryptoKeyVersionId: "1" }, once), 9);
  });

  it("are refused with an algorithm of another purpose, or one that needs an HSM", async () => {
    await expectFailure(createKey(kms, ["MAC", "AES_256_GCM"]), 3);
    await expectFailure(createKey(kms, ["ASYMMETRIC_SIGN", "EC_SIGN_SECP256K1_SHA256"]), 3);
    await expectFailure(createKey(kms, ["CRYPTO_KEY_PURPOSE_UNSPECIFIED", "AES_256_GCM"]), 3);
    await expectFailure(createKey(kms, SYMMETRIC, { importOnly: true }), 3);
  });

  it.for([
    [DAY_S - 1, false],
    [DAY_S, true],
    [120 * DAY_S, true],
    [120 * DAY_S + 1, false],
  ] as const)("wait %i seconds to be destroyed: %s", async ([seconds, fits]) => {
    const made = createKey(kms, SYMMETRIC, { destroyScheduledDuration: { seconds } });
    if (fits) expect((await made).name).toContain(RING);
    else await expectFailure(made, 3);
  });

  it("change the fields of the mask and no others", async () => {
    const { name } = await createKey(kms, SYMMETRIC, { labels: { a: "1" } });
    const cryptoKey = { name, labels: { b: "2" }, importOnly: true };
    const [key] = await kms.updateCryptoKey({ cryptoKey, updateMask: { paths: ["labels"] } }, once);
    expect(key).toMatchObject({ labels: { b: "2" }, importOnly: false });
    await expectFailure(kms.updateCryptoKey({ cryptoKey, updateMask: { paths: ["import_only"] } }, once), 3);
    await expectFailure(kms.updateCryptoKey({ cryptoKey, updateMask: { paths: [] } }, once), 3);
  });

  it("take a rotation of their own, if they are for ENCRYPT_DECRYPT, and lose it", async () => {
    const { name } = await createKey(kms, SYMMETRIC);
    const paths = ["rotation_period", "next_rotation_time"];
    const nextRotationTime = { seconds: Date.UTC(2026, 1, 1) / 1000 };
    const rotating = { name, rotationPeriod: { seconds: DAY_S }, nextRotationTime };
    const [key] = await kms.updateCryptoKey({ cryptoKey: rotating, updateMask: { paths } }, once);
    expect(Number(key.rotationPeriod?.seconds)).toBe(DAY_S);
    const early = { ...rotating, rotationPeriod: { seconds: DAY_S - 1 } };
    await expectFailure(kms.updateCryptoKey({ cryptoKey: early, updateMask: { paths } }, once), 3);
    const [stopped] = await kms.updateCryptoKey({ cryptoKey: { name }, updateMask: { paths } }, once);
    expect([stopped.rotationPeriod ?? null, stopped.nextRotationTime]).toStrictEqual([null, null]);
    const mac = await createKey(kms, ["MAC", "HMAC_SHA256"]);
    const other = { ...rotating, name: mac.name };
    await expectFailure(kms.updateCryptoKey({ cryptoKey: other, updateMask: { paths } }, once), 3);
  });

  it("are listed by ring, page by page, and by label", async () => {
    await kms.createKeyRing({ parent: LOCATION, keyRingId: "paged", keyRing: {} }, once);
    const parent = `${LOCATION}/keyRings/paged`;
    for (const cryptoKeyId of ["a", "b", "c"]) {
      const cryptoKey = { purpose: "ENCRYPT_DECRYPT", labels: { id: cryptoKeyId } } as const;
      await kms.createCryptoKey({ parent, cryptoKeyId, cryptoKey }, once);
    }
    const [first, next, answer] = await kms.listCryptoKeys({ parent, pageSize: 2 }, onePage);
    expect(first.map(({ name }) => name?.at(-1))).toStrictEqual(["a", "b"]);
    expect(answer.totalSize).toBe(3);
    const [second, end] = await kms.listCryptoKeys(present(next), onePage);
    expect([second.map(({ name }) => name?.at(-1)), end]).toStrictEqual([["c"], null]);
    const [found] = await kms.listCryptoKeys({ parent, filter: "labels.id=b" }, onePage);
    expect(found.map(({ name }) => name?.at(-1))).toStrictEqual(["b"]);
    await expectFailure(kms.listCryptoKeys({ parent, pageToken: "nonsense" }, onePage), 3);
  });
});
